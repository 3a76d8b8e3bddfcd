//! How many sessions a user has at once, and when they were last seen.

use crate::app::{Answer, PASSWORD, TestApp, Tokens, tokens};
use serde_json::{Value, json};
use std::time::Duration;

impl TestApp {
    /// A tenant `strict` with these settings of sessions and one user; its service key.
    async fn strict_tenant(&self, session: Value) -> String {
        let body = json!({ "slug": "strict", "name": "Strict", "settings": { "session": session } });
        let made = self.core("POST", "/v1/tenants", Some(&self.platform_key), Some(body)).await.expect(201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        self.core("POST", "/t/strict/v1/auth/sign-up", None, Some(body)).await.expect(202);
        let path = format!("/v1/tenants/{id}/service-keys");
        let key = self.core("POST", &path, Some(&self.platform_key), Some(json!({ "name": "svc" }))).await;
        key.expect(201).json()["key"].as_str().unwrap().to_owned()
    }

    async fn try_strict_sign_in(&self) -> Answer {
        self.try_sign_in("strict", "ada@example.com", PASSWORD).await
    }

    async fn strict_sign_in(&self) -> Tokens {
        // Ids of sessions are in the order of time.
        self.advance(Duration::from_millis(5));
        tokens(&self.try_strict_sign_in().await.expect(200))
    }

    async fn sessions_in_strict(&self, user: &str) -> Vec<Value> {
        let path = format!("/t/strict/v1/users/{user}/sessions");
        let list = self.core("GET", &path, Some(&self.platform_key), None).await.expect(200).json();
        list["items"].as_array().unwrap().clone()
    }

    async fn is_active_in_strict(&self, key: &str, token: &str) -> bool {
        self.introspect_as(key, token).await.expect(200).json()["active"].as_bool().unwrap()
    }
}

#[tokio::test]
async fn at_the_limit_the_session_that_began_first_ends() {
    let app = TestApp::new().await;
    let key = app.strict_tenant(json!({ "max_concurrent": 2 })).await;
    let (first, second) = (app.strict_sign_in().await, app.strict_sign_in().await);
    assert!(app.is_active_in_strict(&key, &first.access).await, "resident in memory");
    let third = app.strict_sign_in().await;
    assert!(!app.is_active_in_strict(&key, &first.access).await);
    assert_eq!(app.try_refresh(&first.refresh).await.expect(401).code(), "invalid_grant");
    for live in [&second, &third] {
        assert!(app.is_active_in_strict(&key, &live.access).await);
    }
    assert_eq!(app.sessions_in_strict(&third.user).await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn at_the_limit_a_tenant_may_have_new_sessions_refused() {
    let app = TestApp::new().await;
    app.strict_tenant(json!({ "max_concurrent": 1, "at_limit": "refuse_new" })).await;
    let first = app.strict_sign_in().await;
    assert_eq!(app.try_strict_sign_in().await.expect(409).code(), "session_limit_reached");
    let wrong = app.try_sign_in("strict", "ada@example.com", "not the password at all").await;
    assert_eq!(wrong.expect(401).code(), "invalid_credentials", "only who knows the password hears of it");
    app.core("POST", "/v1/auth/sign-out", Some(&first.access), None).await.expect(204);
    let second = app.strict_sign_in().await;
    app.advance(Duration::from_secs(15 * 86_400));
    app.strict_sign_in().await;
    assert_eq!(
        app.try_refresh(&second.refresh).await.expect(401).code(),
        "invalid_grant",
        "idle for too long"
    );
    app.finish().await;
}

#[tokio::test]
async fn sign_ins_at_once_never_pass_the_limit() {
    let app = TestApp::new().await;
    app.strict_tenant(json!({ "max_concurrent": 2 })).await;
    let user = app.strict_sign_in().await.user;
    let answers = futures::future::join_all((0..6).map(|_| app.try_strict_sign_in())).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "the oldest end for them");
    assert_eq!(app.sessions_in_strict(&user).await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn sign_ins_at_once_where_new_ones_are_refused_have_as_many_winners_as_there_is_room() {
    let app = TestApp::new().await;
    app.strict_tenant(json!({ "max_concurrent": 3, "at_limit": "refuse_new" })).await;
    let user = app.strict_sign_in().await.user;
    let answers = futures::future::join_all((0..6).map(|_| app.try_strict_sign_in())).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 4, "{statuses:?}");
    assert_eq!(app.sessions_in_strict(&user).await.len(), 3);
    app.finish().await;
}

#[tokio::test]
async fn limits_that_nobody_should_want_are_refused() {
    let app = TestApp::new().await;
    for session in [
        json!({ "max_concurrent": 1001 }),
        json!({ "step_up_max_age_seconds": 1 }),
        json!({ "at_limit": "ask" }),
    ] {
        let body = json!({ "slug": "strict", "name": "Strict", "settings": { "session": session } });
        let refused = app.core("POST", "/v1/tenants", Some(&app.platform_key), Some(body)).await;
        assert_eq!(refused.expect(422).code(), "invalid_fields", "{session}");
    }
    app.finish().await;
}

#[tokio::test]
async fn when_a_session_was_seen_is_written_once_in_a_while_without_a_record() {
    let app = TestApp::new().await;
    let key = app.strict_tenant(json!({ "access_token_seconds": 3600 })).await;
    let ada = app.strict_sign_in().await;
    let seen = async || app.sessions_in_strict(&ada.user).await[0]["last_seen_at"].as_i64().unwrap();
    let began = seen().await;
    app.advance(Duration::from_secs(899));
    assert!(app.is_active_in_strict(&key, &ada.access).await);
    app.state.platform().passivate_all_sessions().await;
    assert_eq!(seen().await, began, "less than a quarter of an hour ago");
    app.advance(Duration::from_secs(1));
    for _ in 0..3 {
        assert!(app.is_active_in_strict(&key, &ada.access).await);
    }
    // Whoever leaves finishes what was begun.
    app.state.platform().passivate_all_sessions().await;
    assert_eq!(seen().await, began + 900_000);
    app.advance(Duration::from_secs(60));
    tokens(&app.try_refresh(&ada.refresh).await.expect(200));
    assert_eq!(seen().await, began + 960_000, "a refresh says it by itself");
    app.finish().await;
}
