//! What a tenant asks of new passwords: that they were not used before, and are not known from breaches.

use crate::app::{Answer, PASSWORD, TestApp, Tokens};
use crate::mail::token_in;
use plinto_domain::UserId;
use plinto_storage::{Scope, Statement};
use serde_json::{Value, json};

const SECOND: &str = "other moss violin harbor";
const THIRD: &str = "third stone garden flute";
const FOURTH: &str = "fourth amber kettle ridge";
/// Hard to guess, and yet among the most common leaked ones.
const LEAKED: &str = "ghjatccbjyfk";

impl TestApp {
    async fn policy(&self, password: Value) {
        let body = Some(json!({ "password": password }));
        self.manage("PATCH", "/v1/settings", body).await.expect(200);
    }

    async fn change(&self, who: &Tokens, current: &str, new: &str) -> Answer {
        let body = json!({ "current_password": current, "new_password": new });
        self.core("POST", "/v1/users/me/password", Some(&who.access), Some(body)).await
    }

    /// How many replaced passwords of a user are stored.
    async fn remembered(&self, who: &Tokens) -> usize {
        let sql = "SELECT version FROM password_history WHERE tenant_id = $1 AND user_id = $2";
        let user: UserId = who.user.parse().unwrap();
        let statement = Statement::new(sql, vec![self.tenant.uuid().into(), user.uuid().into()]);
        self.engine.read(Scope::Tenant(self.tenant.uuid()), statement).await.unwrap().len()
    }
}

fn refused(answer: Answer, field: &str, code: &str) {
    let answer = answer.expect(422);
    let error = &answer.json()["errors"][0];
    assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{}", answer.text);
}

#[tokio::test]
async fn the_last_passwords_are_not_chosen_again_by_change_or_reset() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.policy(json!({ "history": 3 })).await;
    refused(app.change(&ada, PASSWORD, PASSWORD).await, "new_password", "password_reused");
    app.change(&ada, PASSWORD, SECOND).await.expect(204);
    app.change(&ada, SECOND, THIRD).await.expect(204);
    for used in [PASSWORD, SECOND, THIRD] {
        refused(app.change(&ada, THIRD, used).await, "new_password", "password_reused");
    }

    app.core("POST", "/t/demo/v1/auth/password/forgot", None, Some(json!({ "email": "ada@example.com" })))
        .await
        .expect(202);
    let token = token_in(&app.mail("ada@example.com", "reset_password").await);
    let reset = async |password: &str| {
        let body = json!({ "token": token, "password": password });
        app.core("POST", "/t/demo/v1/auth/password/reset", None, Some(body)).await
    };
    refused(reset(PASSWORD).await, "password", "password_reused");
    reset(FOURTH).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 2, "the present one is the third");

    let ada = crate::app::tokens(&app.try_sign_in("demo", "ada@example.com", FOURTH).await.expect(200));
    refused(app.change(&ada, FOURTH, SECOND).await, "new_password", "password_reused");
    app.change(&ada, FOURTH, PASSWORD).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 2, "older ones are forgotten");
    app.finish().await;
}

#[tokio::test]
async fn a_policy_that_remembers_less_forgets_with_the_next_change() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.change(&ada, PASSWORD, PASSWORD).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 0, "nothing is remembered unless the tenant wants it");
    app.policy(json!({ "history": 24 })).await;
    app.change(&ada, PASSWORD, SECOND).await.expect(204);
    app.change(&ada, SECOND, THIRD).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 2);
    app.policy(json!({ "history": 1 })).await;
    refused(app.change(&ada, THIRD, THIRD).await, "new_password", "password_reused");
    app.change(&ada, THIRD, SECOND).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 0);
    let body = Some(json!({ "password": { "history": 25 } }));
    let answer = app.manage("PATCH", "/v1/settings", body).await.expect(422);
    assert_eq!(answer.json()["errors"][0]["field"], "settings.password.history");
    app.finish().await;
}

#[tokio::test]
async fn what_is_remembered_goes_with_the_user_and_is_told_to_nobody() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.policy(json!({ "history": 5 })).await;
    app.change(&ada, PASSWORD, SECOND).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 1);
    let data = app.core("GET", "/v1/users/me/data", Some(&ada.access), None).await.expect(200);
    assert!(!data.text.contains("argon2"), "no hash is given out");
    app.manage("POST", &format!("/v1/users/{}/erase", ada.user), None).await.expect(204);
    assert_eq!(app.remembered(&ada).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made_and_one_password_remembered() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.policy(json!({ "history": 5 })).await;
    let (one, two) = tokio::join!(app.change(&ada, PASSWORD, SECOND), app.change(&ada, PASSWORD, THIRD));
    let made = [&one, &two].iter().filter(|answer| answer.status == 204).count();
    assert_eq!(made, 1, "{} {}", one.text, two.text);
    assert!([one, two].iter().any(|answer| matches!(answer.status.as_u16(), 401 | 409)));
    assert_eq!(app.remembered(&ada).await, 1);
    app.finish().await;
}

async fn sign_up(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    app.core("POST", "/t/demo/v1/auth/sign-up", None, Some(body)).await
}

#[tokio::test]
async fn a_password_known_from_breaches_is_refused_wherever_one_is_chosen() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let (new, taken) =
        (sign_up(&app, "new@example.com", LEAKED).await, sign_up(&app, "ada@example.com", LEAKED).await);
    assert_eq!(new.text, taken.text, "the refusal does not tell who has an account");
    refused(new, "password", "password_breached");
    app.try_sign_in("demo", "new@example.com", LEAKED).await.expect(401);

    refused(app.change(&ada, PASSWORD, LEAKED).await, "new_password", "password_breached");
    app.core("POST", "/t/demo/v1/auth/password/forgot", None, Some(json!({ "email": "ada@example.com" })))
        .await
        .expect(202);
    let token = token_in(&app.mail("ada@example.com", "reset_password").await);
    let reset = async |password: &str| {
        let body = json!({ "token": token, "password": password });
        app.core("POST", "/t/demo/v1/auth/password/reset", None, Some(body)).await
    };
    refused(reset(LEAKED).await, "password", "password_breached");
    reset(SECOND).await.expect(204);

    let body = || json!({ "email": "grace@example.com", "password": LEAKED });
    refused(app.manage("POST", "/v1/users", Some(body())).await, "password", "password_breached");
    let path = format!("/v1/tenants/{}/users", app.tenant);
    let by_operator = app.core("POST", &path, Some(&app.platform_key), Some(body())).await;
    refused(by_operator, "password", "password_breached");
    app.invite_user("grace@example.com").await.expect(201);
    let token = token_in(&app.mail("grace@example.com", "user_invitation").await);
    refused(app.accept_user_invitation(&token, LEAKED).await, "password", "password_breached");
    app.accept_user_invitation(&token, SECOND).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_may_accept_what_is_known_from_breaches() {
    let app = TestApp::new().await;
    app.policy(json!({ "refuse_breached": false })).await;
    sign_up(&app, "ada@example.com", LEAKED).await.expect(202);
    let ada = crate::app::tokens(&app.try_sign_in("demo", "ada@example.com", LEAKED).await.expect(200));
    app.policy(json!({ "refuse_breached": null })).await;
    app.try_sign_in("demo", "ada@example.com", LEAKED).await.expect(200);
    refused(app.change(&ada, LEAKED, LEAKED).await, "new_password", "password_breached");
    app.finish().await;
}
