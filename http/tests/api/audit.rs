//! The audit ledger over HTTP: asked, exported, followed.

use crate::app::{TestApp, request};
use axum::http::header;
use http_body_util::BodyExt;
use plinto_http::{ListenerName, routes};
use plinto_storage::ledger::verify_export;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

fn seqs(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

async fn ask(app: &TestApp, query: &str) -> Value {
    app.manage("GET", &format!("/v1/audit/events?{query}"), None).await.expect(200).json()
}

fn types(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_ledger_is_asked_by_who_what_whom_and_when() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.advance(Duration::from_secs(86_400));
    let grace = app.user("grace@example.com").await;
    app.try_refresh(&grace.refresh).await.expect(200);
    let all = ask(&app, "limit=200").await;
    let newest = seqs(&all);
    assert!(newest.windows(2).all(|pair| pair[0] == pair[1] + 1), "newest first: {newest:?}");
    let oldest = seqs(&ask(&app, "order=oldest").await);
    assert_eq!(oldest, newest.iter().rev().copied().collect::<Vec<_>>());

    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = ask(&app, &format!("limit=2&order=oldest{after}")).await;
        found.extend(seqs(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, oldest, "page by page nothing is missed and nothing comes twice");

    let about = ask(&app, &format!("subject={}", ada.user)).await;
    assert_eq!(types(&about), ["user.created"]);
    let by = ask(&app, &format!("actor={}&order=oldest", grace.user)).await;
    assert_eq!(types(&by), ["user.created", "session.created"], "refreshes only where they are asked for");
    let refreshes = ask(&app, &format!("actor={}&type=session.refreshed", grace.user)).await;
    assert_eq!(types(&refreshes), ["session.refreshed"]);
    let both = ask(&app, &format!("actor={}&subject={}", grace.user, grace.session)).await;
    assert_eq!(types(&both), ["session.created"]);
    assert_eq!(types(&ask(&app, "type=user.created").await).len(), 2);
    assert!(types(&ask(&app, "type=user.*").await).iter().all(|name| name.starts_with("user.")));
    let day = 1_800_000_000_000_i64 + 86_400_000;
    let before = ask(&app, &format!("to={day}&type=session.*")).await;
    assert_eq!(before["items"][0]["subject"], ada.session.as_str());
    assert_eq!(seqs(&before).len(), 1);
    let since = ask(&app, &format!("from={day}&type=session.created")).await;
    assert_eq!(since["items"][0]["subject"], grace.session.as_str());
    assert_eq!(seqs(&since).len(), 1);
    assert!(seqs(&ask(&app, "subject=usr_nobody").await).is_empty());
    app.finish().await;
}

#[tokio::test]
async fn one_entry_is_read_by_its_sequence() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    let entry = app.manage("GET", "/v1/audit/events/1", None).await.expect(200).json();
    assert_eq!(entry["seq"], 1);
    assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
    for unknown in ["0", "-5", "99999", "-9223372036854775808"] {
        let answer = app.manage("GET", &format!("/v1/audit/events/{unknown}"), None).await.expect(404);
        assert_eq!(answer.code(), "unknown_audit_event", "{unknown}");
    }
    let answer = app.manage("GET", "/v1/audit/events/x", None).await.expect(404);
    assert_eq!(answer.code(), "not_found");
    for bad in ["type=User", "type=*", "actor=a%20b", "order=up", "limit=0", "after=x", "from=x", "what=x"] {
        let answer = app.manage("GET", &format!("/v1/audit/events?{bad}"), None).await.expect(400);
        assert_eq!(answer.code(), "invalid_query", "{bad}");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_export_over_http_verifies_and_an_altered_one_does_not() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    let answer = app.manage("GET", "/v1/audit/export", None).await.expect(200);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/x-ndjson");
    let verified = verify_export(answer.text.as_bytes()).expect("verifies");
    assert_eq!(verified.tenant, app.tenant.uuid());
    assert_eq!(verified.head.seq, seqs(&ask(&app, "limit=1").await)[0]);
    let altered = answer.text.replacen("user.created", "user.creates", 1);
    assert!(verify_export(altered.as_bytes()).is_err());
    let cut = answer.text.trim_end().rsplit_once('\n').unwrap().0;
    assert!(verify_export(cut.as_bytes()).is_err());
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_sees_its_own_ledger_only() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.another_tenant("other").await;
    let path = format!("/t/other/v1/audit/events?subject={}", ada.user);
    let theirs = app.core("GET", &path, Some(&app.platform_key), None).await.expect(200).json();
    assert!(seqs(&theirs).is_empty());
    app.finish().await;
}

/// Reads server-sent events until `count` entries came.
async fn follow(app: &TestApp, path: &str, seen: Option<&str>, count: usize) -> Vec<(i64, String)> {
    let mut asked = request("GET", &format!("/t/demo{path}"), Some(&app.platform_key), None);
    if let Some(seen) = seen {
        asked.headers_mut().insert("last-event-id", seen.parse().unwrap());
    }
    let answer = routes::router(ListenerName::Core, &app.state).oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let (mut body, mut text) = (answer.into_body(), String::new());
    while text.matches("\n\n").count() < count {
        let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await.expect("in time");
        text.push_str(std::str::from_utf8(&frame.unwrap().unwrap().into_data().unwrap()).unwrap());
    }
    let line = |event: &str, start: &str| {
        event.lines().find_map(|line| line.strip_prefix(start)).unwrap().trim().to_owned()
    };
    let events = text.split("\n\n").filter(|event| event.contains("data:"));
    events
        .map(|event| {
            let data: Value = serde_json::from_str(&line(event, "data:")).unwrap();
            assert_eq!(line(event, "id:"), data["seq"].to_string());
            (data["seq"].as_i64().unwrap(), data["type"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test]
async fn a_stream_goes_on_where_its_reader_stopped() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    let all = seqs(&ask(&app, "order=oldest").await);
    let first = follow(&app, "/v1/audit/stream?after=0", None, 2).await;
    let seen = first.last().unwrap().0;
    let rest =
        follow(&app, "/v1/audit/stream?after=0", Some(&seen.to_string()), all.len() - first.len()).await;
    let found: Vec<i64> = first.iter().chain(&rest).map(|(seq, _)| *seq).collect();
    assert_eq!(found, all);
    let (new, _) = tokio::join!(follow(&app, "/v1/audit/stream?type=user.created", None, 1), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        app.sign_up("grace@example.com").await.expect(202);
    });
    assert_eq!(new[0].1, "user.created");
    let bad = app.manage_with("GET", "/v1/audit/stream", ("last-event-id".parse().unwrap(), "x"), None).await;
    assert_eq!(bad.expect(400).code(), "invalid_query");
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_has_few_streams_at_once() {
    let app = TestApp::new().await;
    let router = routes::router(ListenerName::Core, &app.state);
    let open =
        || router.clone().oneshot(request("GET", "/t/demo/v1/audit/stream", Some(&app.platform_key), None));
    let mut streams = Vec::new();
    for _ in 0..plinto_actors::Limits::default().audit_streams {
        let answer = open().await.unwrap();
        assert_eq!(answer.status(), 200);
        streams.push(answer);
    }
    let refused = open().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    streams.pop();
    assert_eq!(open().await.unwrap().status(), 200);
    drop(streams);
    let other = app.core("GET", "/t/demo/v1/audit/stream", None, Some(json!({}))).await;
    assert_eq!(other.status, 401);
    app.finish().await;
}
