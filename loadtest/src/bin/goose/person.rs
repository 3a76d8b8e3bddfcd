//! What one person does. The tokens of the last sign-in are kept between the steps.

use goose::goose::{GooseMethod, GooseRequest, GooseResponse};
use goose::prelude::*;
use serde::Deserialize;
use serde_json::json;
use std::env;

const PASSWORD: &str = "plain oat zebra lantern";

/// What a sign-in or a refresh answers.
#[derive(Clone, Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn core(path: &str) -> String {
    format!("/t/{}/v1/{path}", setting("PLINTO_TENANT", "demo"))
}

/// One account for each person of each run of the load test.
fn email(user: &GooseUser) -> String {
    format!("goose-{}-{}@bench.example", std::process::id(), user.weighted_users_index)
}

/// An answer with another status than `expected` counts as a failure.
async fn expect(
    user: &mut GooseUser,
    answer: GooseResponse,
    expected: u16,
) -> Result<String, Box<TransactionError>> {
    let mut request = answer.request;
    match answer.response {
        Ok(response) if response.status().as_u16() == expected => Ok(response.text().await?),
        Ok(response) => {
            let problem = response.text().await?;
            Err(user
                .set_failure("unexpected status", &mut request, None, Some(&problem))
                .expect_err("it is a failure"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn keep_tokens(user: &mut GooseUser, answer: GooseResponse) -> TransactionResult {
    let mut request = answer.request.clone();
    let text = expect(user, answer, 200).await?;
    match serde_json::from_str::<Tokens>(&text) {
        Ok(tokens) => user.set_session_data(tokens),
        Err(error) => return user.set_failure(&error.to_string(), &mut request, None, None),
    }
    Ok(())
}

fn tokens(user: &GooseUser) -> Option<(String, String)> {
    user.get_session_data::<Tokens>().map(|kept| (kept.access_token.clone(), kept.refresh_token.clone()))
}

pub(crate) async fn sign_up(user: &mut GooseUser) -> TransactionResult {
    let body = json!({ "email": email(user), "password": PASSWORD, "name": "Goose" });
    let answer = user.post_json(&core("auth/sign-up"), &body).await?;
    expect(user, answer, 202).await?;
    Ok(())
}

pub(crate) async fn sign_in(user: &mut GooseUser) -> TransactionResult {
    let body = json!({ "email": email(user), "password": PASSWORD });
    let answer = user.post_json(&core("auth/sign-in"), &body).await?;
    keep_tokens(user, answer).await
}

pub(crate) async fn introspect(user: &mut GooseUser) -> TransactionResult {
    let Some((access, _)) = tokens(user) else { return Ok(()) };
    let url = format!("{}/v1/introspect", setting("PLINTO_AUTH_HOST", "http://127.0.0.1:8001"));
    let builder = user.get_request_builder(&GooseMethod::Post, &url)?;
    let builder = builder.bearer_auth(setting("PLINTO_SERVICE_KEY", "")).form(&[("token", access)]);
    let request = GooseRequest::builder().set_request_builder(builder).name("/v1/introspect").build();
    let answer = user.request(request).await?;
    let mut request = answer.request.clone();
    let text = expect(user, answer, 200).await?;
    if text.contains("\"active\":true") {
        Ok(())
    } else {
        user.set_failure("a live session is not active", &mut request, None, None)
    }
}

pub(crate) async fn refresh(user: &mut GooseUser) -> TransactionResult {
    let Some((_, refresh)) = tokens(user) else { return Ok(()) };
    let answer = user.post_json("/v1/auth/refresh", &json!({ "refresh_token": refresh })).await?;
    keep_tokens(user, answer).await
}

pub(crate) async fn sign_out(user: &mut GooseUser) -> TransactionResult {
    let Some((access, _)) = tokens(user) else { return Ok(()) };
    let builder = user.get_request_builder(&GooseMethod::Post, &core("auth/sign-out"))?.bearer_auth(access);
    let builder = builder.json(&json!({}));
    let request = GooseRequest::builder().set_request_builder(builder).name("sign out").build();
    let answer = user.request(request).await?;
    expect(user, answer, 204).await?;
    Ok(())
}
