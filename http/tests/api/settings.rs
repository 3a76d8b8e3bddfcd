//! Settings and names of tenants.

use crate::app::{Answer, TestApp};
use axum::http::header;
use serde_json::json;

fn etag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn settings_hold_at_once_and_for_those_who_saw_the_present_ones() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let read = app.manage("GET", "/v1/settings", None).await.expect(200);
    let seen = etag(&read);
    assert_eq!(read.json()["session"]["access_token_seconds"], 600);
    assert_eq!(
        app.manage_with("GET", "/v1/settings", (header::IF_NONE_MATCH, &seen), None).await.status,
        304
    );

    let shorter = || Some(json!({ "session": { "access_token_seconds": 120 } }));
    let changed =
        app.manage_with("PATCH", "/v1/settings", (header::IF_MATCH, &seen), shorter()).await.expect(200);
    assert_eq!(changed.json()["session"]["access_token_seconds"], 120);
    assert_eq!(changed.json()["password"], read.json()["password"], "what is not named stays");
    let stale =
        app.manage_with("PATCH", "/v1/settings", (header::IF_MATCH, &seen), shorter()).await.expect(412);
    assert_eq!(stale.code(), "version_mismatch");
    let same = app.manage("PATCH", "/v1/settings", shorter()).await.expect(200);
    assert_eq!(etag(&same), etag(&changed), "nothing changed");
    let signed_in = app.try_sign_in("demo", "ada@example.com", crate::app::PASSWORD).await.expect(200).json();
    assert_eq!(signed_in["expires_in"], 120);
    assert!(app.is_active(&ada.access).await, "sessions live on");

    let back = app.manage("PATCH", "/v1/settings", Some(json!({ "session": null }))).await.expect(200);
    assert_eq!(back.json(), read.json());
    for (patch, code) in [
        (json!({ "sesion": {} }), "invalid_settings"),
        (json!({ "session": [] }), "invalid_settings"),
        (json!({ "session": { "access_token_seconds": 1 } }), "out_of_range"),
    ] {
        let refused = app.manage("PATCH", "/v1/settings", Some(patch)).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["code"], code);
    }
    app.finish().await;
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_told_of_the_other() {
    let app = TestApp::new().await;
    let seen = etag(&app.manage("GET", "/v1/settings", None).await.expect(200));
    let change = |length: u32| {
        let body = Some(json!({ "password": { "min_length": length } }));
        app.manage_with("PATCH", "/v1/settings", (header::IF_MATCH, &seen), body)
    };
    let (one, two) = tokio::join!(change(10), change(11));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(matches!(statuses, [200, 409 | 412]), "{statuses:?}");
    app.finish().await;
}

#[tokio::test]
async fn keys_change_settings_within_their_scopes_and_tenants_are_renamed_by_operators() {
    let app = TestApp::new().await;
    let (_, reads) = app.secret_key(&["settings:read"]).await;
    let (_, writes) = app.secret_key(&["settings:write"]).await;
    let patch = || Some(json!({ "password": { "min_length": 12 } }));
    app.core("GET", "/v1/settings", Some(&reads), None).await.expect(200);
    assert_eq!(
        app.core("PATCH", "/v1/settings", Some(&reads), patch()).await.expect(403).code(),
        "forbidden"
    );
    app.core("PATCH", "/v1/settings", Some(&writes), patch()).await.expect(200);
    app.another_tenant("other").await;
    let foreign = app.core("PATCH", "/t/other/v1/settings", Some(&writes), patch()).await.expect(404);
    assert_eq!(foreign.code(), "unknown_tenant");

    let path = format!("/v1/tenants/{}", app.tenant);
    let rename = |key: &str, name: &str| {
        let (key, body) = (key.to_owned(), Some(json!({ "name": name })));
        let path = path.clone();
        async { app.core("PATCH", &{ path }, Some(&{ key }), body).await }
    };
    let renamed = rename(&app.platform_key, "Demo AG").await.expect(200);
    assert_eq!(renamed.json()["name"], "Demo AG");
    assert_eq!(renamed.json()["settings"]["password"]["min_length"], 12);
    assert_eq!(rename(&writes, "Theirs").await.expect(403).code(), "forbidden");
    assert_eq!(rename(&app.platform_key, "").await.expect(422).code(), "invalid_fields");
    app.finish().await;
}
