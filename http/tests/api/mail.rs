//! Mail: queued with what causes it, delivered from the outbox, read in the mailbox.

use crate::app::TestApp;
use plinto_actors::KeptMail;
use serde_json::{Value, json};
use std::time::Duration;

impl TestApp {
    /// The newest mail of a kind to an address; waits until it was delivered.
    pub(crate) async fn mail(&self, to: &str, kind: &str) -> KeptMail {
        let mailbox = self.state.platform().mailbox().expect("tests keep their mail");
        let wanted = mailbox.wait_for(|mail| mail.to == to && mail.kind == kind);
        tokio::time::timeout(Duration::from_secs(20), wanted).await.expect("a mail arrives")
    }
}

/// The token of the link in a mail.
pub(crate) fn token_in(mail: &KeptMail) -> String {
    let (_, token) = mail.text.split_once("token=").expect("the mail has a link");
    token.lines().next().expect("a token").to_owned()
}

#[tokio::test]
async fn the_mailbox_is_empty_at_first_and_knows_no_other_mail() {
    let app = TestApp::new().await;
    let list = app.core("GET", "/v1/dev/mailbox", None, None).await.expect(200).json();
    assert_eq!(list["items"], Value::Array(vec![]));
    let unknown = format!("/v1/dev/mailbox/mail_{}", "0".repeat(32));
    for path in [unknown.as_str(), "/v1/dev/mailbox/nonsense"] {
        assert_eq!(app.core("GET", path, None, None).await.expect(404).code(), "not_found");
    }
    assert_eq!(
        app.core("GET", "/v1/dev/mailbox?from=x", None, None).await.expect(400).code(),
        "invalid_query"
    );
    let page = app.core("GET", "/dev/mailbox", None, None).await.expect(200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    app.finish().await;
}

#[tokio::test]
async fn whoever_signs_up_again_is_told_by_mail_and_by_nothing_else() {
    let app = TestApp::new().await;
    let first = app.sign_up("Ada@example.com").await.expect(202);
    let again = app.sign_up("ada@example.com").await.expect(202);
    assert_eq!(first.text, again.text);
    let mail = app.mail("ada@example.com", "already_registered").await;
    assert_eq!(mail.subject, "You already have an account at Demo");
    let list =
        app.core("GET", "/v1/dev/mailbox?kind=already_registered", None, None).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let read =
        app.core("GET", &format!("/v1/dev/mailbox/{}", mail.mail), None, None).await.expect(200).json();
    assert_eq!(read["subject"], mail.subject.as_str());
    assert_eq!(read["message_id"], format!("<{}@plinto.test>", mail.mail));
    assert!(read["html"].as_str().unwrap().contains("already have"));
    let page = app.core("GET", "/dev/mailbox", None, None).await.expect(200);
    assert!(page.text.contains("You already have an account at Demo") && !page.text.contains("<script"));
    app.finish().await;
}

#[tokio::test]
async fn mail_looks_and_speaks_as_its_tenant_says() {
    let app = TestApp::new().await;
    let mail =
        json!({ "language": "de", "name": "Acme <i>", "color": "#aa0000", "reply_to": "help@acme.example" });
    let body = json!({ "slug": "acme", "name": "Acme Inc", "settings": { "mail": mail } });
    app.core("POST", "/v1/tenants", Some(&app.platform_key), Some(body)).await.expect(201);
    let body = json!({ "email": "eva@example.com", "password": crate::app::PASSWORD });
    for _ in 0..2 {
        app.core("POST", "/t/acme/v1/auth/sign-up", None, Some(body.clone())).await.expect(202);
    }
    let mail = app.mail("eva@example.com", "already_registered").await;
    assert_eq!(
        (mail.subject.as_str(), mail.from_name.as_str()),
        ("Sie haben bereits ein Konto bei Acme <i>", "Acme <i>")
    );
    assert_eq!(mail.reply_to.as_deref(), Some("help@acme.example"));
    assert!(mail.html.contains("lang=\"de\"") && !mail.html.contains("<i>"));
    let bad = json!({ "slug": "bad", "name": "Bad", "settings": { "mail": { "color": "red" } } });
    let answer = app.core("POST", "/v1/tenants", Some(&app.platform_key), Some(bad)).await.expect(422);
    assert_eq!(answer.json()["errors"][0]["field"], "settings.mail.color", "{}", answer.text);
    app.finish().await;
}
