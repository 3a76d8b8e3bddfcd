//! Access tokens: only ours, only in time, only as issued.

use crate::app::TestApp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::Duration;

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn forged_and_altered_tokens_are_inactive() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let parts: Vec<&str> = ada.access.split('.').collect();
    let (header, claims) = (part(&ada.access, 0), part(&ada.access, 1));
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], "at+jwt");
    let with = |base: &Value, name: &str, value: Value| {
        let mut changed = base.clone();
        changed[name] = value;
        encode(&changed)
    };
    let mut last = parts[2].to_owned();
    let flipped = if last.starts_with('A') { 'B' } else { 'A' };
    last.replace_range(0..1, &flipped.to_string());
    let forged = [
        format!("{}.{}.", with(&header, "alg", json!("none")), parts[1]),
        format!("{}.{}.{}", with(&header, "alg", json!("none")), parts[1], parts[2]),
        format!("{}.{}.{}", with(&header, "alg", json!("HS256")), parts[1], parts[2]),
        format!("{}.{}.{}", with(&header, "kid", json!("unknown")), parts[1], parts[2]),
        format!("{}.{}.{}", with(&header, "typ", json!("JWT")), parts[1], parts[2]),
        format!(
            "{}.{}.{}",
            parts[0],
            with(&claims, "sub", json!("usr_00000000000000000000000000000000")),
            parts[2]
        ),
        format!("{}.{}.{}", parts[0], with(&claims, "exp", json!(9_999_999_999_i64)), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], last),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}=", ada.access),
        "x".repeat(10_000),
        "..".into(),
        "nonsense".into(),
        "plr_nonsense".into(),
        String::new(),
    ];
    for token in forged {
        assert!(!app.is_active(&token).await, "{token:.80}");
        let answer = app.core("GET", "/t/demo/v1/users/me", Some(&token), None).await;
        assert_eq!(answer.expect(401).code(), "invalid_token", "{token:.80}");
    }
    assert!(app.is_active(&ada.access).await);
    app.finish().await;
}

#[tokio::test]
async fn tokens_end_in_time_and_refresh_renews_them() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    assert!(app.is_active(&ada.access).await);
    app.advance(Duration::from_secs(606));
    assert!(!app.is_active(&ada.access).await, "expired although it was verified before");
    let answer = app.core("GET", "/v1/users/me", Some(&ada.access), None).await.expect(401);
    assert!(answer.json()["detail"].as_str().unwrap().contains("expired"), "{}", answer.text);
    let next = crate::app::tokens(&app.try_refresh(&ada.refresh).await.expect(200));
    assert!(app.is_active(&next.access).await);
    app.advance(Duration::from_secs(15 * 86_400));
    assert_eq!(app.try_refresh(&next.refresh).await.expect(401).code(), "invalid_grant", "idle for too long");
    app.finish().await;
}

#[tokio::test]
async fn a_token_from_the_future_is_not_yet_valid() {
    let app = TestApp::new().await;
    app.advance(Duration::from_secs(3_600));
    let ada = app.user("ada@example.com").await;
    app.clock_back(Duration::from_secs(3_600));
    assert!(!app.is_active(&ada.access).await);
    app.finish().await;
}

#[tokio::test]
async fn published_keys_verify_our_tokens_for_an_independent_reader() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let answer = app.core("GET", "/t/demo/.well-known/jwks.json", None, None).await.expect(200);
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    assert!(answer.headers["cache-control"].to_str().unwrap().contains("max-age=300"));
    let jwks = answer.json();
    assert_eq!(jwks["keys"][0]["kid"], part(&ada.access, 0)["kid"]);
    assert!(jwks["keys"][0].get("d").is_none(), "no private member");
    let keys = plinto_token::KeySet::from_jwks(&serde_json::from_value(jwks).unwrap()).unwrap();
    let expect = plinto_token::Expectations {
        issuer: "http://plinto.test/t/demo",
        audience: Some("http://plinto.test/t/demo"),
        now: 1_800_000_000,
        leeway: 0,
        typ: "at+jwt",
    };
    let claims = plinto_token::verify(&ada.access, &keys, &expect).unwrap();
    assert_eq!(claims.sub, ada.user);
    app.finish().await;
}
