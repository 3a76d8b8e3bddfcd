//! Roles, grants, and what they come to.

use crate::app::{Answer, TestApp};
use axum::http::header;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

impl TestApp {
    /// A role of the tenant `demo`.
    pub(crate) async fn role(&self, key: &str, permissions: &[&str], inherits: &[&str]) -> Answer {
        let body = json!({ "key": key, "name": key, "permissions": permissions, "inherits": inherits });
        self.manage("POST", "/v1/roles", Some(body)).await
    }

    pub(crate) async fn grant(&self, body: Value) -> Answer {
        self.manage("POST", "/v1/grants", Some(body)).await
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn etag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn roles_are_made_read_changed_and_deleted() {
    let app = TestApp::new().await;
    let made = app.role("reader", &["doc:read"], &[]).await.expect(201);
    let path = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!(path, format!("/v1/roles/{}", id(&made)));
    let read = app.manage("GET", &path, None).await.expect(200);
    assert_eq!(read.json(), made.json());
    assert_eq!((etag(&read), etag(&made)), ("\"1\"".into(), "\"1\"".into()));
    assert_eq!(read.json()["level"], "tenant");

    let editor = app.role("editor", &["doc:*"], &["reader"]).await.expect(201);
    let page = app.manage("GET", "/v1/roles?limit=1", None).await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    let rest = app.manage("GET", &format!("/v1/roles?after={next}"), None).await.expect(200).json();
    // Ids made within one millisecond are in no order.
    let listed = BTreeSet::from([&page, &rest].map(|page| page["items"][0]["key"].as_str()));
    assert_eq!(listed, [Some("editor"), Some("reader")].into());

    let change = Some(json!({ "permissions": ["doc:read", "doc:list"] }));
    let changed =
        app.manage_with("PATCH", &path, (header::IF_MATCH, "\"1\""), change.clone()).await.expect(200);
    assert_eq!((etag(&changed), changed.json()["name"].as_str()), ("\"2\"".into(), Some("reader")));
    let stale = app.manage_with("PATCH", &path, (header::IF_MATCH, "\"1\""), change).await.expect(412);
    assert_eq!(stale.code(), "version_mismatch");
    assert_eq!(app.manage("DELETE", &path, None).await.expect(409).code(), "role_in_use", "it is inherited");
    let stale = app.manage_with("DELETE", &path, (header::IF_MATCH, "\"1\""), None).await;
    assert_eq!(stale.expect(412).code(), "version_mismatch");
    app.manage("DELETE", &format!("/v1/roles/{}", id(&editor)), None).await.expect(204);
    app.manage_with("DELETE", &path, (header::IF_MATCH, "\"2\""), None).await.expect(204);
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_role");
    app.finish().await;
}

#[tokio::test]
async fn bad_roles_are_refused() {
    let app = TestApp::new().await;
    let a = app.role("a", &[], &[]).await.expect(201);
    let b = app.role("b", &[], &["a"]).await.expect(201);
    assert_eq!(app.role("a", &[], &[]).await.expect(409).code(), "role_key_taken");
    assert_eq!(app.role("c", &[], &["nobody"]).await.expect(409).code(), "unknown_inherited_role");
    let organization = json!({ "key": "c", "name": "C", "level": "organization", "inherits": ["a"] });
    assert_eq!(app.manage("POST", "/v1/roles", Some(organization)).await.expect(409).code(), "role_level");
    let circle = Some(json!({ "inherits": ["b"] }));
    let path = format!("/v1/roles/{}", id(&a));
    assert_eq!(app.manage("PATCH", &path, circle).await.expect(409).code(), "role_cycle");
    for bad in [json!({ "key": "A" }), json!({ "permissions": ["doc"] }), json!({ "level": "moon" })] {
        let mut body = json!({ "key": "z", "name": "Z" });
        body.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        assert_eq!(app.manage("POST", "/v1/roles", Some(body)).await.expect(422).code(), "invalid_fields");
    }
    let path = format!("/v1/roles/{}", id(&b));
    let unknown = app.manage("PATCH", &path, Some(json!({ "key": "other" }))).await.expect(422);
    assert_eq!(unknown.code(), "invalid_fields", "a key stays");
    app.finish().await;
}

#[tokio::test]
async fn of_two_roles_that_would_inherit_from_each_other_one_is_refused() {
    let app = TestApp::new().await;
    let a = format!("/v1/roles/{}", id(&app.role("a", &[], &[]).await.expect(201)));
    let b = format!("/v1/roles/{}", id(&app.role("b", &[], &[]).await.expect(201)));
    let inherit = |key: &str| Some(json!({ "inherits": [key] }));
    let (first, second) =
        tokio::join!(app.manage("PATCH", &a, inherit("b")), app.manage("PATCH", &b, inherit("a")));
    let refused = if first.status == 200 { second } else { first };
    assert_eq!(refused.expect(409).code(), "role_cycle");
    let (one, two) = tokio::join!(app.role("c", &[], &[]), app.role("c", &[], &[]));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    app.finish().await;
}

#[tokio::test]
async fn grants_are_made_listed_and_taken_back() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada@example.com").await.user, app.user("eve@example.com").await.user);
    let role = app.role("editor", &["doc:read", "doc:write"], &[]).await.expect(201);
    let all = app.grant(json!({ "subject": ada, "role": "editor" })).await.expect(201);
    let one = app
        .grant(json!({ "subject": ada, "permission": "doc:delete", "resource": "doc:1" }))
        .await
        .expect(201);
    app.grant(json!({ "subject": eve, "role": "editor", "resource": "doc:1" })).await.expect(201);
    let path = format!("/v1/grants/{}", id(&one));
    assert_eq!(app.manage("GET", &path, None).await.expect(200).json(), one.json());
    let again = app.grant(json!({ "subject": ada, "role": "editor" })).await.expect(409);
    assert_eq!(again.code(), "already_granted");

    let list = async |query: &str| {
        let page = app.manage("GET", &format!("/v1/grants{query}"), None).await.expect(200).json();
        (page["items"].as_array().unwrap().len(), page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(list("").await.0, 3);
    assert_eq!(list(&format!("?subject={ada}")).await.0, 2);
    assert_eq!(list("?resource=doc:1").await.0, 2);
    assert_eq!(list(&format!("?subject={eve}&resource=doc:1")).await.0, 1);
    assert_eq!(list("?resource=doc:2").await.0, 0);
    let (count, next) = list("?limit=2").await;
    assert_eq!((count, list(&format!("?after={}", next.unwrap())).await.0), (2, 1));
    for bad in ["subject=x", "resource=x", "after=x", "limit=0", "role=x"] {
        let answer = app.manage("GET", &format!("/v1/grants?{bad}"), None).await.expect(400);
        assert_eq!(answer.code(), "invalid_query", "{bad}");
    }

    let role = format!("/v1/roles/{}", id(&role));
    assert_eq!(app.manage("DELETE", &role, None).await.expect(409).code(), "role_in_use");
    app.manage("DELETE", &path, None).await.expect(204);
    assert_eq!(app.manage("DELETE", &path, None).await.expect(404).code(), "unknown_grant");
    let permissions =
        app.manage("GET", &format!("/v1/users/{ada}/permissions"), None).await.expect(200).json();
    let reason = json!({ "permission": "doc:read", "grant": id(&all), "roles": ["editor"] });
    assert_eq!(permissions["items"][0], reason);
    assert_eq!(permissions["items"].as_array().unwrap().len(), 2, "the one taken back is gone");
    app.finish().await;
}

#[tokio::test]
async fn what_expires_counts_for_nothing_and_may_be_granted_again() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    let path = format!("/v1/users/{ada}/permissions");
    let end = 1_800_000_000_000_i64 + 60_000;
    let body = json!({ "subject": ada, "permission": "doc:read", "expires_at": end });
    app.grant(body.clone()).await.expect(201);
    let held =
        async || app.manage("GET", &path, None).await.expect(200).json()["items"].as_array().unwrap().len();
    assert_eq!(held().await, 1);
    app.advance(Duration::from_secs(60));
    assert_eq!(held().await, 0);
    assert_eq!(app.grant(body).await.expect(409).code(), "expiry_passed");
    app.grant(json!({ "subject": ada, "permission": "doc:read" })).await.expect(201);
    assert_eq!(held().await, 1);
    app.finish().await;
}

#[tokio::test]
async fn bad_grants_are_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    app.role("editor", &[], &[]).await.expect(201);
    let organization = "org_00000000000000000000000000000000";
    for (body, field) in [
        (json!({ "subject": "ada", "role": "editor" }), "subject"),
        (json!({ "subject": ada }), "role"),
        (json!({ "subject": ada, "role": "editor", "permission": "a:b" }), "role"),
        (json!({ "subject": ada, "permission": "ab" }), "permission"),
        (json!({ "subject": ada, "role": "editor", "resource": "doc" }), "resource"),
        (json!({ "subject": ada, "role": "editor", "organization": "x" }), "organization"),
        (
            json!({ "subject": ada, "role": "editor", "organization": organization, "resource": "a:b" }),
            "resource",
        ),
    ] {
        let answer = app.grant(body.clone()).await.expect(422);
        assert_eq!(answer.json()["errors"][0]["field"], field, "{body}");
    }
    let unknown = app.grant(json!({ "subject": ada, "role": "nobody" })).await.expect(404);
    assert_eq!(unknown.code(), "unknown_role");
    let stranger = json!({ "subject": "usr_00000000000000000000000000000000", "role": "editor" });
    assert_eq!(app.grant(stranger).await.expect(409).code(), "unknown_subject");
    let level = json!({ "subject": ada, "role": "editor", "organization": organization });
    assert_eq!(app.grant(level).await.expect(409).code(), "role_level");
    let (one, two) = tokio::join!(
        app.grant(json!({ "subject": ada, "role": "editor" })),
        app.grant(json!({ "subject": ada, "role": "editor" }))
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "of the same twice at once one is made");
    app.finish().await;
}

#[tokio::test]
async fn roles_and_grants_of_other_tenants_are_unknown() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    let role = id(&app.role("editor", &["doc:read"], &[]).await.expect(201));
    let grant = id(&app.grant(json!({ "subject": ada, "role": "editor" })).await.expect(201));
    let (_, key) = app.another_tenant("other").await;
    assert_eq!(app.core("GET", "/v1/roles", Some(&key), None).await.expect(403).code(), "forbidden");
    for (method, path, code) in [
        ("GET", format!("/v1/roles/{role}"), "unknown_role"),
        ("PATCH", format!("/v1/roles/{role}"), "unknown_role"),
        ("DELETE", format!("/v1/roles/{role}"), "unknown_role"),
        ("GET", format!("/v1/grants/{grant}"), "unknown_grant"),
        ("DELETE", format!("/v1/grants/{grant}"), "unknown_grant"),
        ("GET", format!("/v1/users/{ada}/permissions"), "unknown_user"),
    ] {
        let path = format!("/t/other{path}");
        let answer = app.core(method, &path, Some(&app.platform_key), Some(json!({}))).await.expect(404);
        assert_eq!(answer.code(), code, "{method} {path}");
    }
    app.finish().await;
}
