//! Users, as a tenant's services and operators administer them.

use crate::app::{Answer, TestApp, request};
use axum::http::{Request, header};
use plinto_http::ListenerName;
use serde_json::{Value, json};

impl TestApp {
    /// A management call on the tenant `demo`.
    pub(crate) async fn manage(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.core(method, &format!("/t/demo{path}"), Some(&self.platform_key), body).await
    }

    /// The same with one header more.
    pub(crate) async fn manage_with(
        &self,
        method: &str,
        path: &str,
        header: (header::HeaderName, &str),
        body: Option<Value>,
    ) -> Answer {
        let mut request = request(method, &format!("/t/demo{path}"), Some(&self.platform_key), body);
        request.headers_mut().insert(header.0, header.1.parse().unwrap());
        self.send(ListenerName::Core, request).await
    }
}

fn etag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let app = TestApp::new().await;
    let mut expected = Vec::new();
    for name in ["a", "b", "c"] {
        expected.push(app.user(&format!("{name}@example.com")).await.user);
    }
    expected.sort();
    let first = app.manage("GET", "/v1/users?limit=2", None).await.expect(200).json();
    let next = first["next"].as_str().unwrap();
    let rest = app.manage("GET", &format!("/v1/users?limit=2&after={next}"), None).await.expect(200).json();
    assert!(rest.get("next").is_none());
    let items = first["items"].as_array().unwrap().iter().chain(rest["items"].as_array().unwrap());
    let found: Vec<_> = items.map(|user| user["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, expected);
    assert!(first["items"][0]["email"].as_str().unwrap().ends_with("@example.com"));
    for bad in ["limit=0", "limit=201", "limit=x", "after=usr_1", "before=x"] {
        let answer = app.manage("GET", &format!("/v1/users?{bad}"), None).await.expect(400);
        assert_eq!(answer.code(), "invalid_query", "{bad}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_user_is_changed_by_those_who_have_seen_its_present_version() {
    let app = TestApp::new().await;
    let path = format!("/v1/users/{}", app.user("ada@example.com").await.user);
    let read = app.manage("GET", &path, None).await.expect(200);
    let seen = etag(&read);
    assert_eq!(app.manage_with("GET", &path, (header::IF_NONE_MATCH, &seen), None).await.status, 304);

    let rename = Some(json!({ "name": "Ada King" }));
    let changed =
        app.manage_with("PATCH", &path, (header::IF_MATCH, &seen), rename.clone()).await.expect(200);
    assert_eq!(changed.json()["name"], "Ada King");
    assert_ne!(etag(&changed), seen);
    let stale =
        app.manage_with("PATCH", &path, (header::IF_MATCH, &seen), Some(json!({ "name": null }))).await;
    assert_eq!(stale.expect(412).code(), "version_mismatch");

    let unnamed = app.manage("PATCH", &path, Some(json!({ "name": null }))).await.expect(200);
    assert_eq!(unnamed.json()["name"], Value::Null);
    let same = app.manage("PATCH", &path, Some(json!({}))).await.expect(200);
    assert_eq!(etag(&same), etag(&unnamed), "nothing changed");
    let bad = app.manage("PATCH", &path, Some(json!({ "name": "a\nb" }))).await.expect(422);
    assert_eq!(bad.code(), "invalid_fields");
    let bad = app.manage_with("PATCH", &path, (header::IF_MATCH, "3"), Some(json!({}))).await.expect(400);
    assert_eq!(bad.code(), "invalid_entity_tag");
    app.finish().await;
}

#[tokio::test]
async fn of_two_changes_at_once_each_is_made_or_told_of_the_other() {
    let app = TestApp::new().await;
    let path = format!("/v1/users/{}", app.user("ada@example.com").await.user);
    let rename = |name: &str| app.manage("PATCH", &path, Some(json!({ "name": name })));
    let (first, second) = tokio::join!(rename("One"), rename("Two"));
    for answer in [&first, &second] {
        assert!(matches!(answer.status.as_u16(), 200 | 409), "{}", answer.text);
    }
    assert!(first.status == 200 || second.status == 200);
    app.finish().await;
}

#[tokio::test]
async fn users_of_other_tenants_are_unknown() {
    let app = TestApp::new().await;
    let user = app.user("ada@example.com").await.user;
    app.another_tenant("other").await;
    for method in ["GET", "PATCH"] {
        let path = format!("/t/other/v1/users/{user}");
        let answer = app.core(method, &path, Some(&app.platform_key), Some(json!({}))).await.expect(404);
        assert_eq!(answer.code(), "unknown_user");
    }
    let malformed = app.manage("GET", "/v1/users/usr_1", None).await.expect(404);
    assert_eq!(malformed.code(), "not_found");
    let unnamed = Request::get("/v1/users")
        .header(header::AUTHORIZATION, format!("Bearer {}", app.platform_key))
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(app.send(ListenerName::Core, unnamed).await.expect(400).code(), "tenant_needed");
    app.finish().await;
}
