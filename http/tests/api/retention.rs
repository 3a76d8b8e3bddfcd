//! Ledgers that are kept for a time: pruned, and still proven.

use crate::app::{Answer, PASSWORD, TestApp};
use plinto_domain::TenantId;
use plinto_storage::Scope;
use plinto_storage::ledger::{open_note, verify, verify_export};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A tenant `kept` whose ledger is kept for thirty days.
async fn kept(app: &TestApp) -> TenantId {
    let settings = json!({ "audit": { "retention_days": 30 } });
    let body = json!({ "slug": "kept", "name": "Kept", "settings": settings });
    let made = app.core("POST", "/v1/tenants", Some(&app.platform_key), Some(body)).await.expect(201);
    made.json()["id"].as_str().unwrap().parse().unwrap()
}

async fn call(app: &TestApp, method: &str, path: &str, body: Option<Value>) -> Answer {
    app.core(method, &format!("/t/kept{path}"), Some(&app.platform_key), body).await
}

/// A user made by the operator: no mail goes out, whose delivery would be one entry more at some time.
async fn create_user(app: &TestApp, email: &str) {
    let body = json!({ "email": email, "password": PASSWORD });
    call(app, "POST", "/v1/users", Some(body)).await.expect(201);
}

/// Two entries that are forty days old, and a new one.
async fn aged(app: &TestApp) -> TenantId {
    let tenant = kept(app).await;
    create_user(app, "ada@example.com").await;
    app.advance(DAY * 40);
    create_user(app, "grace@example.com").await;
    tenant
}

#[tokio::test]
async fn a_pruned_ledger_verifies_from_its_checkpoint_on() {
    let app = TestApp::new().await;
    let tenant = aged(&app).await;
    let before = call(&app, "GET", "/v1/audit/events?order=oldest", None).await.expect(200).json();
    let pruned = call(&app, "POST", "/v1/audit/prune", None).await.expect(200).json();
    assert_eq!((&pruned["entries"], &pruned["more"]), (&json!(2), &json!(false)), "{pruned}");
    let checkpoint = &pruned["checkpoint"];
    assert_eq!((&checkpoint["first_seq"], &checkpoint["seq"]), (&json!(1), &json!(2)));
    assert_eq!(checkpoint["hash"], before["items"][1]["hash"]);

    let after = call(&app, "GET", "/v1/audit/events?order=oldest", None).await.expect(200).json();
    assert_eq!(after["items"][0], before["items"][2], "what is left is as it was");
    assert_eq!(after["items"][0]["prev_hash"], checkpoint["hash"]);
    assert_eq!(after["items"][1]["type"], "audit.pruned");
    assert_eq!(after["items"][1]["data"], json!({ "through": 2, "entries": 2 }));
    let gone = call(&app, "GET", "/v1/audit/events/1", None).await.expect(404);
    assert_eq!(gone.code(), "unknown_audit_event");
    let since = call(&app, "GET", "/v1/audit/events?from=1&type=user.*", None).await.expect(200).json();
    assert_eq!(since["items"].as_array().unwrap().len(), 1);

    let listed = call(&app, "GET", "/v1/audit/checkpoints", None).await.expect(200).json();
    assert_eq!(listed["items"][0], *checkpoint);
    assert_eq!(checkpoint["is_ours"], true);
    let (note, key) = (checkpoint["note"].as_str().unwrap(), listed["verifier"].as_str().unwrap());
    assert!(open_note(note, key).unwrap().contains("\n2\n"), "{note}");

    let stored = verify(&*app.engine, Scope::Tenant(tenant.uuid()), |_, _| ()).await.expect("verifies");
    assert_eq!(stored.begins.as_ref().map(|begins| begins.summary.head.seq), Some(2));
    let export = call(&app, "GET", "/v1/audit/export", None).await.expect(200).text;
    assert_eq!(verify_export(export.as_bytes()).expect("verifies"), stored);
    let (header, entries) = export.split_once('\n').unwrap();
    let altered = |change: &dyn Fn(&mut Value)| {
        let mut header: Value = serde_json::from_str(header).unwrap();
        change(&mut header);
        verify_export(format!("{header}\n{entries}").as_bytes())
    };
    assert!(altered(&|_| ()).is_ok());
    let note = note.replacen("first 1", "first 2", 1);
    assert!(altered(&|header| header["checkpoint"]["note"] = json!(note)).is_err());
    assert!(altered(&|header| header["checkpoint"]["seq"] = json!(1)).is_err());
    assert!(altered(&|header| header["checkpoint"] = Value::Null).is_err());
    let again = call(&app, "POST", "/v1/audit/prune", None).await.expect(200).json();
    assert_eq!((&again["entries"], &again["checkpoint"]), (&json!(0), checkpoint));
    app.finish().await;
}

#[tokio::test]
async fn a_ledger_is_pruned_only_where_that_was_asked_for_and_nothing_is_held() {
    let app = TestApp::new().await;
    aged(&app).await;
    let for_ever = app.manage("POST", "/v1/audit/prune", None).await.expect(409);
    assert_eq!(for_ever.code(), "no_retention");
    let reason = Some(json!({ "reason": "case 12" }));
    call(&app, "PUT", "/v1/legal-hold", reason).await.expect(201);
    assert_eq!(call(&app, "POST", "/v1/audit/prune", None).await.expect(409).code(), "legal_hold");
    app.state.platform().sweep_audit().await.expect("goes through all tenants");
    assert_eq!(call(&app, "GET", "/v1/audit/events/1", None).await.status, 200, "held");
    call(&app, "DELETE", "/v1/legal-hold", None).await.expect(204);
    app.state.platform().sweep_audit().await.expect("goes through all tenants");
    assert_eq!(call(&app, "GET", "/v1/audit/events/1", None).await.status, 404, "pruned by the sweep");
    for bad in [0, 40_000] {
        let settings = json!({ "audit": { "retention_days": bad } });
        let body = json!({ "slug": "bad", "name": "Bad", "settings": settings });
        app.core("POST", "/v1/tenants", Some(&app.platform_key), Some(body)).await.expect(422);
    }
    app.finish().await;
}

#[tokio::test]
async fn pruning_twice_at_once_prunes_once() {
    let app = TestApp::new().await;
    let tenant = aged(&app).await;
    let prune = || call(&app, "POST", "/v1/audit/prune", None);
    let (first, second) = tokio::join!(prune(), prune());
    let removed = |answer: &Answer| match answer.status.as_u16() {
        200 => answer.json()["entries"].as_u64().unwrap(),
        409 | 503 => 0,
        _ => panic!("{}", answer.text),
    };
    assert_eq!(removed(&first) + removed(&second), 2);
    verify(&*app.engine, Scope::Tenant(tenant.uuid()), |_, _| ()).await.expect("verifies");
    app.finish().await;
}
