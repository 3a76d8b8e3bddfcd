//! Who may sign in: blocking, locking, deleting with a grace period.

use crate::app::{PASSWORD, TestApp};
use axum::http::header;
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

impl TestApp {
    /// Changes a user's standing; the user afterwards.
    async fn set(&self, user: &str, change: &str, body: Option<Value>) -> Value {
        let path = format!("/v1/users/{user}/{change}");
        self.manage("POST", &path, body).await.expect(200).json()
    }

    async fn sign_in_status(&self, email: &str) -> u16 {
        let answer = self.try_sign_in("demo", email, PASSWORD).await;
        if answer.status != 200 {
            assert_eq!(answer.code(), "invalid_credentials", "every refusal sounds the same");
        }
        answer.status.as_u16()
    }
}

#[tokio::test]
async fn a_blocked_user_is_out_at_once_and_until_unblocked() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let other = app.sign_in("ada@example.com").await;
    assert!(app.is_active(&ada.access).await && app.is_active(&other.access).await);
    let blocked = app.set(&ada.user, "block", None).await;
    assert_eq!(blocked["state"], "blocked");
    assert!(!app.is_active(&ada.access).await && !app.is_active(&other.access).await);
    assert_eq!(app.try_refresh(&ada.refresh).await.status, 401);
    assert_eq!(app.sign_in_status("ada@example.com").await, 401);
    assert_eq!(
        app.set(&ada.user, "block", None).await["updated_at"],
        blocked["updated_at"],
        "nothing changed"
    );
    assert_eq!(app.set(&ada.user, "unblock", None).await["state"], "active");
    assert_eq!(app.sign_in_status("ada@example.com").await, 200);
    assert!(!app.is_active(&ada.access).await, "what ended does not come back");
    app.finish().await;
}

#[tokio::test]
async fn a_lock_keeps_sessions_and_ends_by_itself() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let now = app.manage("GET", &format!("/v1/users/{}", ada.user), None).await.json()["created_at"]
        .as_i64()
        .unwrap();
    let until = |millis: i64| Some(json!({ "until": now + millis }));
    let locked = app.set(&ada.user, "lock", until(60_000)).await;
    assert_eq!((&locked["state"], &locked["locked_until"]), (&json!("locked"), &json!(now + 60_000)));
    assert!(app.is_active(&ada.access).await);
    assert_eq!(app.sign_in_status("ada@example.com").await, 401);
    app.advance(Duration::from_secs(61));
    assert_eq!(app.sign_in_status("ada@example.com").await, 200, "the lock is over");
    app.set(&ada.user, "lock", until(600_000)).await;
    assert_eq!(app.set(&ada.user, "unlock", None).await["state"], "active");
    assert_eq!(app.sign_in_status("ada@example.com").await, 200);
    for bad in [json!(now), json!(0), json!(-1), json!(i64::MAX), json!("soon"), json!(null)] {
        let path = format!("/v1/users/{}/lock", ada.user);
        let answer = app.manage("POST", &path, Some(json!({ "until": bad }))).await.expect(422);
        assert_eq!(answer.code(), "invalid_fields", "{bad}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_deleted_user_can_be_restored_until_it_is_purged() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let path = format!("/v1/users/{}", ada.user);
    let deleted = app.manage("DELETE", &path, None).await.expect(200).json();
    assert_eq!(deleted["state"], "deleted");
    let purge_at = deleted["purge_at"].as_i64().unwrap();
    assert_eq!(purge_at - deleted["updated_at"].as_i64().unwrap(), 30 * DAY.as_millis() as i64);
    assert!(!app.is_active(&ada.access).await);
    assert_eq!(app.sign_in_status("ada@example.com").await, 401);
    for change in ["block", "unblock", "unlock"] {
        let refused = app.manage("POST", &format!("{path}/{change}"), None).await.expect(409);
        assert_eq!(refused.code(), "user_deleted", "{change}");
    }
    let refused = app.manage("PATCH", &path, Some(json!({ "name": "Eve" }))).await.expect(409);
    assert_eq!(refused.code(), "user_deleted");
    let taken =
        app.manage("POST", "/v1/users", Some(json!({ "email": "ada@example.com" }))).await.expect(409);
    assert_eq!(taken.code(), "email_taken", "the address is kept for the grace period");

    let platform = app.state.platform().clone();
    app.advance(29 * DAY);
    assert_eq!(platform.purge_due_users(app.tenant).await, 0, "within the grace period");
    assert_eq!(app.set(&ada.user, "restore", None).await["state"], "active");
    assert_eq!(app.sign_in_status("ada@example.com").await, 200);

    app.manage("DELETE", &path, None).await.expect(200);
    app.advance(30 * DAY);
    let late = app.manage("POST", &format!("{path}/restore"), None).await.expect(404);
    assert_eq!(late.code(), "unknown_user", "its time has come, purged or not");
    assert_eq!(platform.purge_due_users(app.tenant).await, 1);
    assert_eq!(platform.purge_due_users(app.tenant).await, 0);
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_user");
    app.manage("POST", "/v1/users", Some(json!({ "email": "ada@example.com" }))).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn who_is_blocked_while_signing_in_holds_no_session() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let block = format!("/v1/users/{}/block", ada.user);
    let (signed_in, blocked) =
        tokio::join!(app.try_sign_in("demo", "ada@example.com", PASSWORD), app.manage("POST", &block, None));
    blocked.expect(200);
    if signed_in.status == 200 {
        let tokens = crate::app::tokens(&signed_in);
        assert!(!app.is_active(&tokens.access).await);
    }
    assert!(!app.is_active(&ada.access).await);
    app.finish().await;
}

#[tokio::test]
async fn only_the_version_seen_is_blocked_or_deleted() {
    let app = TestApp::new().await;
    let user = app.user("ada@example.com").await.user;
    for (method, path) in
        [("POST", format!("/v1/users/{user}/block")), ("DELETE", format!("/v1/users/{user}"))]
    {
        let stale = app.manage_with(method, &path, (header::IF_MATCH, "\"99\""), None).await.expect(412);
        assert_eq!(stale.code(), "version_mismatch");
    }
    app.finish().await;
}
