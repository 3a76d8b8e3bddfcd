//! Several addresses of one user.

use crate::app::{Answer, PASSWORD, TestApp};
use serde_json::{Value, json};

impl TestApp {
    async fn add_email(&self, user: &str, email: &str) -> Answer {
        self.manage("POST", &format!("/v1/users/{user}/emails"), Some(json!({ "email": email }))).await
    }

    async fn emails(&self, user: &str) -> Vec<Value> {
        let page = self.manage("GET", &format!("/v1/users/{user}/emails"), None).await.expect(200).json();
        page["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_user_has_several_addresses_and_always_a_primary_one() {
    let app = TestApp::new().await;
    let user = app.user("ada@example.com").await.user;
    app.advance(std::time::Duration::from_secs(1));
    let second = app.add_email(&user, "ada@work.example").await.expect(201).json();
    assert_eq!((&second["primary"], &second["verified_at"]), (&json!(false), &Value::Null));
    app.try_sign_in("demo", "ada@work.example", PASSWORD).await.expect(200);
    let first = app.emails(&user).await[0].clone();
    let path = |email: &Value| format!("/v1/users/{user}/emails/{}", email["id"].as_str().unwrap());
    let kept = app.manage("DELETE", &path(&first), None).await.expect(409);
    assert_eq!(kept.code(), "primary_email");

    let verified =
        app.manage("POST", &format!("{}/mark-verified", path(&second)), None).await.expect(200).json();
    assert!(verified["items"][1]["verified_at"].is_i64(), "{verified}");
    app.manage("POST", &format!("{}/make-primary", path(&second)), None).await.expect(200);
    let shown = app.manage("GET", &format!("/v1/users/{user}"), None).await.expect(200).json();
    assert_eq!((&shown["email"], &shown["email_verified"]), (&json!("ada@work.example"), &json!(true)));
    let found = app.manage("GET", "/v1/users?email_prefix=ada@work", None).await.expect(200).json();
    assert_eq!(found["items"][0]["id"], json!(user), "found by the address that is primary now");

    app.manage("DELETE", &path(&first), None).await.expect(204);
    assert_eq!(app.manage("DELETE", &path(&first), None).await.expect(404).code(), "unknown_email");
    assert_eq!(app.emails(&user).await.len(), 1);
    app.try_sign_in("demo", "ada@example.com", PASSWORD).await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn an_address_belongs_to_one_user_of_two_who_want_it() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada@example.com").await.user, app.user("eve@example.com").await.user);
    let taken = app.add_email(&ada, "EVE@example.com").await.expect(409);
    assert_eq!(taken.code(), "email_taken");
    let (one, two) =
        tokio::join!(app.add_email(&ada, "new@example.com"), app.add_email(&eve, "new@example.com"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", one.text, two.text);
    app.add_email(&ada, "no address").await.expect(422);
    for number in 0..8 {
        let owner = if app.emails(&ada).await.len() < 10 { &ada } else { &eve };
        app.add_email(owner, &format!("ada{number}@example.com")).await.expect(201);
    }
    app.finish().await;
}

#[tokio::test]
async fn of_two_who_move_the_primary_address_one_outcome_stands() {
    let app = TestApp::new().await;
    let user = app.user("ada@example.com").await.user;
    for email in ["b@example.com", "c@example.com"] {
        app.add_email(&user, email).await.expect(201);
    }
    let emails = app.emails(&user).await;
    let make = |email: &Value| {
        let path = format!("/v1/users/{user}/emails/{}/make-primary", email["id"].as_str().unwrap());
        let app = &app;
        async move { app.manage("POST", &path, None).await }
    };
    let (one, two) = tokio::join!(make(&emails[1]), make(&emails[2]));
    assert!(one.status == 200 || two.status == 200);
    assert!([&one, &two].iter().all(|answer| matches!(answer.status.as_u16(), 200 | 409)));
    let primary = app.emails(&user).await.into_iter().filter(|email| email["primary"] == json!(true)).count();
    assert_eq!(primary, 1);
    app.finish().await;
}

#[tokio::test]
async fn addresses_of_others_and_malformed_ids_are_unknown() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada@example.com").await.user, app.user("eve@example.com").await.user);
    let theirs = app.emails(&eve).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/users/{ada}/emails/{theirs}");
    assert_eq!(app.manage("DELETE", &path, None).await.expect(404).code(), "unknown_email");
    let path = format!("/v1/users/{ada}/emails/ada@example.com");
    assert_eq!(app.manage("DELETE", &path, None).await.expect(404).code(), "not_found");
    app.finish().await;
}
