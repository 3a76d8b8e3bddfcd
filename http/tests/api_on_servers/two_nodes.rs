//! What two requests ask for that meet on two nodes happens once.

use crate::app::{Answer, PASSWORD, TestApp};
use crate::backend::Place;
use crate::mail::token_in;
use crate::passwordless::code_in;
use serde_json::{Value, json};
use std::sync::Arc;

const OTHER: &str = "other moss violin harbor";

async fn pair() -> (TestApp, TestApp) {
    let place = Arc::new(Place::lasting().await);
    (TestApp::at(&place).await, TestApp::at(&place).await)
}

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.core("POST", &format!("/t/demo/v1/auth/{path}"), None, Some(body)).await
}

/// Sends one request to each node at once; the statuses in order.
async fn at_once(nodes: (&TestApp, &TestApp), path: &str, bodies: [Value; 2]) -> [u16; 2] {
    let [first, second] = bodies;
    let (first, second) = tokio::join!(post(nodes.0, path, first), post(nodes.1, path, second));
    [first.status.as_u16(), second.status.as_u16()]
}

async fn signs_in(app: &TestApp, email: &str, password: &str) -> bool {
    app.try_sign_in("demo", email, password).await.status == 200
}

async fn events(app: &TestApp, kind: &str) -> usize {
    let page = app.manage("GET", &format!("/v1/audit/events?type={kind}&limit=200"), None).await.expect(200);
    page.json()["items"].as_array().unwrap().len()
}

async fn done(nodes: (TestApp, TestApp)) {
    nodes.1.finish().await;
    nodes.0.finish().await;
}

#[tokio::test]
async fn one_address_signed_up_on_both_is_one_account() {
    let nodes = pair().await;
    for round in 1..=5 {
        let email = format!("ada-{round}@example.com");
        let body = |password: &str| json!({ "email": email, "password": password });
        let statuses = at_once((&nodes.0, &nodes.1), "sign-up", [body(PASSWORD), body(OTHER)]).await;
        assert_eq!(statuses, [202, 202], "neither hears who was first");
        let works = (signs_in(&nodes.0, &email, PASSWORD).await, signs_in(&nodes.1, &email, OTHER).await);
        assert!(works.0 != works.1, "{works:?}");
        let found = nodes.1.manage("GET", &format!("/v1/users?email={email}"), None).await.expect(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        assert_eq!(events(&nodes.0, "user.created").await, round);
        assert_eq!(events(&nodes.0, "sign_up.repeated").await, round);
    }
    done(nodes).await;
}

/// The token of a mail, whichever node delivers it.
async fn mailed(nodes: &(TestApp, TestApp), email: &str, kind: &str) -> String {
    let mail = tokio::select! {
        mail = nodes.0.mail(email, kind) => mail,
        mail = nodes.1.mail(email, kind) => mail,
    };
    if kind == "sign_in_code" { code_in(&mail) } else { token_in(&mail) }
}

#[tokio::test]
async fn one_link_or_code_used_on_both_is_used_once() {
    let nodes = pair().await;
    let (one, two) = (&nodes.0, &nodes.1);
    let email = "ada@example.com";
    one.sign_up(email).await.expect(202);

    post(one, "password/forgot", json!({ "email": email })).await.expect(202);
    let token = mailed(&nodes, email, "reset_password").await;
    let body = |password: &str| json!({ "token": token, "password": password });
    let statuses =
        at_once((one, two), "password/reset", [body("third stone garden flute"), body(OTHER)]).await;
    assert!(matches!(statuses, [204, 409 | 410] | [409 | 410, 204]), "{statuses:?}");
    assert_eq!(signs_in(two, email, OTHER).await, statuses[1] == 204);

    let asked = post(two, "passwordless/start", json!({ "email": email, "method": "code" })).await;
    let challenge = asked.expect(202).json()["challenge"].clone();
    let body = json!({ "challenge": challenge, "code": mailed(&nodes, email, "sign_in_code").await });
    let mut statuses = at_once((one, two), "passwordless/complete", [body.clone(), body]).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);

    let invited = Some(json!({ "email": "grace@example.com" }));
    one.manage("POST", "/v1/users/invitations", invited).await.expect(201);
    let token = mailed(&nodes, "grace@example.com", "user_invitation").await;
    let body = |password: &str| json!({ "token": token, "password": password });
    let mut statuses = at_once((one, two), "invitation/accept", [body(PASSWORD), body(OTHER)]).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 410]);
    done(nodes).await;
}

#[tokio::test]
async fn wrong_codes_are_counted_on_both_together() {
    let nodes = pair().await;
    nodes.0.sign_up("ada@example.com").await.expect(202);
    let body = json!({ "email": "ada@example.com", "method": "code" });
    let challenge = post(&nodes.0, "passwordless/start", body).await.expect(202).json()["challenge"].clone();
    let code = mailed(&nodes, "ada@example.com", "sign_in_code").await;
    let wrong = if code == "00000000" { "11111111" } else { "00000000" };
    let body = |code: &str| json!({ "challenge": challenge, "code": code });
    for attempt in 0..5 {
        let app = if attempt % 2 == 0 { &nodes.0 } else { &nodes.1 };
        post(app, "passwordless/complete", body(wrong)).await.expect(410);
    }
    for app in [&nodes.0, &nodes.1] {
        post(app, "passwordless/complete", body(&code)).await.expect(410);
    }
    done(nodes).await;
}
