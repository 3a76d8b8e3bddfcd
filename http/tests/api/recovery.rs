//! Addresses proved, passwords chosen anew and changed.

use crate::app::{Answer, BASE, PASSWORD, TestApp, request, roomy};
use crate::mail::token_in;
use plinto_http::{HttpConfig, ListenerName};
use serde_json::{Value, json};
use std::time::Duration;

const NEW: &str = "other moss violin harbor";

impl TestApp {
    async fn ask(&self, path: &str, body: Value) -> Answer {
        self.core("POST", &format!("/t/demo/v1/auth/{path}"), None, Some(body)).await
    }

    async fn access_with(&self, email: &str, password: &str) -> String {
        crate::app::tokens(&self.try_sign_in("demo", email, password).await.expect(200)).access
    }

    fn count(&self, kind: &str) -> usize {
        let mails = self.state.platform().mailbox().unwrap().list();
        mails.iter().filter(|mail| mail.kind == kind).count()
    }
}

#[tokio::test]
async fn a_new_address_is_proved_by_the_link_in_the_mail_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let me = async || app.core("GET", "/v1/users/me", Some(&ada.access), None).await.expect(200).json();
    assert_eq!(me().await["email_verified"], false);
    let token = token_in(&app.mail("ada@example.com", "verify_email").await);
    app.ask("verify-email", json!({ "token": token })).await.expect(204);
    assert_eq!(me().await["email_verified"], true);
    let again = app.ask("verify-email", json!({ "token": token })).await.expect(410);
    let wrong = app.ask("verify-email", json!({ "token": "x".repeat(43) })).await.expect(410);
    assert_eq!((again.code(), &again.json()["detail"]), (wrong.code(), &wrong.json()["detail"]));
    app.finish().await;
}

#[tokio::test]
async fn asking_again_answers_the_same_and_writes_to_unproved_addresses_only() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    let first = app.mail("ada@example.com", "verify_email").await;
    let resend =
        async |email: &str| app.ask("verify-email/resend", json!({ "email": email })).await.expect(202);
    let (known, unknown) = (resend("ada@example.com").await, resend("nobody@example.com").await);
    assert_eq!(known.text, unknown.text);
    let second = loop {
        let mail = app.mail("ada@example.com", "verify_email").await;
        if mail.mail != first.mail {
            break mail;
        }
        tokio::task::yield_now().await;
    };
    app.ask("verify-email", json!({ "token": token_in(&second) })).await.expect(204);
    resend("ada@example.com").await;
    resend("nobody@example.com").await;
    // Whatever was queued before is delivered before this.
    app.sign_up("ada@example.com").await.expect(202);
    app.mail("ada@example.com", "already_registered").await;
    let mailbox = app.state.platform().mailbox().unwrap().list();
    assert_eq!(mailbox.iter().filter(|mail| mail.kind == "verify_email").count(), 2);
    assert!(mailbox.iter().all(|mail| mail.to == "ada@example.com"));
    app.finish().await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_and_every_session_ends() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let known = app.ask("password/forgot", json!({ "email": "ADA@example.com" })).await.expect(202);
    let unknown = app.ask("password/forgot", json!({ "email": "nobody@example.com" })).await.expect(202);
    assert_eq!(known.text, unknown.text);
    let mail = app.mail("ada@example.com", "reset_password").await;
    assert!(mail.text.contains("http://plinto.test/t/demo/auth/reset-password?token="), "{}", mail.text);
    let token = token_in(&mail);
    let weak = app.ask("password/reset", json!({ "token": token, "password": "password" })).await.expect(422);
    assert_eq!(weak.json()["errors"][0]["field"], "password", "{}", weak.text);
    app.ask("password/reset", json!({ "token": token, "password": NEW })).await.expect(204);
    let again = app.ask("password/reset", json!({ "token": token, "password": NEW })).await.expect(410);
    assert_eq!(again.code(), "link_or_code_unusable");
    assert!(!app.is_active(&ada.access).await, "sessions ended");
    app.try_sign_in("demo", "ada@example.com", PASSWORD).await.expect(401);
    app.try_sign_in("demo", "ada@example.com", NEW).await.expect(200);
    app.mail("ada@example.com", "password_changed").await;
    app.finish().await;
}

#[tokio::test]
async fn a_reset_link_expires_belongs_to_its_tenant_and_dies_with_the_password() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    app.another_tenant("other").await;
    let forgot = async || {
        let before = app.count("reset_password");
        app.ask("password/forgot", json!({ "email": "ada@example.com" })).await.expect(202);
        loop {
            let mail = app.mail("ada@example.com", "reset_password").await;
            if app.count("reset_password") > before {
                return token_in(&mail);
            }
            tokio::task::yield_now().await;
        }
    };
    let (first, second) = (forgot().await, forgot().await);
    let body = |token: &str| Some(json!({ "token": token, "password": NEW }));
    app.core("POST", "/t/other/v1/auth/password/reset", None, body(&first)).await.expect(410);
    app.core("POST", "/t/demo/v1/auth/verify-email", None, Some(json!({ "token": first }))).await.expect(410);
    app.core("POST", "/t/demo/v1/auth/password/reset", None, body(&first)).await.expect(204);
    app.core("POST", "/t/demo/v1/auth/password/reset", None, body(&second)).await.expect(410);
    let third = forgot().await;
    app.advance(Duration::from_secs(20 * 60));
    app.core("POST", "/t/demo/v1/auth/password/reset", None, body(&third)).await.expect(410);
    app.finish().await;
}

#[tokio::test]
async fn of_two_who_use_one_link_exactly_one_is_served() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    app.ask("password/forgot", json!({ "email": "ada@example.com" })).await.expect(202);
    let token = token_in(&app.mail("ada@example.com", "reset_password").await);
    let reset = |password: &str| app.ask("password/reset", json!({ "token": token, "password": password }));
    let (first, second) = tokio::join!(reset(NEW), reset("third stone garden flute"));
    let served = [&first, &second].iter().filter(|answer| answer.status == 204).count();
    assert_eq!(served, 1, "{} {}", first.text, second.text);
    assert!([first, second].iter().any(|answer| matches!(answer.status.as_u16(), 409 | 410)));
    app.finish().await;
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_other_sessions_end() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let other = app.sign_in("ada@example.com").await;
    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        app.core("POST", "/v1/users/me/password", Some(&ada.access), Some(body)).await
    };
    assert_eq!(change("wrong wrong wrong", NEW).await.expect(401).code(), "invalid_credentials");
    let weak = change(PASSWORD, "abc").await.expect(422);
    assert_eq!(weak.json()["errors"][0]["field"], "new_password", "{}", weak.text);
    change(PASSWORD, NEW).await.expect(204);
    assert!(app.is_active(&ada.access).await, "the session in which it was changed goes on");
    assert!(!app.is_active(&other.access).await, "the others end");
    app.try_sign_in("demo", "ada@example.com", NEW).await.expect(200);
    app.mail("ada@example.com", "password_changed").await;
    app.finish().await;
}

#[tokio::test]
async fn the_pages_of_links_change_nothing_until_their_button_is_pressed() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    app.ask("password/forgot", json!({ "email": "ada@example.com" })).await.expect(202);
    let mail = app.mail("ada@example.com", "reset_password").await;
    let link = mail.text.lines().find_map(|line| line.strip_prefix(crate::app::BASE)).unwrap().to_owned();
    for _ in 0..3 {
        // A scanner opens it, and once more.
        let page = app.core("GET", &link, None, None).await.expect(200);
        assert!(page.text.contains("<form method=\"post\">") && !page.text.contains("<script"));
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("form-action 'self'"));
    }
    let path = link.split('?').next().unwrap().to_owned();
    let press = async |password: &str| {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", &token_in(&mail))
            .append_pair("password", password)
            .finish();
        let request = axum::http::Request::post(&path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(form))
            .unwrap();
        app.send(plinto_http::ListenerName::Core, request).await.expect(200).text
    };
    assert!(press("password").await.contains("<form"), "a weak one may be corrected");
    assert!(press(NEW).await.contains("Your password is changed"));
    assert!(press(NEW).await.contains("Link or code unusable"));
    app.try_sign_in("demo", "ada@example.com", NEW).await.expect(200);
    let hostile = "/t/demo/auth/verify-email?token=%22%3E%3Cscript%3E";
    assert!(!app.core("GET", hostile, None, None).await.expect(200).text.contains("<script"));
    app.finish().await;
}

#[tokio::test]
async fn where_a_tenant_wants_proved_addresses_signing_up_and_in_does_not_tell_whether_one_was_free() {
    let app = TestApp::new().await;
    app.user("taken@example.com").await;
    let wanted = json!({ "recovery": { "verified_sign_in": true } });
    app.manage("PATCH", "/v1/settings", Some(wanted)).await.expect(200);
    let mut answers = Vec::new();
    for email in ["taken@example.com", "free@example.com"] {
        let body = json!({ "email": email, "password": NEW });
        app.ask("sign-up", body).await.expect(202);
        answers.push(app.try_sign_in("demo", email, NEW).await.expect(401).text);
    }
    assert_eq!(answers[0], answers[1]);
    let token = token_in(&app.mail("free@example.com", "verify_email").await);
    app.ask("verify-email", json!({ "token": token })).await.expect(204);
    app.try_sign_in("demo", "free@example.com", NEW).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn links_begin_with_the_configured_base_url_whatever_host_a_request_names() {
    let config = HttpConfig {
        tenant_domain: Some("id.test".into()),
        trusted_proxies: vec!["0.0.0.0/0".parse().unwrap()],
        ..HttpConfig::default()
    };
    let app = TestApp::with(roomy(), config).await;
    app.user("ada@example.com").await;
    let bodies = [
        ("verify-email/resend", json!({ "email": "ada@example.com" })),
        ("password/forgot", json!({ "email": "ada@example.com" })),
        ("passwordless/start", json!({ "email": "ada@example.com", "method": "link" })),
        ("sign-up", json!({ "email": "grace@example.com", "password": PASSWORD })),
    ];
    let poison = [
        ("host", "evil.example"),
        ("host", "demo.id.test"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-server", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-host", "evil.example"),
        ("x-host", "evil.example"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let mut asked = 1;
    for (path, body) in bodies {
        for (name, value) in poison {
            let path = format!("/t/demo/v1/auth/{path}");
            let mut request = request("POST", &path, None, Some(body.clone()));
            request.headers_mut().insert(name, value.parse().unwrap());
            app.send(ListenerName::Core, request).await.expect(202);
            asked += 1;
        }
    }
    let mailbox = app.state.platform().mailbox().unwrap();
    let links = loop {
        let mails = mailbox.list();
        if mails.len() == asked {
            break mails;
        }
        tokio::task::yield_now().await;
    };
    let with_links = links.iter().filter(|mail| mail.text.contains("://")).count();
    assert_eq!(with_links, 32, "all but those who hear that they have an account");
    for mail in links {
        for text in [&mail.text, &mail.html] {
            let beginnings = text.match_indices("://").map(|(at, _)| &text[at..]);
            for link in beginnings {
                assert!(link.starts_with("://plinto.test/t/demo/"), "{text}");
            }
            assert!(!text.contains("evil") && BASE.ends_with("://plinto.test"));
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn sessions_go_on_after_a_new_password_where_the_tenant_wants_that() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let wanted = json!({ "recovery": { "reset_ends_sessions": false, "change_ends_sessions": false } });
    app.manage("PATCH", "/v1/settings", Some(wanted)).await.expect(200);
    app.ask("password/forgot", json!({ "email": "ada@example.com" })).await.expect(202);
    let token = token_in(&app.mail("ada@example.com", "reset_password").await);
    app.ask("password/reset", json!({ "token": token, "password": NEW })).await.expect(204);
    assert!(app.is_active(&ada.access).await);
    let body = json!({ "current_password": NEW, "new_password": PASSWORD });
    let other = app.access_with("ada@example.com", NEW).await;
    app.core("POST", "/v1/users/me/password", Some(&ada.access), Some(body)).await.expect(204);
    assert!(app.is_active(&other).await && app.is_active(&ada.access).await);
    app.finish().await;
}
