//! Feature flags: administered by services, asked for by them and by users.

use crate::app::{Answer, TestApp, Tokens};
use axum::http::header;
use serde_json::{Value, json};

impl TestApp {
    async fn new_flag(&self, body: Value) -> Answer {
        self.manage("POST", "/v1/flags", Some(body)).await
    }

    async fn change_flag(&self, key: &str, change: Value) -> Answer {
        self.manage("PATCH", &format!("/v1/flags/{key}"), Some(change)).await
    }

    async fn evaluated(&self, question: Value) -> Value {
        let answer = self.manage("POST", "/v1/flags/evaluate", Some(question)).await.expect(200).json();
        answer["evaluations"].clone()
    }

    /// Name of the variant a flag has for a subject, and why.
    async fn served(&self, flag: &str, subject: &str) -> (String, String) {
        let all = self.evaluated(json!({ "subject": subject, "flags": [flag] })).await;
        let text = |name: &str| all[0][name].as_str().unwrap_or_else(|| panic!("{name} in {all}")).to_owned();
        (text("variant"), text("reason"))
    }

    async fn my_flags(&self, user: &Tokens) -> Value {
        self.core("GET", "/v1/users/me/flags", Some(&user.access), None).await.expect(200).json()["flags"]
            .clone()
    }
}

fn etag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

fn to_all(variant: &str, condition: Value) -> Value {
    json!({ "rules": [{ "conditions": [condition], "variant": variant }] })
}

#[tokio::test]
async fn flags_are_made_listed_changed_and_deleted() {
    let app = TestApp::new().await;
    let made = app.new_flag(json!({ "key": "new-checkout", "type": "boolean" })).await.expect(201);
    let path = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!((path.as_str(), etag(&made).as_str()), ("/v1/flags/new-checkout", "\"1\""));
    let read = app.manage("GET", &path, None).await.expect(200);
    assert_eq!(read.json(), made.json());
    assert_eq!(read.json()["variants"][0], json!({ "name": "on", "value": true }));
    app.manage_with("GET", &path, (header::IF_NONE_MATCH, "\"1\""), None).await.expect(304);
    let again = app.new_flag(json!({ "key": "new-checkout", "type": "boolean" })).await.expect(409);
    assert_eq!(again.code(), "flag_key_taken");

    let text = json!({ "key": "banner", "type": "string", "off_variant": "none",
        "variants": [{ "name": "none", "value": "" }, { "name": "sale", "value": "Sale!" }] });
    app.new_flag(text).await.expect(201);
    let first = app.manage("GET", "/v1/flags?limit=1", None).await.expect(200).json();
    assert_eq!((first["items"][0]["key"].as_str(), first["next"].as_str()), (Some("banner"), Some("banner")));
    let rest = app.manage("GET", "/v1/flags?after=banner", None).await.expect(200).json();
    assert_eq!((rest["items"][0]["key"].as_str(), rest.get("next")), (Some("new-checkout"), None));

    let change = json!({ "default_variant": "on", "description": "the new one" });
    let tag = (header::IF_MATCH, "\"1\"");
    let changed = app.manage_with("PATCH", &path, tag.clone(), Some(change.clone())).await.expect(200);
    assert_eq!((etag(&changed).as_str(), &changed.json()["default_variant"]), ("\"2\"", &json!("on")));
    let same = app.manage("PATCH", &path, Some(change.clone())).await.expect(200);
    assert_eq!(etag(&same), "\"2\"", "what is so already is not written");
    let stale = app.manage_with("PATCH", &path, tag.clone(), Some(change)).await.expect(412);
    assert_eq!(stale.code(), "version_mismatch");
    app.manage_with("DELETE", &path, tag, None).await.expect(412);

    let page = app.manage("GET", "/v1/audit/events?subject=new-checkout", None).await.expect(200).json();
    let events: Vec<_> = page["items"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
    assert_eq!(events, ["flag.changed", "flag.created"]);
    assert_eq!(page["items"][0]["data"], json!({ "fields": ["description", "default_variant"] }));
    app.manage_with("DELETE", &path, (header::IF_MATCH, "\"2\""), None).await.expect(204);
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_flag");
    app.manage("DELETE", &path, None).await.expect(404);
    app.manage("GET", "/v1/flags/NO", None).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn bad_flags_and_questions_are_refused() {
    let app = TestApp::new().await;
    for (change, field) in [
        (json!({ "key": "evaluate" }), "key"),
        (json!({ "variants": [{ "name": "off", "value": "no" }] }), "variants"),
        (json!({ "default_variant": "maybe" }), "default_variant"),
        (json!({ "rules": [{ "variant": "maybe" }] }), "rules"),
        (json!({ "rules": [{ "rollout": [{ "variant": "on", "basis_points": 10_001 }] }] }), "rules"),
        (to_all("on", json!({ "attribute": "password", "operator": "present" })), "rules"),
        (
            to_all("on", json!({ "attribute": "role", "operator": "like", "values": ["a"] })),
            "rules.[0].conditions.[0].operator",
        ),
        (json!({ "type": "number" }), "variants"),
    ] {
        let mut body = json!({ "key": "flag", "type": "boolean" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = app.new_flag(body).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    app.new_flag(json!({ "key": "flag", "type": "boolean" })).await.expect(201);
    let refused = app.change_flag("flag", json!({ "off_variant": "maybe" })).await.expect(422);
    assert_eq!(refused.json()["errors"][0]["code"], "unknown_variant");
    app.change_flag("flag", json!({ "type": "string" })).await.expect(422);
    for question in [
        json!({ "subject": "" }),
        json!({ "subject": "x".repeat(257) }),
        json!({ "flags": vec!["flag"; 501] }),
        json!({ "context": [] }),
    ] {
        let refused = app.manage("POST", "/v1/flags/evaluate", Some(question)).await.expect(422);
        assert_eq!(refused.code(), "invalid_fields");
    }
    app.finish().await;
}

#[tokio::test]
async fn of_two_changes_of_one_version_one_is_refused() {
    let app = TestApp::new().await;
    app.new_flag(json!({ "key": "flag", "type": "boolean" })).await.expect(201);
    let change = |text: &str| {
        let tag = (header::IF_MATCH, "\"1\"");
        app.manage_with("PATCH", "/v1/flags/flag", tag, Some(json!({ "description": text })))
    };
    let (one, two) = tokio::join!(change("one"), change("two"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let new = || app.new_flag(json!({ "key": "same", "type": "boolean" }));
    let (one, two) = tokio::join!(new(), new());
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    app.finish().await;
}

#[tokio::test]
async fn values_follow_the_rules_at_once_and_say_why() {
    let app = TestApp::new().await;
    app.new_flag(json!({ "key": "flag", "type": "boolean" })).await.expect(201);
    let seen = async || {
        let one = &app
            .evaluated(json!({ "subject": "visitor-1", "flags": ["flag"], "context": { "plan": "gold" } }))
            .await[0];
        (
            one["value"].clone(),
            one["variant"].as_str().unwrap().to_owned(),
            one["reason"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(seen().await, (json!(false), "off".into(), "DEFAULT".into()));
    let gold = to_all("on", json!({ "attribute": "context.plan", "operator": "in", "values": ["gold"] }));
    app.change_flag("flag", gold).await.expect(200);
    assert_eq!(seen().await, (json!(true), "on".into(), "TARGETING_MATCH".into()));
    // printf 'flag/visitor-1' | sha256sum puts the visitor into part VISITOR_PART of 10000.
    for (share, expected) in [(VISITOR_PART + 1, "SPLIT"), (VISITOR_PART, "DEFAULT")] {
        let rollout = json!({ "rules": [{ "rollout": [{ "variant": "on", "basis_points": share }] }] });
        app.change_flag("flag", rollout).await.expect(200);
        assert_eq!(seen().await.2, expected, "{share}");
    }
    let nobody = app.evaluated(json!({ "flags": ["flag", "other", "NO"] })).await;
    assert_eq!(
        (&nobody[0]["reason"], &nobody[0]["error_code"], &nobody[0]["value"]),
        (&json!("ERROR"), &json!("TARGETING_KEY_MISSING"), &json!(false))
    );
    for (missing, key) in [(1, "other"), (2, "NO")] {
        let expected =
            json!({ "flag": key, "value": null, "reason": "ERROR", "error_code": "FLAG_NOT_FOUND" });
        assert_eq!(nobody[missing], expected);
    }
    app.change_flag("flag", json!({ "enabled": false })).await.expect(200);
    assert_eq!(seen().await, (json!(false), "off".into(), "DISABLED".into()));
    app.manage("DELETE", "/v1/flags/flag", None).await.expect(204);
    assert_eq!(app.evaluated(json!({})).await, json!([]));
    app.finish().await;
}

/// The part of `visitor-1` for the flag `flag`.
const VISITOR_PART: u32 = 4_953;

#[tokio::test]
async fn users_are_told_of_their_flags_but_not_of_those_for_servers() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada@example.com").await, app.user("eve@example.com").await);
    let only_ada = json!({ "attribute": "subject", "operator": "in", "values": [ada.user] });
    let mut flag = json!({ "key": "flag", "type": "boolean" });
    flag.as_object_mut().unwrap().extend(to_all("on", only_ada).as_object().unwrap().clone());
    app.new_flag(flag).await.expect(201);
    app.new_flag(json!({ "key": "secret", "type": "boolean", "server_only": true })).await.expect(201);
    let mine = app.my_flags(&ada).await;
    let expected =
        json!({ "flag": { "value": true, "variant": "on", "reason": "TARGETING_MATCH", "version": 1 } });
    assert_eq!(mine, expected);
    assert_eq!(app.my_flags(&eve).await["flag"]["reason"], "DEFAULT");
    app.change_flag("flag", json!({ "server_only": true })).await.expect(200);
    assert_eq!(app.my_flags(&ada).await, json!({}));
    assert_eq!(app.served("flag", &ada.user).await.1, "TARGETING_MATCH");
    app.core("GET", "/v1/users/me/flags", Some(&app.platform_key), None).await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn segments_follow_what_is_known_of_a_user_at_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada@Example.COM").await;
    app.new_flag(json!({ "key": "flag", "type": "boolean" })).await.expect(201);
    let matches = async |condition: Value| {
        app.change_flag("flag", to_all("on", condition)).await.expect(200);
        app.served("flag", &ada.user).await.1 == "TARGETING_MATCH"
    };
    let still = async || app.served("flag", &ada.user).await.1 == "TARGETING_MATCH";

    assert!(!matches(json!({ "attribute": "metadata.plan", "operator": "in", "values": ["gold"] })).await);
    let user = format!("/v1/users/{}", ada.user);
    app.manage("PATCH", &user, Some(json!({ "public_metadata": { "plan": "gold" } }))).await.expect(200);
    assert!(still().await);
    app.manage("PATCH", &user, Some(json!({ "private_metadata": { "plan": "lead" } }))).await.expect(200);
    assert!(still().await, "private metadata is not looked at");

    assert!(
        !matches(json!({ "attribute": "email_domain", "operator": "in", "values": ["example.com"] })).await
    );
    let emails = app.manage("GET", &format!("{user}/emails"), None).await.expect(200).json();
    let email = emails["items"][0]["id"].as_str().unwrap();
    app.manage("POST", &format!("{user}/emails/{email}/mark-verified"), None).await.expect(200);
    assert!(still().await, "the address is proved now");

    let acme = app.organization("acme", &app.user("owner@example.com").await.user).await;
    assert!(!matches(json!({ "attribute": "organization", "operator": "in", "values": [acme] })).await);
    app.join(&acme, &ada.user, "member").await.expect(201);
    assert!(still().await);
    assert!(matches(json!({ "attribute": "role", "operator": "in", "values": ["member"] })).await);

    assert!(!matches(json!({ "attribute": "role", "operator": "in", "values": ["reader"] })).await);
    app.role("reader", &["doc:read"], &[]).await.expect(201);
    app.role("editor", &["doc:write"], &["reader"]).await.expect(201);
    app.grant(json!({ "subject": ada.user, "role": "editor" })).await.expect(201);
    assert!(still().await, "whoever inherits a role has it");

    app.manage("DELETE", &format!("/v1/organizations/{acme}/members/{}", ada.user), None).await.expect(204);
    assert!(matches(json!({ "attribute": "organization", "operator": "not_in", "values": [acme] })).await);
    assert!(!matches(json!({ "attribute": "subject", "operator": "not_in", "values": [ada.user] })).await);
    app.finish().await;
}

#[tokio::test]
async fn flags_of_other_tenants_are_unknown() {
    let app = TestApp::new().await;
    app.new_flag(json!({ "key": "flag", "type": "boolean" })).await.expect(201);
    let (_, key) = app.another_tenant("other").await;
    assert_eq!(app.core("GET", "/v1/flags", Some(&key), None).await.expect(403).code(), "forbidden");
    let ask = json!({ "flags": ["flag"] });
    let answer = app.core("POST", "/t/other/v1/flags/evaluate", Some(&app.platform_key), Some(ask)).await;
    assert_eq!(answer.expect(200).json()["evaluations"][0]["error_code"], "FLAG_NOT_FOUND");
    let body = json!({ "key": "flag", "type": "boolean" });
    app.core("POST", "/t/other/v1/flags", Some(&app.platform_key), Some(body)).await.expect(201);
    app.finish().await;
}
