//! The supervision tree as operators see it.

use crate::app::TestApp;
use plinto_http::ListenerName;
use serde_json::{Value, json};

fn node<'t>(tree: &'t Value, path: &str) -> &'t Value {
    let nodes = tree["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["path"] == path).unwrap_or_else(|| panic!("{path} in {tree}"))
}

async fn tree(app: &TestApp) -> Value {
    app.auth("GET", "/v1/runtime/tree", Some(&app.platform_key), None).await.expect(200).json()
}

#[tokio::test]
async fn a_killed_actor_restarts_and_its_siblings_do_not_notice() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let grace = app.user("grace@example.com").await;
    for _ in 0..3 {
        assert!(app.is_active(&ada.access).await && app.is_active(&grace.access).await);
    }
    let before = tree(&app).await;
    let session = |user: &crate::app::Tokens| format!("/tenants/{}/sessions/{}", app.tenant, user.session);
    let (victim, sibling) = (session(&ada), session(&grace));
    for path in [
        &victim,
        &sibling,
        &format!("/tenants/{}", app.tenant),
        &format!("/tenants/{}/ledger", app.tenant),
        "/listeners/core",
    ] {
        assert_eq!(node(&before, path)["state"], "live", "{path}");
    }
    let mut events = app.state.platform().system().events();
    let fault =
        app.auth("POST", "/v1/runtime/fault", Some(&app.platform_key), Some(json!({ "path": victim }))).await;
    fault.expect(204);
    let mut changes = Vec::new();
    while changes.last().is_none_or(|change| change != "restarted") {
        let event = serde_json::to_value(events.recv().await.unwrap()).unwrap();
        if event["path"] == victim.as_str() {
            changes.push(event["change"].as_str().unwrap().to_owned());
        } else {
            // A tenant that was made a moment ago may be loaded again meanwhile, where nodes follow each other.
            assert_eq!(event["path"], format!("/tenants/{}", app.tenant), "nobody else is concerned");
        }
    }
    assert_eq!(changes, ["failed", "restarting", "restarted"]);
    let after = tree(&app).await;
    assert_eq!(node(&after, &victim)["restarts"], 1);
    assert!(node(&after, &victim)["last_failure"].is_string());
    for counter in ["processed", "restarts", "state"] {
        assert_eq!(node(&after, &sibling)[counter], node(&before, &sibling)[counter], "{counter}");
    }
    assert!(app.is_active(&ada.access).await, "the restarted session is as it was");
    app.finish().await;
}

#[tokio::test]
async fn a_key_that_keeps_failing_is_quarantined_until_an_operator_resets_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    assert!(app.is_active(&ada.access).await);
    let path = format!("/tenants/{}/sessions/{}", app.tenant, ada.session);
    let mut events = app.state.platform().system().events();
    let body = json!({ "path": path });
    'failing: loop {
        app.auth("POST", "/v1/runtime/fault", Some(&app.platform_key), Some(body.clone())).await;
        loop {
            let event = serde_json::to_value(events.recv().await.unwrap()).unwrap();
            match event["change"].as_str().unwrap() {
                "quarantined" => break 'failing,
                "restarted" => break,
                _ => {}
            }
        }
    }
    let answer = app.introspect_as(&app.service_key, &ada.access).await.expect(503);
    assert_eq!(answer.code(), "unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    app.auth("POST", "/v1/runtime/reset", Some(&app.platform_key), Some(body)).await.expect(204);
    assert!(app.is_active(&ada.access).await);
    app.finish().await;
}

#[tokio::test]
async fn the_tree_can_be_narrowed_and_bounded() {
    let app = TestApp::new().await;
    for n in 0..5 {
        let user = app.user(&format!("user{n}@example.com")).await;
        assert!(app.is_active(&user.access).await);
    }
    let path = format!("/v1/runtime/tree?prefix=/tenants/{}/sessions&limit=3", app.tenant);
    let part = app.auth("GET", &path, Some(&app.platform_key), None).await.expect(200).json();
    assert_eq!(part["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(part["truncated"], true);
    let kinds = part["kinds"].as_array().unwrap();
    assert!(kinds.iter().any(|kind| kind["kind"] == "session"));
    let bad = app.auth("GET", "/v1/runtime/tree?limit=0", Some(&app.platform_key), None).await.expect(400);
    assert_eq!(bad.code(), "invalid_query");
    let missing = app
        .auth("POST", "/v1/runtime/reset", Some(&app.platform_key), Some(json!({ "path": "/nothing" })))
        .await;
    assert_eq!(missing.expect(404).code(), "not_found");
    app.finish().await;
}

#[tokio::test]
async fn events_stream_as_server_sent_events() {
    use http_body_util::BodyExt;
    let app = TestApp::new().await;
    let router = plinto_http::routes::router(ListenerName::Auth, &app.state);
    let request = crate::app::request("GET", "/v1/runtime/events", Some(&app.platform_key), None);
    let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let ada = app.user("ada@example.com").await;
    assert!(app.is_active(&ada.access).await);
    let mut text = String::new();
    while !text.contains(&ada.session) {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    assert!(text.contains("event: change"));
    drop(body);
    app.finish().await;
}
