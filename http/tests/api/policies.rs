//! Policies: versions that are validated, tried, activated and rolled back, and what they do to decisions.

use crate::app::{Answer, TestApp};
use axum::http::header;
use serde_json::{Value, json};

const SCHEMA: &str = "
    entity organization;
    entity role;
    entity user in [organization, role] { metadata?: { plan?: String }, email_domain?: String };
    entity service_account in [role];
    entity document in [organization] { public?: Bool };
    action read, write appliesTo { principal: [user, service_account], resource: document, context: { mfa?: Bool } };
";
const PUBLIC: &str = "@id(\"public\") permit(principal, action == Action::\"read\", resource) when { resource has public && resource.public };";
const MFA: &str = "@id(\"mfa\") forbid(principal, action == Action::\"write\", resource) unless { context has mfa && context.mfa };";

impl TestApp {
    async fn new_version(&self, policies: &str) -> Answer {
        let body = json!({ "schema": SCHEMA, "policies": policies, "note": "a version" });
        self.manage("POST", "/v1/policies/versions", Some(body)).await
    }

    async fn activate(&self, version: Value) -> Answer {
        self.manage("PUT", "/v1/policies/active", Some(json!({ "version": version }))).await
    }

    /// Stores policies and makes them the active ones.
    async fn enforce(&self, policies: &str) -> i64 {
        let version = self.new_version(policies).await.expect(201).json()["version"].as_i64().unwrap();
        self.activate(json!(version)).await.expect(200);
        version
    }

    async fn decides(&self, user: &str, action: &str, properties: Value, context: Value) -> bool {
        let body = question(user, action, properties, context);
        let answer = self.manage("POST", "/access/v1/evaluation", Some(body)).await.expect(200).json();
        answer["decision"].as_bool().unwrap()
    }

    async fn explains(&self, user: &str, action: &str, beside: &str) -> Value {
        let path = format!("/v1/authz/explain?subject={user}&action={action}&resource=document:1{beside}");
        self.manage("GET", &path, None).await.expect(200).json()
    }
}

fn question(user: &str, action: &str, properties: Value, context: Value) -> Value {
    json!({
        "subject": { "type": "user", "id": user }, "action": { "name": action },
        "resource": { "type": "document", "id": "1", "properties": properties }, "context": context,
    })
}

fn etag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn versions_are_stored_listed_activated_rolled_back_and_deleted() {
    let app = TestApp::new().await;
    let none = app.manage("GET", "/v1/policies/active", None).await.expect(200);
    assert_eq!((none.json(), etag(&none).as_str()), (json!({ "version": null }), "\"0\""));
    let first = app.new_version(PUBLIC).await.expect(201);
    assert_eq!(first.headers[header::LOCATION], "/v1/policies/versions/1");
    let read = app.manage("GET", "/v1/policies/versions/1", None).await.expect(200).json();
    assert_eq!(read, first.json());
    assert_eq!(
        (&read["version"], &read["policy_count"], &read["active"], &read["policies"]),
        (&json!(1), &json!(1), &json!(false), &json!(PUBLIC))
    );
    let second = app.new_version(&format!("{PUBLIC}{MFA}")).await.expect(201).json();
    assert_eq!((&second["version"], &second["policy_count"]), (&json!(2), &json!(2)));
    let page = app.manage("GET", "/v1/policies/versions?limit=1", None).await.expect(200).json();
    assert_eq!((&page["items"][0]["version"], page["items"][0].get("policies")), (&json!(2), None));
    let rest = format!("/v1/policies/versions?after={}", page["next"].as_str().unwrap());
    let rest = app.manage("GET", &rest, None).await.expect(200).json();
    assert_eq!((&rest["items"][0]["version"], rest.get("next")), (&json!(1), None));

    let active = "/v1/policies/active";
    let choose = |tag: &'static str, version: Value| {
        app.manage_with("PUT", active, (header::IF_MATCH, tag), Some(json!({ "version": version })))
    };
    let chosen = choose("\"0\"", json!(2)).await.expect(200);
    assert_eq!((chosen.json(), etag(&chosen).as_str()), (json!({ "version": 2 }), "\"1\""));
    assert_eq!(choose("\"0\"", json!(1)).await.expect(412).code(), "version_mismatch");
    assert_eq!(app.activate(json!(9)).await.expect(404).code(), "unknown_policy_version");
    let again = choose("\"1\"", json!(2)).await.expect(200);
    assert_eq!(etag(&again), "\"1\"", "what is so already is not written");
    let refused = app.manage("DELETE", "/v1/policies/versions/2", None).await.expect(409);
    assert_eq!(refused.code(), "policy_version_active");
    let back = choose("\"1\"", json!(1)).await.expect(200);
    assert_eq!((back.json(), etag(&back).as_str()), (json!({ "version": 1 }), "\"2\""));
    app.manage("DELETE", "/v1/policies/versions/2", None).await.expect(204);
    let gone = app.manage("GET", "/v1/policies/versions/2", None).await.expect(404);
    assert_eq!(gone.code(), "unknown_policy_version");
    let third = app.new_version("").await.expect(201).json();
    assert_eq!(third["version"], 3, "a number is not used again");
    app.manage("GET", "/v1/policies/versions/x", None).await.expect(404);

    let page = app.manage("GET", "/v1/audit/events?type=policy.*", None).await.expect(200).json();
    let events: Vec<_> = page["items"].as_array().unwrap().iter().rev().map(|e| e["type"].clone()).collect();
    let expected = [
        "version_created",
        "version_created",
        "activated",
        "activated",
        "version_deleted",
        "version_created",
    ];
    assert_eq!(events, expected.map(|name| format!("policy.{name}")));
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_valid_is_refused_with_the_reason() {
    let app = TestApp::new().await;
    for (schema, policies, field, code) in [
        (
            json!(SCHEMA),
            "permit(principal, action, resource) when { resource.public };",
            "policies",
            "invalid_policies",
        ),
        (json!(SCHEMA), "permit(", "policies", "invalid_policies"),
        (json!(SCHEMA), "permit(principal == ?principal, action, resource);", "policies", "policy_template"),
        (json!("entity"), "", "schema", "invalid_schema"),
        (json!({ "": 1 }), "", "schema", "invalid_schema"),
        (json!(7), "", "schema", "invalid_schema"),
    ] {
        let body = json!({ "schema": schema, "policies": policies });
        let refused =
            app.manage("POST", "/v1/policies/versions", Some(body.clone())).await.expect(422).json();
        let error = &refused["errors"][0];
        assert_eq!((error["field"].as_str(), error["code"].as_str()), (Some(field), Some(code)), "{refused}");
        assert!(!error["detail"].as_str().unwrap().is_empty());
        let draft = json!({ "draft": body });
        app.manage("POST", "/v1/policies/dry-run", Some(draft)).await.expect(422);
    }
    let long = json!({ "schema": SCHEMA, "policies": "", "note": "x".repeat(501) });
    app.manage("POST", "/v1/policies/versions", Some(long)).await.expect(422);
    for body in [
        json!({}),
        json!({ "version": 1, "draft": { "schema": SCHEMA, "policies": "" } }),
        json!({ "draft": { "schema": SCHEMA, "policies": "" }, "evaluations": vec![question("x", "read", json!({}), json!({})); 101] }),
    ] {
        app.manage("POST", "/v1/policies/dry-run", Some(body)).await.expect(422);
    }
    let unknown = app.manage("POST", "/v1/policies/dry-run", Some(json!({ "version": 7 }))).await.expect(404);
    assert_eq!(unknown.code(), "unknown_policy_version");
    app.activate(json!("one")).await.expect(422);
    app.manage("PUT", "/v1/policies/active", Some(json!({}))).await.expect(422);
    app.finish().await;
}

#[tokio::test]
async fn policies_permit_beside_grants_and_forbid_above_them_at_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    let (nothing, public) = (json!({}), json!({ "public": true }));
    app.grant(json!({ "subject": ada, "permission": "document:write" })).await.expect(201);
    assert!(!app.decides(&ada, "read", public.clone(), nothing.clone()).await);
    assert!(app.decides(&ada, "write", nothing.clone(), nothing.clone()).await);

    let version = app.enforce(&format!("{PUBLIC}{MFA}")).await;
    assert!(app.decides(&ada, "read", public.clone(), nothing.clone()).await, "a policy permits");
    assert!(
        !app.decides(&ada, "read", nothing.clone(), nothing.clone()).await,
        "by default nothing is permitted"
    );
    assert!(
        !app.decides(&ada, "write", nothing.clone(), nothing.clone()).await,
        "a policy forbids what is granted"
    );
    assert!(
        app.decides(&ada, "write", nothing.clone(), json!({ "mfa": true })).await,
        "the grant counts again"
    );
    assert!(
        !app.decides(&ada, "write", nothing.clone(), json!({ "mfa": "yes" })).await,
        "what does not fit is denied"
    );

    let forbidden = app.explains(&ada, "write", "").await;
    assert_eq!((&forbidden["decision"], &forbidden["decided_by"]), (&json!(false), &json!("policy")));
    let said = json!({ "version": version, "covered": true, "decided": ["mfa"], "errors": [] });
    assert_eq!(forbidden["policies"], said);
    assert_eq!(forbidden["reason"]["permission"], "document:write", "what is granted is told all the same");
    let granted = app.explains(&ada, "write", "&context=%7B%22mfa%22:true%7D").await;
    assert_eq!((&granted["decision"], &granted["decided_by"]), (&json!(true), &json!("grant")));
    let permitted = app.explains(&ada, "read", "&properties=%7B%22public%22:true%7D").await;
    assert_eq!(
        (&permitted["decided_by"], &permitted["policies"]["decided"]),
        (&json!("policy"), &json!(["public"]))
    );
    let failed = app.explains(&ada, "read", "&properties=%7B%22public%22:7%7D").await;
    assert_eq!((&failed["decision"], &failed["decided_by"]), (&json!(false), &json!("policy_error")));
    assert_eq!(failed["policies"]["errors"].as_array().unwrap().len(), 1);
    let bad = format!("/v1/authz/explain?subject={ada}&action=read&resource=document:1&context=[]");
    assert_eq!(app.manage("GET", &bad, None).await.expect(400).code(), "invalid_query");

    app.activate(json!(null)).await.expect(200);
    assert!(!app.decides(&ada, "read", public, nothing.clone()).await);
    assert!(
        app.decides(&ada, "write", nothing.clone(), nothing).await,
        "without policies grants alone decide"
    );
    app.finish().await;
}

#[tokio::test]
async fn policies_follow_what_is_known_of_a_user_at_once() {
    let app = TestApp::new().await;
    let (ada, owner) = (app.user("ada@example.com").await.user, app.user("owner@example.com").await.user);
    let may = async || app.decides(&ada, "read", json!({}), json!({})).await;
    app.enforce("permit(principal is user, action, resource) when { principal has metadata.plan && principal.metadata.plan == \"gold\" };").await;
    assert!(!may().await);
    let user = format!("/v1/users/{ada}");
    let plan = |plan: Value| Some(json!({ "public_metadata": { "plan": plan, "unknown": 1.5 } }));
    app.manage("PATCH", &user, plan(json!("gold"))).await.expect(200);
    assert!(may().await);
    app.manage("PATCH", &user, plan(json!(7))).await.expect(200);
    assert_eq!(app.explains(&ada, "read", "").await["decided_by"], "policy_error");
    app.manage("PATCH", &user, plan(json!(null))).await.expect(200);

    app.enforce("permit(principal in role::\"editor\", action, resource);").await;
    assert!(!may().await);
    app.role("editor", &[], &[]).await.expect(201);
    app.role("chief", &[], &["editor"]).await.expect(201);
    let end = 1_800_000_000_000_i64 + 60_000;
    app.grant(json!({ "subject": ada, "role": "chief", "expires_at": end })).await.expect(201);
    assert!(may().await, "whoever inherits a role has it");
    app.advance(std::time::Duration::from_secs(60));
    assert!(!may().await, "a role in memory expires as well");

    let acme = app.organization("acme", &owner).await;
    app.enforce("permit(principal, action, resource) when { principal in organization::\"ORG\" && resource in organization::\"ORG\" };".replace("ORG", &acme).as_str()).await;
    let in_acme = async || app.decides(&ada, "read", json!({ "organization": acme }), json!({})).await;
    assert!(!in_acme().await);
    app.join(&acme, &ada, "member").await.expect(201);
    assert!(in_acme().await && !may().await, "only what belongs to it");

    app.enforce("permit(principal, action, resource);").await;
    let nobody = "usr_00000000000000000000000000000001";
    assert!(
        may().await && !app.decides(nobody, "read", json!({}), json!({})).await,
        "who is not there may nothing"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_says_what_would_change() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await.user;
    app.grant(json!({ "subject": ada, "permission": "document:write" })).await.expect(201);
    let questions = json!([
        question(&ada, "read", json!({ "public": true }), json!({})),
        question(&ada, "write", json!({}), json!({})),
        question("usr_00000000000000000000000000000001", "read", json!({}), json!({})),
        question("alice", "read", json!({}), json!({})),
    ]);
    let draft = json!({ "draft": { "schema": SCHEMA, "policies": format!("{PUBLIC}{MFA}") }, "evaluations": questions });
    let run = app.manage("POST", "/v1/policies/dry-run", Some(draft.clone())).await.expect(200).json();
    let read = &run["evaluations"][0];
    assert_eq!(
        (&read["tried"]["decision"], &read["active"]["decision"], &read["changed"]),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(read["tried"]["policies"], json!({ "covered": true, "decided": ["public"], "errors": [] }));
    assert_eq!(read["active"], json!({ "decision": false, "decided_by": "none" }));
    let write = &run["evaluations"][1];
    assert_eq!(
        (&write["tried"]["decided_by"], &write["active"]["decided_by"]),
        (&json!("policy"), &json!("grant"))
    );
    for stranger in [2, 3] {
        assert_eq!(run["evaluations"][stranger]["changed"], false);
    }
    assert_eq!(run["changed"], 2);
    assert!(app.decides(&ada, "write", json!({}), json!({})).await, "nothing was changed");
    assert_eq!(app.manage("GET", "/v1/policies/versions", None).await.expect(200).json()["items"], json!([]));

    let version = app.enforce(PUBLIC).await;
    let stored = json!({ "version": version, "evaluations": questions });
    let run = app.manage("POST", "/v1/policies/dry-run", Some(stored)).await.expect(200).json();
    assert_eq!(run["changed"], 0, "against itself nothing changes: {run}");
    assert_eq!(run["evaluations"][0]["tried"], run["evaluations"][0]["active"]);
    let run = app.manage("POST", "/v1/policies/dry-run", Some(draft)).await.expect(200).json();
    assert_eq!((run["changed"].as_u64(), &run["evaluations"][1]["changed"]), (Some(1), &json!(true)));
    app.finish().await;
}

#[tokio::test]
async fn searches_leave_out_what_policies_forbid() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada@example.com").await.user, app.user("eve@example.com").await.user);
    for user in [&ada, &eve] {
        app.grant(json!({ "subject": user, "permission": "document:read", "resource": "document:1" }))
            .await
            .expect(201);
        app.grant(json!({ "subject": user, "permission": "invoice:read", "resource": "invoice:1" }))
            .await
            .expect(201);
    }
    app.enforce(&format!("forbid(principal == user::\"{eve}\", action, resource); forbid(principal, action, resource == document::\"2\");")).await;
    app.grant(json!({ "subject": ada, "permission": "document:read", "resource": "document:2" }))
        .await
        .expect(201);
    let search = async |what: &str, body: Value| {
        let path = format!("/access/v1/search/{what}");
        app.manage("POST", &path, Some(body)).await.expect(200).json()["results"].clone()
    };
    let subject = |id: &str| json!({ "type": "user", "id": id });
    for kind in ["document", "invoice"] {
        let who = json!({ "subject": { "type": "user" }, "action": { "name": "read" }, "resource": { "type": kind, "id": "1" } });
        assert_eq!(
            search("subject", who).await,
            json!([subject(&ada)]),
            "{kind}: what is forbidden anyway is forbidden everywhere"
        );
    }
    let what =
        json!({ "subject": subject(&ada), "action": { "name": "read" }, "resource": { "type": "document" } });
    assert_eq!(search("resource", what).await, json!([{ "type": "document", "id": "1" }]));
    let actions = |id: &str| json!({ "subject": subject(id), "resource": { "type": "document", "id": "1" } });
    assert_eq!(search("action", actions(&ada)).await, json!([{ "name": "read" }]));
    assert_eq!(search("action", actions(&eve)).await, json!([]));
    app.finish().await;
}

#[tokio::test]
async fn of_two_activations_at_once_one_is_refused() {
    let app = TestApp::new().await;
    app.new_version("").await.expect(201);
    app.new_version(PUBLIC).await.expect(201);
    let choose = |version: i64| {
        let body = Some(json!({ "version": version }));
        app.manage_with("PUT", "/v1/policies/active", (header::IF_MATCH, "\"0\""), body)
    };
    let (one, two) = tokio::join!(choose(1), choose(2));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let (one, two) = tokio::join!(app.new_version(""), app.new_version(""));
    let mut versions = [one, two].map(|answer| answer.expect(201).json()["version"].as_i64());
    versions.sort_unstable();
    assert_eq!(versions, [Some(3), Some(4)]);
    let (_, key) = app.another_tenant("other").await;
    assert_eq!(
        app.core("GET", "/v1/policies/active", Some(&key), None).await.expect(403).code(),
        "forbidden"
    );
    let other = app.core("GET", "/t/other/v1/policies/versions/1", Some(&app.platform_key), None).await;
    assert_eq!(other.expect(404).code(), "unknown_policy_version");
    app.finish().await;
}
