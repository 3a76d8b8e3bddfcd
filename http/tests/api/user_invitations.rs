//! Invitations to become a user.

use crate::app::{Answer, BASE, PASSWORD, TestApp};
use crate::mail::token_in;
use axum::http::header;
use plinto_actors::KeptMail;
use serde_json::{Value, json};
use std::time::Duration;

const GRACE: &str = "grace@example.com";
const INVITATIONS: &str = "/v1/users/invitations";

impl TestApp {
    pub(crate) async fn invite_user(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "name": "Grace", "public_metadata": { "team": 7 } });
        self.manage("POST", INVITATIONS, Some(body)).await
    }

    pub(crate) async fn accept_user_invitation(&self, token: &str, password: &str) -> Answer {
        let body = Some(json!({ "token": token, "password": password }));
        self.core("POST", "/t/demo/v1/auth/invitation/accept", None, body).await
    }

    async fn user_invitations(&self) -> Vec<Value> {
        let page = self.manage("GET", INVITATIONS, None).await.expect(200).json();
        page["items"].as_array().unwrap().clone()
    }

    async fn user_invitation_mail(&self, number: usize) -> KeptMail {
        loop {
            let mail = self.mail(GRACE, "user_invitation").await;
            let mails = self.state.platform().mailbox().unwrap().list();
            if mails.iter().filter(|mail| mail.kind == "user_invitation").count() == number {
                return mail;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn events_of(&self, kind: &str) -> usize {
        let path = format!("/v1/audit/events?type={kind}");
        let page = self.manage("GET", &path, None).await.expect(200).json();
        page["items"].as_array().unwrap().len()
    }
}

fn path_of(invitation: &Value) -> String {
    format!("{INVITATIONS}/{}", invitation["id"].as_str().unwrap())
}

#[tokio::test]
async fn whoever_is_invited_chooses_a_password_and_is_a_user_with_a_proved_address() {
    let app = TestApp::new().await;
    let answer = app.invite_user("Grace@example.com").await.expect(201);
    let made = answer.json();
    assert_eq!(answer.headers[header::LOCATION], path_of(&made).as_str());
    assert_eq!((&made["state"], &made["email"]), (&json!("pending"), &json!("Grace@example.com")));
    assert_eq!(made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap(), 7 * 86_400_000);
    assert_eq!(app.user_invitations().await, std::slice::from_ref(&made));
    assert_eq!(app.manage("GET", &path_of(&made), None).await.expect(200).json(), made);
    let found = app.manage("GET", &format!("/v1/users?email={GRACE}"), None).await.expect(200).json();
    assert_eq!(found["items"], json!([]), "nobody is a user before they accept");

    let mail = app.mail("Grace@example.com", "user_invitation").await;
    assert!(mail.text.contains("http://plinto.test/t/demo/auth/invitation?token="), "{}", mail.text);
    let token = token_in(&mail);
    let weak = app.accept_user_invitation(&token, "password").await.expect(422);
    assert_eq!(weak.json()["errors"][0]["field"], "password");
    app.accept_user_invitation(&token, PASSWORD).await.expect(204);
    let again = app.accept_user_invitation(&token, PASSWORD).await.expect(410);
    assert_eq!(again.code(), "link_or_code_unusable");
    let grace = app.sign_in(GRACE).await;
    let me = app.core("GET", "/v1/users/me", Some(&grace.access), None).await.expect(200).json();
    assert_eq!((&me["email_verified"], &me["name"]), (&json!(true), &json!("Grace")));
    assert_eq!(me["public_metadata"], json!({ "team": 7 }));
    assert_eq!(app.user_invitations().await, [] as [Value; 0]);
    assert_eq!(app.manage("GET", &path_of(&made), None).await.expect(404).code(), "unknown_user_invitation");
    assert_eq!(app.invite_user(GRACE).await.expect(409).code(), "email_taken");
    let events = ["user_invitation.sent", "user_invitation.accepted", "user.created"];
    for kind in events {
        assert_eq!(app.events_of(kind).await, 1, "{kind}");
    }
    app.finish().await;
}

#[tokio::test]
async fn another_invitation_and_one_sent_again_make_the_last_link_void() {
    let app = TestApp::new().await;
    let first = app.invite_user(GRACE).await.expect(201).json();
    let one = token_in(&app.user_invitation_mail(1).await);
    let second = app.invite_user("GRACE@example.com").await.expect(201).json();
    app.accept_user_invitation(&one, PASSWORD).await.expect(410);
    app.manage("GET", &path_of(&first), None).await.expect(404);
    assert_eq!(app.user_invitations().await, std::slice::from_ref(&second));
    let mails = app.state.platform().mailbox().unwrap().clone();
    let two = mails.wait_for(|mail| mail.to == "GRACE@example.com").await;
    app.advance(Duration::from_secs(7 * 86_400));
    app.accept_user_invitation(&token_in(&two), PASSWORD).await.expect(410);
    assert_eq!(app.user_invitations().await[0]["state"], "expired");
    let renewed = app.manage("POST", &format!("{}/resend", path_of(&second)), None).await.expect(200).json();
    assert_eq!((&renewed["state"], &renewed["id"]), (&json!("pending"), &second["id"]));
    let three = loop {
        let mail = mails.wait_for(|mail| mail.to == "GRACE@example.com").await;
        if mail.mail != two.mail {
            break mail;
        }
        tokio::task::yield_now().await;
    };
    app.accept_user_invitation(&token_in(&two), PASSWORD).await.expect(410);
    app.accept_user_invitation(&token_in(&three), PASSWORD).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn a_revoked_invitation_lets_nobody_in_by_any_way() {
    let app = TestApp::new().await;
    let made = app.invite_user(GRACE).await.expect(201).json();
    let token = token_in(&app.user_invitation_mail(1).await);
    app.manage("DELETE", &path_of(&made), None).await.expect(204);
    app.accept_user_invitation(&token, PASSWORD).await.expect(410);
    app.manage("DELETE", &path_of(&made), None).await.expect(404);
    app.manage("POST", &format!("{}/resend", path_of(&made)), None).await.expect(404);
    let body = || Some(json!({ "email": GRACE }));
    app.core("POST", "/t/demo/v1/auth/password/forgot", None, body()).await.expect(202);
    let ask = Some(json!({ "email": GRACE, "method": "code" }));
    app.core("POST", "/t/demo/v1/auth/passwordless/start", None, ask).await.expect(202);
    assert_eq!(app.events_of("user_invitation.revoked").await, 1);
    app.invite_user(GRACE).await.expect(201);
    app.user_invitation_mail(2).await;
    let mails = app.state.platform().mailbox().unwrap().list();
    assert!(mails.iter().all(|mail| mail.kind == "user_invitation"), "nothing else was sent to them");
    app.finish().await;
}

#[tokio::test]
async fn of_two_who_accept_at_once_exactly_one_becomes_the_user() {
    let app = TestApp::new().await;
    app.invite_user(GRACE).await.expect(201);
    let token = token_in(&app.user_invitation_mail(1).await);
    let other = "other moss violin harbor";
    let (first, second) =
        tokio::join!(app.accept_user_invitation(&token, PASSWORD), app.accept_user_invitation(&token, other));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 410], "{} {}", first.text, second.text);
    let signed_in = [
        app.try_sign_in("demo", GRACE, PASSWORD).await.status.as_u16(),
        app.try_sign_in("demo", GRACE, other).await.status.as_u16(),
    ];
    assert_eq!(signed_in, if first.status == 204 { [200, 401] } else { [401, 200] });
    app.finish().await;
}

#[tokio::test]
async fn an_invitation_revoked_while_it_is_accepted_is_either_and_never_both() {
    let app = TestApp::new().await;
    let made = app.invite_user(GRACE).await.expect(201).json();
    let token = token_in(&app.user_invitation_mail(1).await);
    let path = path_of(&made);
    let (accepted, revoked) =
        tokio::join!(app.accept_user_invitation(&token, PASSWORD), app.manage("DELETE", &path, None));
    let is_user = app.try_sign_in("demo", GRACE, PASSWORD).await.status == 200;
    assert_eq!(accepted.status == 204, is_user);
    assert_ne!(is_user, revoked.status == 204, "{} {}", accepted.text, revoked.text);
    app.finish().await;
}

#[tokio::test]
async fn who_signed_up_meanwhile_has_an_account_already() {
    let app = TestApp::new().await;
    app.invite_user(GRACE).await.expect(201);
    let token = token_in(&app.user_invitation_mail(1).await);
    app.sign_up(GRACE).await.expect(202);
    assert_eq!(
        app.accept_user_invitation(&token, "other moss violin harbor").await.expect(409).code(),
        "email_taken"
    );
    app.sign_in(GRACE).await;
    app.finish().await;
}

#[tokio::test]
async fn who_was_imported_meanwhile_keeps_what_came_with_the_import() {
    let app = TestApp::new().await;
    app.invite_user(GRACE).await.expect(201);
    let token = token_in(&app.user_invitation_mail(1).await);
    let line = json!({ "email": "GRACE@example.com", "name": "Imported" });
    let import = app.import_of(&[line]).await;
    assert_eq!(import["imported"], 1, "an invitation holds no address: {import}");
    let accepted = app.accept_user_invitation(&token, PASSWORD).await.expect(409);
    assert_eq!(accepted.code(), "email_taken");
    app.try_sign_in("demo", GRACE, PASSWORD).await.expect(401);
    let found = app.manage("GET", &format!("/v1/users?email={GRACE}"), None).await.expect(200).json();
    assert_eq!(found["items"][0]["name"], "Imported");
    assert_eq!(app.invite_user(GRACE).await.expect(409).code(), "email_taken");
    app.finish().await;
}

#[tokio::test]
async fn invitations_are_listed_page_by_page_and_made_once_for_a_key() {
    let app = TestApp::new().await;
    for number in 0..3 {
        app.advance(Duration::from_millis(5));
        app.invite_user(&format!("user-{number}@example.com")).await.expect(201);
    }
    let page = app.manage("GET", &format!("{INVITATIONS}?limit=2"), None).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let path = format!("{INVITATIONS}?after={}", page["next"].as_str().unwrap());
    let rest = app.manage("GET", &path, None).await.expect(200).json();
    assert_eq!(rest["items"][0]["email"], "user-2@example.com");
    assert_eq!(rest.get("next"), None);
    let key = header::HeaderName::from_static("idempotency-key");
    let again = async || {
        let body = Some(json!({ "email": GRACE }));
        app.manage_with("POST", INVITATIONS, (key.clone(), "one"), body).await.expect(201).json()
    };
    assert_eq!(again().await, again().await);
    let wrong = json!({ "email": "nobody", "name": "\0" });
    let wrong = app.manage("POST", INVITATIONS, Some(wrong)).await.expect(422).json();
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn the_page_of_an_invitation_changes_nothing_until_its_button_is_pressed() {
    let app = TestApp::new().await;
    app.invite_user(GRACE).await.expect(201);
    let mail = app.user_invitation_mail(1).await;
    let link = mail.text.lines().find_map(|line| line.strip_prefix(BASE)).unwrap().to_owned();
    for _ in 0..3 {
        let page = app.core("GET", &link, None, None).await.expect(200);
        assert!(page.text.contains("type=\"password\"") && !page.text.contains("<script"));
        app.core("HEAD", &link, None, None).await.expect(200);
    }
    let press = async |password: &str| {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", &token_in(&mail))
            .append_pair("password", password)
            .finish();
        let request = axum::http::Request::post(link.split('?').next().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(form))
            .unwrap();
        app.send(plinto_http::ListenerName::Core, request).await.expect(200).text
    };
    assert!(press("password").await.contains("<form"), "a weak one may be corrected");
    assert!(press(PASSWORD).await.contains("Your account is ready"));
    assert!(press(PASSWORD).await.contains("Link or code unusable"));
    app.sign_in(GRACE).await;
    app.finish().await;
}
