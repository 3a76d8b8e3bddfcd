//! The path of a user from sign-up to sign-out.

use crate::app::{PASSWORD, TestApp, tokens};
use serde_json::json;

#[tokio::test]
async fn a_user_signs_up_in_and_out_and_introspection_follows() {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    let session = app.sign_in("Ada@Example.com").await;

    let about = app.introspect(&session.access).await;
    assert_eq!(about["active"], true);
    assert_eq!(about["sub"], session.user);
    assert_eq!(about["sid"], session.session);
    assert_eq!(about["iss"], "http://plinto.test/t/demo");
    assert_eq!(about["amr"], json!(["pwd"]));
    assert_eq!(about["exp"].as_i64().unwrap() - about["iat"].as_i64().unwrap(), 600);

    let me = app.core("GET", "/v1/users/me", Some(&session.access), None).await.expect(200).json();
    assert_eq!(me["email"], "ada@example.com");
    assert_eq!(me["name"], "Ada Lovelace");
    assert_eq!(me["email_verified"], false);

    app.core("POST", "/v1/auth/sign-out", Some(&session.access), None).await.expect(204);
    assert_eq!(app.introspect(&session.access).await, json!({ "active": false }));
    assert_eq!(app.try_refresh(&session.refresh).await.expect(401).code(), "invalid_grant");
    let again = app.core("GET", "/v1/users/me", Some(&session.access), None).await.expect(401);
    assert_eq!(again.code(), "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_the_family() {
    let app = TestApp::new().await;
    let first = app.user("ada@example.com").await;
    assert!(app.is_active(&first.refresh).await);

    let second = tokens(&app.try_refresh(&first.refresh).await.expect(200));
    assert_eq!(second.session, first.session);
    assert_ne!(second.refresh, first.refresh);
    assert!(!app.is_active(&first.refresh).await, "a used refresh token is not active");
    assert!(app.is_active(&second.refresh).await);
    assert!(app.is_active(&second.access).await);

    let reuse = app.try_refresh(&first.refresh).await.expect(401);
    assert_eq!(reuse.code(), "invalid_grant");
    for token in [&first.access, &second.access, &second.refresh] {
        assert!(!app.is_active(token).await, "the whole family is revoked");
    }
    assert_eq!(app.try_refresh(&second.refresh).await.expect(401).code(), "invalid_grant");
    app.finish().await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_that_user_only() {
    let app = TestApp::new().await;
    let phone = app.user("ada@example.com").await;
    let laptop = app.sign_in("ada@example.com").await;
    let other = app.user("grace@example.com").await;
    assert!(app.is_active(&laptop.access).await);
    let body = json!({ "scope": "all" });
    app.core("POST", "/v1/auth/sign-out", Some(&phone.access), Some(body)).await.expect(204);
    assert!(!app.is_active(&phone.access).await);
    assert!(!app.is_active(&laptop.access).await);
    assert_eq!(app.try_refresh(&laptop.refresh).await.expect(401).code(), "invalid_grant");
    assert!(app.is_active(&other.access).await);
    let later = app.sign_in("ada@example.com").await;
    assert!(app.is_active(&later.access).await, "a new session is a new session");
    app.finish().await;
}

#[tokio::test]
async fn a_passivated_session_comes_back_as_it_was() {
    let app = TestApp::new().await;
    let first = app.user("ada@example.com").await;
    let second = tokens(&app.try_refresh(&first.refresh).await.expect(200));
    app.state.platform().passivate_all_sessions().await;
    assert_eq!(app.state.platform().live_sessions(), 0);
    assert!(app.is_active(&second.access).await);
    assert!(!app.is_active(&first.refresh).await);
    tokens(&app.try_refresh(&second.refresh).await.expect(200));
    app.finish().await;
}

#[tokio::test]
async fn neither_answers_nor_statuses_tell_who_has_an_account() {
    let app = TestApp::new().await;
    let new = app.sign_up("ada@example.com").await.expect(202);
    let taken = app.sign_up("ADA@example.com").await.expect(202);
    assert_eq!(new.text, taken.text);
    // The second sign-up changed nothing: the first password still holds.
    app.sign_in("ada@example.com").await;

    let wrong = app.try_sign_in("demo", "ada@example.com", "not the password at all").await.expect(401);
    let unknown = app.try_sign_in("demo", "nobody@example.com", PASSWORD).await.expect(401);
    assert_eq!(wrong.text, unknown.text);
    assert_eq!(wrong.code(), "invalid_credentials");
    app.finish().await;
}

#[tokio::test]
async fn concurrent_refreshes_with_one_token_have_one_winner() {
    let app = TestApp::new().await;
    let session = app.user("ada@example.com").await;
    let attempts = (0..8).map(|_| app.try_refresh(&session.refresh));
    let answers = futures::future::join_all(attempts).await;
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 401)));
    app.finish().await;
}

#[tokio::test]
async fn an_operator_creates_users_and_is_told_of_duplicates() {
    let app = TestApp::new().await;
    let path = format!("/v1/tenants/{}/users", app.tenant);
    let body = json!({ "email": "grace@example.com", "password": PASSWORD });
    let made = app.core("POST", &path, Some(&app.platform_key), Some(body.clone())).await.expect(201).json();
    assert!(made["id"].as_str().unwrap().starts_with("usr_"));
    app.sign_in("grace@example.com").await;
    let again = app.core("POST", &path, Some(&app.platform_key), Some(body)).await.expect(409);
    assert_eq!(again.code(), "email_taken");
    app.finish().await;
}

/// Password hashes and checks done so far.
async fn password_work(app: &TestApp) -> u64 {
    let metrics = app.core("GET", "/metrics", Some(&app.platform_key), None).await.expect(200).text;
    let line =
        metrics.lines().find(|line| line.contains("pool_jobs_total") && line.contains("done")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until that much work is done; the pool counts a job just after its answer has left.
async fn expect_work(app: &TestApp, expected: u64) {
    let counted = async {
        loop {
            match password_work(app).await {
                done if done >= expected => return done,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let done =
        tokio::time::timeout(std::time::Duration::from_secs(30), counted).await.expect("less work was done");
    assert_eq!(done, expected);
}

#[tokio::test]
async fn the_same_work_is_done_whether_or_not_the_account_exists() {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    expect_work(&app, 1).await;
    app.try_sign_in("demo", "ada@example.com", "wrong wrong wrong").await.expect(401);
    expect_work(&app, 2).await;
    app.try_sign_in("demo", "nobody@example.com", "wrong wrong wrong").await.expect(401);
    expect_work(&app, 3).await;
    app.sign_up("ada@example.com").await.expect(202);
    expect_work(&app, 4).await;
    app.sign_up("new@example.com").await.expect(202);
    expect_work(&app, 5).await;
    app.finish().await;
}
