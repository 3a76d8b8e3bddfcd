//! Rotation of data and signing keys.

use crate::app::{TestApp, tokens};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn rotation_keeps_old_tokens_sessions_and_data_good() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let path = format!("/v1/tenants/{}/keys/rotate", app.tenant);
    for alg in ["ES256", "RS256", "EdDSA"] {
        app.core("POST", &path, Some(&app.platform_key), Some(json!({ "alg": alg }))).await.expect(204);
        let fresh = app.sign_in("ada@example.com").await;
        assert!(app.is_active(&fresh.access).await, "{alg}");
    }
    assert!(app.is_active(&ada.access).await, "a token of a retired key is good until it expires");
    let me = app.core("GET", "/v1/users/me", Some(&ada.access), None).await.expect(200).json();
    assert_eq!(me["email"], "ada@example.com", "sealed under the first data key");
    let next = tokens(&app.try_refresh(&ada.refresh).await.expect(200));
    assert!(app.is_active(&next.access).await, "a refresh token of the first data key is still genuine");

    let jwks = app.core("GET", "/t/demo/.well-known/jwks.json", None, None).await.json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 4);
    // Retired keys leave the set when the last token they signed has expired.
    app.advance(Duration::from_secs(3_600));
    app.core("POST", &path, Some(&app.platform_key), None).await.expect(204);
    let jwks = app.core("GET", "/t/demo/.well-known/jwks.json", None, None).await.json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
    let bad =
        app.core("POST", &path, Some(&app.platform_key), Some(json!({ "alg": "none" }))).await.expect(422);
    assert_eq!(bad.code(), "invalid_fields");
    app.finish().await;
}
