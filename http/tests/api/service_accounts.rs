//! Service accounts, as a tenant's services and operators administer them.

use crate::app::TestApp;
use axum::http::header;
use serde_json::{Value, json};

#[tokio::test]
async fn an_account_rules_over_its_keys() {
    let app = TestApp::new().await;
    let body = json!({ "name": "orders", "description": "takes orders" });
    let made = app.manage("POST", "/v1/service-accounts", Some(body)).await.expect(201);
    let account = made.json()["id"].as_str().unwrap().to_owned();
    let path = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    let etag = made.headers[header::ETAG].to_str().unwrap().to_owned();
    let wish = json!({ "name": "n", "scopes": ["users:read"], "service_account": account });
    let (key_id, key) = app.api_key(wish.clone()).await;
    let (_, unrelated) = app.secret_key(&["users:read"]).await;
    let works = async |key: &str| app.core("GET", "/v1/users", Some(key), None).await.status == 200;
    assert!(works(&key).await);

    let change = |etag: &str, body: Value| {
        let etag = etag.to_owned();
        async { app.manage_with("PATCH", &path, (header::IF_MATCH, &{ etag }), Some(body)).await }
    };
    let disabled = change(&etag, json!({ "disabled": true, "description": null })).await.expect(200);
    assert_eq!((&disabled.json()["disabled"], &disabled.json()["description"]), (&json!(true), &Value::Null));
    assert!(!works(&key).await && works(&unrelated).await);
    let stale = change(&etag, json!({ "disabled": false })).await.expect(412);
    assert_eq!(stale.code(), "version_mismatch");
    app.manage("PATCH", &path, Some(json!({ "disabled": false }))).await.expect(200);
    assert!(works(&key).await, "enabled again");

    let page = app.manage("GET", "/v1/service-accounts", None).await.expect(200).json();
    assert_eq!(page["items"][0]["id"], account.as_str());
    let read = app.manage("GET", &path, None).await.expect(200);
    let known = read.headers[header::ETAG].to_str().unwrap();
    assert_eq!(app.manage_with("GET", &path, (header::IF_NONE_MATCH, known), None).await.status, 304);

    app.manage("DELETE", &path, None).await.expect(204);
    assert!(!works(&key).await && works(&unrelated).await);
    let key = app.manage("GET", &format!("/v1/api-keys/{key_id}"), None).await.expect(200).json();
    assert!(key["revoked_at"].is_i64(), "its keys were withdrawn");
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_service_account");
    let nobodys = app.manage("POST", "/v1/api-keys", Some(wish)).await.expect(404);
    assert_eq!(nobodys.code(), "unknown_service_account");
    app.finish().await;
}

#[tokio::test]
async fn accounts_of_other_tenants_are_unknown() {
    let app = TestApp::new().await;
    let made = app
        .manage("POST", "/v1/service-accounts", Some(json!({ "name": "orders" })))
        .await
        .expect(201)
        .json();
    let account = made["id"].as_str().unwrap();
    app.another_tenant("other").await;
    for method in ["GET", "PATCH", "DELETE"] {
        let path = format!("/t/other/v1/service-accounts/{account}");
        let answer = app.core(method, &path, Some(&app.platform_key), Some(json!({}))).await.expect(404);
        assert_eq!(answer.code(), "unknown_service_account", "{method}");
        let malformed = app.manage(method, "/v1/service-accounts/svc_1", Some(json!({}))).await.expect(404);
        assert_eq!(malformed.code(), "not_found");
    }
    let wish = json!({ "name": "n", "scopes": ["users:read"], "service_account": account });
    let foreign =
        app.core("POST", "/t/other/v1/api-keys", Some(&app.platform_key), Some(wish)).await.expect(404);
    assert_eq!(foreign.code(), "unknown_service_account");
    let wrong = app.manage("POST", "/v1/service-accounts", Some(json!({ "name": "" }))).await.expect(422);
    assert_eq!(wrong.code(), "invalid_fields");
    assert_eq!(
        app.manage("GET", "/v1/service-accounts?limit=0", None).await.expect(400).code(),
        "invalid_query"
    );
    app.finish().await;
}
