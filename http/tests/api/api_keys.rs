//! API keys, as a tenant's services and operators administer them.

use crate::app::{PASSWORD, TestApp, request};
use axum::http::header;
use plinto_http::ListenerName;
use plinto_storage::repositories::api_keys::{ApiKeyKind, ApiKeyRow, HashedSecret, insert};
use plinto_storage::{Scope, Unit};
use serde_json::{Value, json};
use sha2::Digest;
use std::time::Duration;

impl TestApp {
    /// A key of the tenant `demo` made by an operator: its id and its text.
    pub(crate) async fn api_key(&self, body: Value) -> (String, String) {
        let made = self.manage("POST", "/v1/api-keys", Some(body)).await.expect(201).json();
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    }

    /// A secret key with these scopes.
    pub(crate) async fn secret_key(&self, scopes: &[&str]) -> (String, String) {
        self.api_key(json!({ "name": "tests", "scopes": scopes })).await
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let (_, reads) = app.secret_key(&["users:read"]).await;
    let (_, writes) = app.secret_key(&["users:write"]).await;
    let path = format!("/v1/users/{}", ada.user);
    let rename = || Some(json!({ "name": "Ada King" }));
    app.core("GET", &path, Some(&reads), None).await.expect(200);
    assert_eq!(app.core("PATCH", &path, Some(&reads), rename()).await.expect(403).code(), "forbidden");
    app.core("GET", &path, Some(&writes), None).await.expect(200);
    app.core("PATCH", &path, Some(&writes), rename()).await.expect(200);
    assert_eq!(app.core("GET", "/v1/api-keys", Some(&writes), None).await.expect(403).code(), "forbidden");
    assert_eq!(app.introspect_as(&writes, &ada.access).await.expect(403).code(), "forbidden");
    app.another_tenant("other").await;
    let foreign = app.core("GET", "/t/other/v1/users", Some(&reads), None).await.expect(404);
    assert_eq!(foreign.code(), "unknown_tenant");
    app.finish().await;
}

#[tokio::test]
async fn keys_are_made_listed_renamed_and_revoked() {
    let app = TestApp::new().await;
    let body = json!({ "name": "orders", "scopes": ["users:read", "keys:write"], "expires_at": 1_900_000_000_000_i64 });
    let made = app.manage("POST", "/v1/api-keys", Some(body)).await.expect(201);
    let key = made.json();
    let path = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!(path, format!("/v1/api-keys/{}", key["id"].as_str().unwrap()));
    assert_eq!((&key["kind"], &key["name"]), (&json!("secret"), &json!("orders")));
    assert_eq!(key["scopes"], json!(["users:read", "keys:write"]));
    assert_eq!(key["last_used_at"], Value::Null);
    let text = key["key"].as_str().unwrap().to_owned();
    assert!(text.starts_with("plk_sec_") && text.len() == 90, "{}", text.len());

    let read = app.manage("GET", &path, None).await.expect(200);
    assert!(!read.text.contains(&text[50..]), "the secret is shown once");
    let etag = read.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(app.manage_with("GET", &path, (header::IF_NONE_MATCH, &etag), None).await.status, 304);
    let rename = |name: &str| Some(json!({ "name": name }));
    let renamed =
        app.manage_with("PATCH", &path, (header::IF_MATCH, &etag), rename("invoices")).await.expect(200);
    assert_eq!(renamed.json()["name"], "invoices");
    let stale = app.manage_with("PATCH", &path, (header::IF_MATCH, &etag), rename("late")).await.expect(412);
    assert_eq!(stale.code(), "version_mismatch");
    assert_eq!(app.manage("PATCH", &path, rename("")).await.expect(422).code(), "invalid_fields");

    let first = app.manage("GET", "/v1/api-keys?limit=1", None).await.expect(200).json();
    let rest = format!("/v1/api-keys?after={}", first["next"].as_str().unwrap());
    let rest = app.manage("GET", &rest, None).await.expect(200).json();
    let ids = [&first["items"][0]["id"], &rest["items"][0]["id"]];
    assert!(ids.contains(&&key["id"]), "the service key of the tests and this one: {ids:?}");

    app.core("GET", "/v1/users", Some(&text), None).await.expect(200);
    let used = app.manage("GET", &path, None).await.expect(200).json();
    assert_eq!(used["last_used_at"], 1_800_000_000_000_i64);
    for _ in 0..2 {
        app.manage("DELETE", &path, None).await.expect(204);
        assert_eq!(
            app.core("GET", "/v1/users", Some(&text), None).await.expect(401).code(),
            "api_key_needed"
        );
    }
    assert_eq!(app.manage("GET", &path, None).await.expect(200).json()["revoked_at"], 1_800_000_000_000_i64);
    let ended = app.manage("POST", &format!("{path}/rotate"), None).await.expect(409);
    assert_eq!(ended.code(), "api_key_ended");
    app.finish().await;
}

#[tokio::test]
async fn a_key_gives_away_only_what_it_has() {
    let app = TestApp::new().await;
    let (_, maker) = app.secret_key(&["keys:write", "users:read"]).await;
    let (strong, _) = app.secret_key(&["users:write"]).await;
    let make = |scopes: Value| {
        app.core("POST", "/v1/api-keys", Some(&maker), Some(json!({ "name": "n", "scopes": scopes })))
    };
    make(json!(["keys:read", "users:read"])).await.expect(201);
    for beyond in [json!(["users:write"]), json!(["users:read", "audit:read"])] {
        assert_eq!(make(beyond).await.expect(403).code(), "scope_not_held");
    }
    let rotate = format!("/v1/api-keys/{strong}/rotate");
    let refused = app.core("POST", &rotate, Some(&maker), Some(json!({}))).await.expect(403);
    assert_eq!(refused.code(), "scope_not_held", "its new secret would be a way to more");
    for (body, code) in [
        (json!({ "name": "n" }), "scopes_needed"),
        (json!({ "name": "n", "scopes": ["everything"] }), "unknown_scope"),
        (json!({ "name": "n", "kind": "publishable", "scopes": ["users:read"] }), "scopes_not_allowed"),
        (json!({ "name": "n", "scopes": ["users:read"], "expires_at": 1 }), "in_the_past"),
    ] {
        let refused = app.manage("POST", "/v1/api-keys", Some(body)).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["code"], code);
    }
    let unknown = json!({ "name": "n", "scopes": ["users:read"], "kind": "platform" });
    assert_eq!(app.manage("POST", "/v1/api-keys", Some(unknown)).await.expect(422).code(), "invalid_fields");
    app.finish().await;
}

#[tokio::test]
async fn a_rotated_key_works_with_both_secrets_for_a_while() {
    let app = TestApp::new().await;
    let (id, old) = app.secret_key(&["users:read"]).await;
    let path = format!("/v1/api-keys/{id}/rotate");
    let rotate = |body: Value| app.manage("POST", &path, Some(body));
    let works = async |key: &str| app.core("GET", "/v1/users", Some(key), None).await.status == 200;
    let rotated = rotate(json!({ "overlap_seconds": 60 })).await.expect(200).json();
    assert_eq!(rotated["previous_secret_until"], 1_800_000_060_000_i64);
    let new = rotated["key"].as_str().unwrap().to_owned();
    assert!(works(&old).await && works(&new).await);
    app.advance(Duration::from_secs(60));
    assert!(!works(&old).await && works(&new).await);
    let newest = rotate(json!({})).await.expect(200).json()["key"].as_str().unwrap().to_owned();
    assert!(!works(&new).await && works(&newest).await, "without an overlap at once");
    assert_eq!(rotate(json!({ "overlap_seconds": 2_592_001 })).await.expect(422).code(), "invalid_fields");

    let (one, two) = tokio::join!(rotate(json!({})), rotate(json!({})));
    let mut good = 0;
    for answer in [one, two] {
        match answer.status.as_u16() {
            200 => good += usize::from(works(answer.json()["key"].as_str().unwrap()).await),
            _ => assert_eq!(answer.expect(409).code(), "conflict"),
        }
    }
    assert_eq!(good, 1, "of two rotations at once one secret stands");
    app.finish().await;
}

#[tokio::test]
async fn keys_expire() {
    let app = TestApp::new().await;
    let body = json!({ "name": "n", "scopes": ["users:read"], "expires_at": 1_800_000_001_000_i64 });
    let (_, key) = app.api_key(body).await;
    app.core("GET", "/v1/users", Some(&key), None).await.expect(200);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.core("GET", "/v1/users", Some(&key), None).await.expect(401).code(), "api_key_needed");
    app.finish().await;
}

#[tokio::test]
async fn keys_made_before_they_had_kinds_work_on() {
    let app = TestApp::new().await;
    let id = uuid::Uuid::from_u128(7);
    let hash = sha2::Sha256::digest("older").into();
    let row = ApiKeyRow {
        key_id: id,
        tenant: Some(app.tenant.uuid()),
        kind: ApiKeyKind::Secret,
        name: "older".to_owned(),
        scopes: "tokens:read".to_owned(),
        secret: HashedSecret { hash, key_version: 0 },
        previous: None,
        account: None,
        account_disabled: false,
        created_at: 0,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: 1,
    };
    let unit = Unit { statements: vec![insert(&row)], entries: vec![] };
    app.engine.commit(Scope::Platform, "tests", vec![unit]).await.unwrap().remove(0).unwrap();
    // Another tenant's end has the keys read again.
    let (other, _) = app.another_tenant("other").await;
    app.core("DELETE", &format!("/v1/tenants/{other}"), Some(&app.platform_key), None).await.expect(204);
    let ada = app.user("ada@example.com").await;
    let old = format!("plk_{}_older", id.simple());
    assert_eq!(app.introspect_as(&old, &ada.access).await.expect(200).json()["active"], true);
    let wrong = format!("plk_{}_elder", id.simple());
    assert_eq!(app.introspect_as(&wrong, &ada.access).await.expect(401).code(), "api_key_needed");
    let rotate = format!("/v1/api-keys/key_{}/rotate", id.simple());
    let rotated = app.manage("POST", &rotate, Some(json!({ "overlap_seconds": 9 })));
    let new = rotated.await.expect(200).json()["key"].as_str().unwrap().to_owned();
    for key in [&old, &new] {
        app.introspect_as(key, &ada.access).await.expect(200);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_publishable_key_names_its_tenant_and_nothing_else() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    app.another_tenant("other").await;
    let (_, key) = app.api_key(json!({ "name": "web", "kind": "publishable" })).await;
    assert!(key.starts_with("plk_pub_"));
    let sign_in = |path: &str, key: &str| {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let mut request = request("POST", path, None, Some(body));
        request.headers_mut().insert("plinto-publishable-key", key.parse().unwrap());
        app.send(ListenerName::Core, request)
    };
    let tokens = crate::app::tokens(&sign_in("/v1/auth/sign-in", &key).await.expect(200));
    sign_in("/t/demo/v1/auth/sign-in", &key).await.expect(200);
    let two = sign_in("/t/other/v1/auth/sign-in", &key).await.expect(400);
    assert_eq!(two.code(), "tenant_ambiguous");
    for wrong in [app.service_key.as_str(), &app.platform_key, "plk_pub_x"] {
        assert_eq!(sign_in("/v1/auth/sign-in", wrong).await.expect(401).code(), "api_key_needed");
    }
    assert_eq!(app.core("GET", "/v1/users", Some(&key), None).await.expect(403).code(), "forbidden");
    assert_eq!(app.introspect_as(&key, &tokens.access).await.expect(403).code(), "forbidden");
    app.finish().await;
}

#[tokio::test]
async fn keys_of_other_tenants_and_of_operators_are_unknown() {
    let app = TestApp::new().await;
    let (id, _) = app.secret_key(&["users:read"]).await;
    app.another_tenant("other").await;
    let operators =
        app.core("GET", "/v1/platform/api-keys", Some(&app.platform_key), None).await.expect(200).json();
    let operator = operators["items"][0]["id"].as_str().unwrap();
    for (path, method) in [("", "GET"), ("", "PATCH"), ("", "DELETE"), ("/rotate", "POST")] {
        let foreign = format!("/t/other/v1/api-keys/{id}{path}");
        let body = || Some(if method == "PATCH" { json!({ "name": "n" }) } else { json!({}) });
        let answer = app.core(method, &foreign, Some(&app.platform_key), body()).await.expect(404);
        assert_eq!(answer.code(), "unknown_api_key", "{method} {path}");
        let answer = app.manage(method, &format!("/v1/api-keys/{operator}{path}"), body()).await.expect(404);
        assert_eq!(answer.code(), "unknown_api_key", "{method} {path}");
        assert_eq!(
            app.manage(method, &format!("/v1/api-keys/key_1{path}"), body()).await.expect(404).code(),
            "not_found"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn the_last_platform_key_stays() {
    let app = TestApp::new().await;
    app.state.platform().issue_platform_key("second").await.unwrap();
    let list = async || {
        let page =
            app.core("GET", "/v1/platform/api-keys", Some(&app.platform_key), None).await.expect(200).json();
        let items = page["items"].as_array().unwrap().clone();
        items.into_iter().filter(|key| key["revoked_at"].is_null()).collect::<Vec<_>>()
    };
    let own = app.state.platform().authenticate(&app.platform_key).await.unwrap().key.to_string();
    let revoke = |id: String| {
        let path = format!("/v1/platform/api-keys/{id}");
        async { app.core("DELETE", &{ path }, Some(&app.platform_key), None).await }
    };
    let others: Vec<String> = list()
        .await
        .iter()
        .map(|key| key["id"].as_str().unwrap().to_owned())
        .filter(|id| *id != own)
        .collect();
    assert!(!others.is_empty());
    for id in others {
        revoke(id).await.expect(204);
    }
    assert_eq!(revoke(own.clone()).await.expect(409).code(), "last_platform_key");
    assert_eq!(list().await.len(), 1);
    assert_eq!(revoke("key_1".to_owned()).await.expect(404).code(), "not_found");
    app.finish().await;
}
