//! The AuthZEN Authorization API, to the letter, and the explanation of a decision.

use crate::app::{Answer, BASE, TestApp, request};
use axum::body::Body;
use axum::http::{Request, header};
use plinto_http::ListenerName;
use serde_json::{Value, json};
use std::time::Duration;

impl TestApp {
    async fn access(&self, path: &str, body: &Value) -> Answer {
        self.manage("POST", &format!("/access/v1/{path}"), Some(body.clone())).await
    }

    async fn may(&self, user: &str, action: &str, resource: Value) -> bool {
        let answer = self.access("evaluation", &question(user, action, resource)).await.expect(200).json();
        answer["decision"].as_bool().expect("a decision is a boolean")
    }
}

fn user(id: &str) -> Value {
    json!({ "type": "user", "id": id })
}

fn doc(id: &str) -> Value {
    json!({ "type": "doc", "id": id })
}

fn question(id: &str, action: &str, resource: Value) -> Value {
    json!({ "subject": user(id), "action": { "name": action }, "resource": resource })
}

const ACME: &str = "org_00000000000000000000000000000001";

#[tokio::test]
async fn decisions_follow_what_is_granted_at_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    assert!(!app.may(&ada, "read", doc("1")).await);
    let reader =
        app.role("reader", &["doc:read"], &[]).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let grant = app.grant(json!({ "subject": ada, "role": "reader" })).await.expect(201).json();
    assert!(app.may(&ada, "read", doc("1")).await);
    assert!(!app.may(&ada, "write", doc("1")).await);
    let change = Some(json!({ "permissions": ["doc:write"] }));
    app.manage("PATCH", &format!("/v1/roles/{reader}"), change).await.expect(200);
    assert!(!app.may(&ada, "read", doc("1")).await && app.may(&ada, "write", doc("1")).await);
    app.manage("DELETE", &format!("/v1/grants/{}", grant["id"].as_str().unwrap()), None).await.expect(204);
    assert!(!app.may(&ada, "write", doc("1")).await);

    let end = 1_800_000_000_000_i64 + 60_000;
    let on_one = json!({ "subject": ada, "permission": "doc:*", "resource": "doc:1", "expires_at": end });
    app.grant(on_one).await.expect(201);
    assert!(app.may(&ada, "burn", doc("1")).await && !app.may(&ada, "burn", doc("2")).await);
    app.advance(Duration::from_secs(60));
    assert!(!app.may(&ada, "burn", doc("1")).await, "a grant in memory expires as well");

    app.grant(json!({ "subject": ada, "permission": "doc:read", "organization": ACME })).await.expect(201);
    let of_acme = json!({ "type": "doc", "id": "9", "properties": { "organization": ACME } });
    assert!(app.may(&ada, "read", of_acme).await && !app.may(&ada, "read", doc("9")).await);
    app.finish().await;
}

#[tokio::test]
async fn strangers_may_nothing_and_are_no_error() {
    let app = TestApp::new().await;
    for (kind, id) in [
        ("user", "alice"),
        ("spaceship", "usr_00000000000000000000000000000001"),
        ("service_account", "usr_00000000000000000000000000000001"),
        ("user", "usr_00000000000000000000000000000001"),
    ] {
        let body = json!({ "subject": { "type": kind, "id": id }, "action": { "name": "read" }, "resource": doc("1") });
        assert_eq!(app.access("evaluation", &body).await.expect(200).json(), json!({ "decision": false }));
    }
    app.finish().await;
}

#[tokio::test]
async fn unknown_members_are_ignored_and_wrong_requests_are_400() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    app.grant(json!({ "subject": ada, "permission": "doc:read" })).await.expect(201);
    let mut good = question(&ada, "read", doc("1"));
    (good["future"], good["subject"]["more"]) = (json!({ "nested": true }), json!(1));
    good["context"] = json!({ "time": "2026-01-11T00:00:00Z" });
    good["action"]["properties"] = json!({ "method": "GET" });
    assert_eq!(app.access("evaluation", &good).await.expect(200).json(), json!({ "decision": true }));

    let without = |path: &[&str]| {
        let mut body = question(&ada, "read", doc("1"));
        let (last, before) = path.split_last().unwrap();
        let parent = before.iter().fold(&mut body, |value, step| &mut value[*step]);
        parent.as_object_mut().unwrap().remove(*last);
        body
    };
    let mut bad = vec![json!({})];
    for path in [&["subject"][..], &["action"], &["resource"], &["subject", "type"], &["subject", "id"]] {
        bad.push(without(path));
    }
    bad.extend([without(&["action", "name"]), without(&["resource", "type"]), without(&["resource", "id"])]);
    for (member, value) in
        [("subject", json!("alice")), ("action", json!({ "name": 1 })), ("context", json!("x"))]
    {
        let mut body = question(&ada, "read", doc("1"));
        body[member] = value;
        bad.push(body);
    }
    for body in bad {
        let answer = app.access("evaluation", &body).await.expect(400);
        assert_eq!(answer.code(), "invalid_request", "{body}");
    }
    for (media, text) in [("text/plain", "{}"), ("application/json", ""), ("application/json", "{")] {
        let raw = Request::post("/t/demo/access/v1/evaluation")
            .header(header::AUTHORIZATION, format!("Bearer {}", app.platform_key))
            .header(header::CONTENT_TYPE, media)
            .body(Body::from(text))
            .unwrap();
        app.send(ListenerName::Core, raw).await.expect(400);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_request_id_comes_back_also_with_a_refusal() {
    let app = TestApp::new().await;
    for (path, bearer, status) in [
        ("/t/demo/access/v1/evaluation", Some(app.platform_key.as_str()), 400),
        ("/t/demo/access/v1/search/action", None, 401),
    ] {
        let mut asked = request("POST", path, bearer, Some(json!({})));
        asked.headers_mut().insert("x-request-id", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716".parse().unwrap());
        let answer = app.send(ListenerName::Core, asked).await.expect(status);
        assert_eq!(answer.headers["x-request-id"], "bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
    }
    let ours = app.access("evaluation", &json!({})).await.expect(400);
    assert_eq!(ours.headers["x-request-id"].len(), 32, "without one of the caller's it is the trace");
    app.finish().await;
}

#[tokio::test]
async fn several_questions_have_defaults_order_and_semantics() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    app.grant(json!({ "subject": ada, "permission": "doc:read", "resource": "doc:1" })).await.expect(201);
    app.grant(json!({ "subject": ada, "permission": "doc:read", "resource": "doc:3" })).await.expect(201);
    let ask = async |semantic: Option<&str>, evaluations: Value| {
        let mut body =
            json!({ "subject": user(&ada), "action": { "name": "read" }, "evaluations": evaluations });
        if let Some(semantic) = semantic {
            body["options"] = json!({ "evaluations_semantic": semantic, "another": 1 });
        }
        let answer = app.access("evaluations", &body).await.expect(200).json();
        assert!(answer.get("decision").is_none());
        let decisions = answer["evaluations"].as_array().unwrap().iter();
        decisions.map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    let three = json!([{ "resource": doc("1") }, { "resource": doc("2") }, { "resource": doc("3") }]);
    assert_eq!(ask(None, three.clone()).await, [true, false, true]);
    assert_eq!(ask(Some("execute_all"), three.clone()).await, [true, false, true]);
    assert_eq!(ask(Some("deny_on_first_deny"), three.clone()).await, [true, false]);
    assert_eq!(ask(Some("permit_on_first_permit"), three.clone()).await, [true]);
    let own = json!([{ "resource": doc("1"), "action": { "name": "write" } }, { "resource": doc("1"), "subject": "x" }, {}]);
    assert_eq!(ask(None, own).await, [false; 3], "what cannot be evaluated is denied");
    let bad =
        json!({ "subject": user(&ada), "evaluations": [{}], "options": { "evaluations_semantic": "maybe" } });
    assert_eq!(app.access("evaluations", &bad).await.expect(400).code(), "invalid_request");

    for no_question in [json!([]), json!(null), json!(7)] {
        let bad =
            json!({ "subject": user(&ada), "action": { "name": "read" }, "evaluations": [no_question] });
        assert_eq!(app.access("evaluations", &bad).await.expect(400).code(), "invalid_request");
    }
    let no_object =
        json!({ "subject": ["user", "x", null], "action": { "name": "read" }, "resource": doc("1") });
    assert_eq!(app.access("evaluation", &no_object).await.expect(400).code(), "invalid_request");
    let error = json!({ "subject": user(&ada), "action": { "name": "read" }, "evaluations": [{}] });
    let error = app.access("evaluations", &error).await.expect(200).json();
    assert_eq!(error["evaluations"][0]["context"]["error"]["status"], 400);
    let merged = json!({ "subject": user(&ada), "action": { "name": "read" }, "resource": { "type": "doc" },
        "evaluations": [{ "resource": { "id": "1" } }, { "resource": { "id": "2" } }] });
    let merged = app.access("evaluations", &merged).await.expect(200).json();
    assert_eq!(merged, json!({ "evaluations": [{ "decision": true }, { "decision": false }] }));
    for evaluations in [None, Some(json!([]))] {
        let mut one = question(&ada, "read", doc("1"));
        if let Some(evaluations) = evaluations {
            one["evaluations"] = evaluations;
        }
        assert_eq!(app.access("evaluations", &one).await.expect(200).json(), json!({ "decision": true }));
    }
    assert_eq!(app.access("evaluations", &json!({})).await.expect(400).code(), "invalid_request");
    let many = json!({ "evaluations": vec![json!({}); 501] });
    app.access("evaluations", &many).await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn searches_find_who_what_and_on_what_page_by_page() {
    let app = TestApp::new().await;
    let mut users = Vec::new();
    for name in ["a", "b", "c", "d"] {
        users.push(app.user(&format!("{name}@example.com")).await.user);
    }
    users.sort();
    let [a, b, c, d] = users.as_slice() else { panic!("four users") };
    app.role("reader", &["doc:read", "doc:list"], &[]).await.expect(201);
    for body in [
        json!({ "subject": a, "role": "reader" }),
        json!({ "subject": b, "permission": "doc:read", "resource": "doc:1" }),
        json!({ "subject": b, "permission": "doc:*", "resource": "doc:2" }),
        json!({ "subject": c, "permission": "doc:write", "resource": "doc:1" }),
        json!({ "subject": d, "permission": "*:read", "organization": ACME }),
    ] {
        app.grant(body).await.expect(201);
    }
    let mut of_acme = doc("1");
    of_acme["properties"] = json!({ "organization": ACME });
    let who = json!({ "subject": { "type": "user" }, "action": { "name": "read" }, "resource": of_acme });
    let all = app.access("search/subject", &who).await.expect(200).json();
    assert_eq!(all["results"], json!([user(a), user(b), user(d)]));
    assert_eq!(all["page"], json!({ "next_token": "", "count": 3 }));

    let (mut found, mut token) = (Vec::new(), Value::Null);
    for _ in 0..4 {
        let mut body = who.clone();
        body["page"] = json!({ "limit": 1 });
        if !token.is_null() {
            body["page"]["token"] = token.clone();
        }
        let page = app.access("search/subject", &body).await.expect(200).json();
        found.extend(page["results"].as_array().unwrap().clone());
        token = page["page"]["next_token"].clone();
        if token == "" {
            break;
        }
        let mut other = body.clone();
        other["action"]["name"] = json!("write");
        other["page"]["token"] = token.clone();
        app.access("search/subject", &other).await.expect(400);
    }
    assert_eq!((json!(found), token), (all["results"].clone(), json!("")));

    let what = json!({ "subject": user(b), "action": { "name": "read" }, "resource": { "type": "doc", "id": "ignored" } });
    let documents = app.access("search/resource", &what).await.expect(200).json();
    assert_eq!(documents["results"], json!([doc("1"), doc("2")]));
    let mut first = what.clone();
    first["page"] = json!({ "limit": 1 });
    let page = app.access("search/resource", &first).await.expect(200).json();
    assert_eq!(page["results"], json!([doc("1")]));
    first["page"]["token"] = page["page"]["next_token"].clone();
    assert_eq!(app.access("search/resource", &first).await.expect(200).json()["results"], json!([doc("2")]));
    let of =
        json!({ "subject": user(d), "action": { "name": "read" }, "resource": { "type": "organization" } });
    let organizations = app.access("search/resource", &of).await.expect(200).json();
    assert_eq!(organizations["results"], json!([{ "type": "organization", "id": ACME }]));

    let actions = json!({ "subject": user(b), "resource": doc("2") });
    let names = app.access("search/action", &actions).await.expect(200).json();
    assert_eq!(names["results"], json!([{ "name": "list" }, { "name": "read" }]));
    for result in names["results"].as_array().unwrap() {
        assert!(app.may(b, result["name"].as_str().unwrap(), doc("2")).await, "what is found is permitted");
    }
    app.finish().await;
}

#[tokio::test]
async fn searches_of_the_unknown_are_empty_and_of_the_incomplete_400() {
    let app = TestApp::new().await;
    let read = json!({ "name": "read" });
    for (path, body) in [
        ("subject", json!({ "subject": { "type": "spaceship" }, "action": read, "resource": doc("1") })),
        ("resource", json!({ "subject": user("nobody"), "action": read, "resource": { "type": "doc" } })),
        ("action", json!({ "subject": user("nobody"), "resource": doc("1"), "page": { "limit": 0 } })),
    ] {
        let answer = app.access(&format!("search/{path}"), &body).await.expect(200).json();
        assert_eq!(answer["results"], json!([]), "{path}");
        for missing in body.as_object().unwrap().keys().filter(|key| *key != "page") {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove(missing);
            app.access(&format!("search/{path}"), &body).await.expect(400);
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn metadata_stands_where_the_standard_inserts_it() {
    let app = TestApp::new().await;
    for path in ["/.well-known/authzen-configuration/t/demo", "/t/demo/.well-known/authzen-configuration"] {
        let answer = app.core("GET", path, None, None).await.expect(200);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
        let point = format!("{BASE}/t/demo");
        assert_eq!(answer.json()["policy_decision_point"], json!(point));
        for (member, path) in [
            ("access_evaluation_endpoint", "evaluation"),
            ("access_evaluations_endpoint", "evaluations"),
            ("search_subject_endpoint", "search/subject"),
            ("search_resource_endpoint", "search/resource"),
            ("search_action_endpoint", "search/action"),
        ] {
            assert_eq!(answer.json()[member], json!(format!("{point}/access/v1/{path}")));
        }
    }
    let unknown = app.core("GET", "/.well-known/authzen-configuration/t/nobody", None, None).await;
    assert_eq!(unknown.expect(404).code(), "unknown_tenant");
    app.finish().await;
}

#[tokio::test]
async fn a_decision_is_explained() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    app.role("reader", &["doc:read"], &[]).await.expect(201);
    app.role("editor", &["doc:write"], &["reader"]).await.expect(201);
    let grant = app.grant(json!({ "subject": ada, "role": "editor" })).await.expect(201).json();
    let explain = async |action: &str| {
        let path = format!("/v1/authz/explain?subject={ada}&action={action}&resource=doc:1");
        app.manage("GET", &path, None).await.expect(200).json()
    };
    let reason = json!({ "permission": "doc:read", "grant": grant["id"], "roles": ["editor", "reader"] });
    assert_eq!(explain("read").await, json!({ "decision": true, "decided_by": "grant", "reason": reason }));
    assert_eq!(explain("burn").await, json!({ "decision": false, "decided_by": "none" }));
    for bad in ["subject=x&action=a&resource=a:b", "subject=usr_1", "action=a"] {
        let answer = app.manage("GET", &format!("/v1/authz/explain?{bad}"), None).await.expect(400);
        assert_eq!(answer.code(), "invalid_query", "{bad}");
    }
    app.finish().await;
}
