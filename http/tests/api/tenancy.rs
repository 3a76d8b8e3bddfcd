//! One tenant never reaches another.

use crate::app::{PASSWORD, TestApp, request};
use plinto_http::ListenerName;
use serde_json::json;

#[tokio::test]
async fn tokens_and_keys_of_one_tenant_are_nothing_in_another() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let (_, foreign_key) = app.another_tenant("other").await;

    // A foreign service key is told nothing about the token.
    let about = app.introspect_as(&foreign_key, &ada.access).await.expect(200).json();
    assert_eq!(about, json!({ "active": false }));
    let about = app.introspect_as(&foreign_key, &ada.refresh).await.expect(200).json();
    assert_eq!(about, json!({ "active": false }));
    // A platform key reaches every tenant.
    assert_eq!(app.introspect_as(&app.platform_key, &ada.access).await.expect(200).json()["active"], true);

    // The token does not open the other tenant's doors.
    for (method, path) in [("GET", "/t/other/v1/users/me"), ("POST", "/t/other/v1/auth/sign-out")] {
        let answer = app.core(method, path, Some(&ada.access), None).await.expect(401);
        assert_eq!(answer.code(), "invalid_token", "{path}");
    }
    let body = Some(json!({ "refresh_token": ada.refresh }));
    let answer = app.core("POST", "/t/other/v1/auth/refresh", None, body).await.expect(401);
    assert_eq!(answer.code(), "invalid_grant");

    // The same address is another person there.
    assert_eq!(
        app.try_sign_in("other", "ada@example.com", PASSWORD).await.expect(401).code(),
        "invalid_credentials"
    );
    assert!(app.is_active(&ada.access).await, "none of this touched the session");
    app.finish().await;
}

#[tokio::test]
async fn a_service_key_administers_nothing() {
    let app = TestApp::new().await;
    let path = format!("/v1/tenants/{}", app.tenant);
    for (method, path) in [("GET", "/v1/tenants"), ("GET", &path), ("DELETE", &path)] {
        assert_eq!(
            app.core(method, path, Some(&app.service_key), None).await.expect(403).code(),
            "forbidden"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn the_tenant_is_named_by_path_header_or_token_and_never_ambiguously() {
    let app = TestApp::new().await;
    app.another_tenant("other").await;
    let ada = app.user("ada@example.com").await;
    let body = || Some(json!({ "email": "ada@example.com", "password": PASSWORD }));
    let with_header = |path: &str, tenant: &str| {
        let mut request = request("POST", path, None, body());
        request.headers_mut().insert("plinto-tenant", tenant.parse().unwrap());
        request
    };
    app.send(ListenerName::Core, with_header("/v1/auth/sign-in", "demo")).await.expect(200);
    app.send(ListenerName::Core, with_header("/t/demo/v1/auth/sign-in", "demo")).await.expect(200);
    let two = app.send(ListenerName::Core, with_header("/t/demo/v1/auth/sign-in", "other")).await.expect(400);
    assert_eq!(two.code(), "tenant_ambiguous");
    let none = app.core("POST", "/v1/auth/sign-in", None, body()).await.expect(400);
    assert_eq!(none.code(), "tenant_needed");
    for unknown in ["nowhere", "..", "DEMO", "%00", "demo%2f"] {
        let answer =
            app.core("POST", &format!("/t/{unknown}/v1/auth/sign-in"), None, body()).await.expect(404);
        assert_eq!(answer.code(), "unknown_tenant", "{unknown}");
    }
    app.core("GET", "/v1/users/me", Some(&ada.access), None).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn tenants_are_created_listed_and_deleted_with_all_that_is_theirs() {
    let app = TestApp::new().await;
    app.advance(std::time::Duration::from_secs(1));
    let (id, key) = app.another_tenant("other").await;
    let body = json!({ "email": "eve@example.com", "password": PASSWORD });
    app.core("POST", "/t/other/v1/auth/sign-up", None, Some(body)).await.expect(202);
    let eve = crate::app::tokens(&app.try_sign_in("other", "eve@example.com", PASSWORD).await.expect(200));
    assert_eq!(app.introspect_as(&key, &eve.access).await.json()["active"], true);

    let page = app.core("GET", "/v1/tenants?limit=1", Some(&app.platform_key), None).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let next = page["next"].as_str().unwrap();
    let rest =
        app.core("GET", &format!("/v1/tenants?after={next}"), Some(&app.platform_key), None).await.json();
    assert_eq!(rest["items"][0]["slug"], "other");
    assert!(rest.get("next").is_none());

    let path = format!("/v1/tenants/{id}");
    app.core("DELETE", &path, Some(&app.platform_key), None).await.expect(204);
    assert_eq!(
        app.core("GET", &path, Some(&app.platform_key), None).await.expect(404).code(),
        "unknown_tenant"
    );
    assert_eq!(
        app.try_sign_in("other", "eve@example.com", PASSWORD).await.expect(404).code(),
        "unknown_tenant"
    );
    assert_eq!(app.introspect_as(&key, &eve.access).await.expect(401).code(), "api_key_needed");
    let about = app.introspect_as(&app.platform_key, &eve.access).await.expect(200).json();
    assert_eq!(about, json!({ "active": false }));
    app.finish().await;
}

#[tokio::test]
async fn bad_tenants_are_refused_with_every_reason() {
    let app = TestApp::new().await;
    let key = app.platform_key.clone();
    let create = |body| app.core("POST", "/v1/tenants", Some(&key), Some(body));
    let all =
        create(json!({ "slug": "Bad Slug", "name": "", "settings": { "password": { "min_length": 4 } } }))
            .await;
    let json = all.expect(422).json();
    let fields: Vec<_> =
        json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["slug", "name", "settings.password.min_length"]);
    assert_eq!(create(json!({ "slug": "demo", "name": "Again" })).await.expect(409).code(), "slug_taken");
    assert_eq!(
        create(json!({ "slug": "plinto", "name": "P" })).await.expect(422).json()["errors"][0]["code"],
        "reserved_slug"
    );
    let typo =
        create(json!({ "slug": "ok-slug", "name": "N", "settings": { "pasword": {} } })).await.expect(422);
    assert_eq!(typo.code(), "invalid_fields");
    app.finish().await;
}

#[tokio::test]
async fn made_up_tenants_in_refresh_tokens_activate_nothing() {
    use plinto_domain::refresh_token::RefreshTokenParts;
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let (parts, mac) = plinto_domain::refresh_token::RefreshToken::parse(&ada.refresh).unwrap();
    let before = app.state.platform().system().tree().kinds;
    for n in 1..50_u128 {
        let tenant =
            plinto_domain::TenantId::from_uuid(uuid::Uuid::from_u128(parts.tenant.uuid().as_u128() ^ n));
        let forged = RefreshTokenParts { tenant, ..parts }.encode(&mac);
        assert_eq!(app.try_refresh(forged.expose()).await.expect(401).code(), "invalid_grant");
        assert!(!app.is_active(forged.expose()).await);
        let about = app.introspect_as(&app.platform_key, forged.expose()).await.expect(200).json();
        assert_eq!(about, json!({ "active": false }));
    }
    let after = app.state.platform().system().tree().kinds;
    let tenants = |kinds: &[plinto_actors::runtime::KindSummary]| {
        let tenants = kinds.iter().find(|kind| kind.kind == "tenant").map(|kind| kind.states.clone());
        tenants.unwrap_or_default().into_iter().map(|(_, count)| count).sum::<u64>()
    };
    // Fewer where the tenant is just being loaded again, because its first key was found in its ledger.
    assert!(tenants(&after) <= tenants(&before));
    app.finish().await;
}
