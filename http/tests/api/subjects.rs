//! What a person may ask of those who keep their data: all of it, none of it, and what they agreed to.

use crate::app::{TestApp, Tokens};
use plinto_domain::UserId;
use plinto_storage::ledger::open_note;
use plinto_storage::{Scope, Statement};
use serde_json::{Value, json};

const TABLES: [&str; 5] = [
    "SELECT user_id FROM users WHERE tenant_id = $1 AND user_id = $2",
    "SELECT user_id FROM user_emails WHERE tenant_id = $1 AND user_id = $2",
    "SELECT user_id FROM credentials WHERE tenant_id = $1 AND user_id = $2",
    "SELECT user_id FROM sessions WHERE tenant_id = $1 AND user_id = $2",
    "SELECT user_id FROM consents WHERE tenant_id = $1 AND user_id = $2",
];

/// Rows of a user, in each of [`TABLES`].
async fn rows(app: &TestApp, user: &str) -> Vec<usize> {
    let user: UserId = user.parse().unwrap();
    let mut found = Vec::new();
    for sql in TABLES {
        let statement = Statement::new(sql, vec![app.tenant.uuid().into(), user.uuid().into()]);
        let rows = app.engine.read(Scope::Tenant(app.tenant.uuid()), statement).await.unwrap();
        found.push(rows.len());
    }
    found
}

async fn consent(app: &TestApp, user: &str, granted: bool) -> Value {
    let body = json!({ "purpose": "newsletter", "version": "2027-01", "granted": granted });
    app.manage("POST", &format!("/v1/users/{user}/consents"), Some(body)).await.expect(201).json()
}

async fn person(app: &TestApp, email: &str) -> Tokens {
    let person = app.user(email).await;
    consent(app, &person.user, true).await;
    person
}

#[tokio::test]
async fn an_erased_user_leaves_one_event_and_a_free_address() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let grace = person(&app, "grace@example.com").await;
    assert!(app.is_active(&ada.access).await);
    assert_eq!(rows(&app, &ada.user).await, [1; 5]);
    let path = format!("/v1/users/{}/erase", ada.user);
    app.manage("POST", &path, None).await.expect(204);

    assert_eq!(rows(&app, &ada.user).await, [0; 5]);
    assert_eq!(rows(&app, &grace.user).await, [1; 5], "nobody else is touched");
    assert!(!app.is_active(&ada.access).await, "the session ended");
    assert!(app.is_active(&grace.access).await);
    app.try_refresh(&ada.refresh).await.expect(401);
    let refused = app.try_sign_in("demo", "ada@example.com", crate::app::PASSWORD).await.expect(401);
    assert_eq!(refused.code(), "invalid_credentials");
    for gone in ["", "/data", "/consents"] {
        let path = format!("/v1/users/{}{gone}", ada.user);
        assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_user");
    }
    assert_eq!(app.manage("POST", &path, None).await.expect(404).code(), "unknown_user");
    let events = app.manage("GET", &format!("/v1/audit/events?subject={}", ada.user), None).await;
    let events = events.expect(200).json();
    assert_eq!(events["items"][0]["type"], "user.erased");
    assert_eq!(events["items"][0]["data"], json!({}));
    assert_ne!(app.user("ada@example.com").await.user, ada.user, "the address is free");
    app.finish().await;
}

#[tokio::test]
async fn erasing_twice_at_once_erases_once() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let path = format!("/v1/users/{}/erase", ada.user);
    let erase = || app.manage("POST", &path, None);
    let (first, second) = tokio::join!(erase(), erase());
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
    app.finish().await;
}

#[tokio::test]
async fn what_is_under_legal_hold_is_neither_erased_nor_deleted() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let (hold, erase) =
        (format!("/v1/users/{}/legal-hold", ada.user), format!("/v1/users/{}/erase", ada.user));
    let reason = || Some(json!({ "reason": "case 12" }));
    let tenant = format!("/v1/tenants/{}", app.tenant);
    for hold in [hold.as_str(), "/v1/legal-hold"] {
        assert_eq!(app.manage("GET", hold, None).await.expect(404).code(), "no_legal_hold");
        let placed = app.manage("PUT", hold, reason()).await.expect(201).json();
        assert_eq!(placed["reason"], "case 12");
        assert_eq!(app.manage("GET", hold, None).await.expect(200).json(), placed);
        assert_eq!(app.manage("PUT", hold, reason()).await.expect(409).code(), "legal_hold_stands");
        assert_eq!(app.manage("POST", &erase, None).await.expect(409).code(), "legal_hold");
        for (method, path) in [("DELETE", tenant.clone()), ("POST", format!("{tenant}/erase"))] {
            let refused = app.core(method, &path, Some(&app.platform_key), None).await.expect(409);
            assert_eq!(refused.code(), "legal_hold");
        }
        app.manage("DELETE", hold, None).await.expect(204);
        assert_eq!(app.manage("DELETE", hold, None).await.expect(404).code(), "no_legal_hold");
    }
    let nobody = "/v1/users/usr_00000000000000000000000000000000/legal-hold";
    assert_eq!(app.manage("PUT", nobody, reason()).await.expect(404).code(), "unknown_user");
    let bad = app.manage("PUT", &hold, Some(json!({ "reason": "a\nb" }))).await.expect(422);
    assert_eq!(bad.code(), "invalid_fields");
    app.manage("POST", &erase, None).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn of_a_hold_and_an_erasure_at_once_one_is_done() {
    let app = TestApp::new().await;
    for round in 0..4 {
        let ada = person(&app, &format!("ada{round}@example.com")).await;
        let (hold, erase) =
            (format!("/v1/users/{}/legal-hold", ada.user), format!("/v1/users/{}/erase", ada.user));
        let body = Some(json!({ "reason": "case 12" }));
        let (held, erased) = tokio::join!(app.manage("PUT", &hold, body), app.manage("POST", &erase, None));
        let outcome = (held.status.as_u16(), erased.status.as_u16());
        assert!(matches!(outcome, (201, 409) | (404, 204)), "{outcome:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_user_is_given_everything_that_is_stored_about_it() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    person(&app, "grace@example.com").await;
    let own = app.core("GET", "/v1/users/me/data", Some(&ada.access), None).await.expect(200);
    assert!(!own.text.contains("grace"), "nothing of anybody else");
    let data = own.json();
    assert_eq!(data["profile"]["id"], ada.user.as_str());
    assert_eq!(data["emails"][0]["email"], "ada@example.com");
    assert_eq!(data["sessions"][0]["id"], ada.session.as_str());
    assert_eq!(data["consents"][0]["purpose"], "newsletter");
    assert_eq!(data["audit_is_complete"], true);
    let of = |data: &Value| -> Vec<String> {
        let items = data["audit"].as_array().unwrap().iter();
        items.map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&data), ["user.created", "session.created", "user.consent_recorded"]);
    for secret in ["argon2", "refresh_hash", &ada.refresh] {
        assert!(!own.text.contains(secret), "{secret}");
    }
    let path = format!("/v1/users/{}/data", ada.user);
    let managed = app.manage("GET", &path, None).await.expect(200).json();
    assert_eq!(managed["emails"], data["emails"]);
    assert_eq!(of(&managed).last().unwrap(), "user.data_exported", "that it was given out is audited");
    app.finish().await;
}

#[tokio::test]
async fn consents_are_added_and_never_overwritten() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let given = consent(&app, &ada.user, true).await;
    let body = json!({ "purpose": "newsletter", "version": "2027-02", "granted": false });
    app.advance(std::time::Duration::from_secs(1));
    let withdrawn = app.core("POST", "/v1/users/me/consents", Some(&ada.access), Some(body)).await;
    let withdrawn = withdrawn.expect(201).json();
    assert_eq!(withdrawn["recorded_by"], ada.user.as_str());
    let path = format!("/v1/users/{}/consents", ada.user);
    let managed = app.manage("GET", &path, None).await.expect(200).json();
    assert_eq!(managed["items"], json!([withdrawn, given]), "newest first");
    let own =
        app.core("GET", "/v1/users/me/consents?limit=1", Some(&ada.access), None).await.expect(200).json();
    assert_eq!(own["items"], json!([withdrawn]));
    let next = own["next"].as_str().unwrap();
    let rest = format!("/v1/users/me/consents?after={next}");
    let rest = app.core("GET", &rest, Some(&ada.access), None).await.expect(200).json();
    assert_eq!(rest["items"], json!([given]));
    let key = || ("idempotency-key".parse().unwrap(), "once");
    let body = || Some(json!({ "purpose": "research", "version": "1", "granted": true }));
    let once = app.manage_with("POST", &path, key(), body()).await.expect(201).json();
    let twice = app.manage_with("POST", &path, key(), body()).await.expect(201).json();
    assert_eq!(once, twice, "a request sent twice records once");
    for bad in [
        json!({ "purpose": "News Letter", "version": "1", "granted": true }),
        json!({ "purpose": "newsletter", "version": "", "granted": true }),
        json!({ "purpose": "newsletter", "version": "1" }),
    ] {
        let answer = app.manage("POST", &path, Some(bad)).await.expect(422);
        assert_eq!(answer.code(), "invalid_fields");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_erased_tenant_is_proven_to_be_unreadable() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let path = format!("/v1/tenants/{}/erase", app.tenant);
    let erased = app.core("POST", &path, Some(&app.platform_key), None).await.expect(200).json();
    assert_eq!(erased["rows_tried"], 1, "its signing key was tried");
    assert_eq!(erased["storage_removed"], true);
    let (note, key) = (erased["statement"].as_str().unwrap(), erased["verifier"].as_str().unwrap());
    let text = open_note(note, key).expect("is signed");
    for line in [
        format!("tenant {}", app.tenant),
        format!("ledger {} {}", erased["ledger_seq"], erased["ledger_hash"].as_str().unwrap()),
        "wrapped-keys 0".to_owned(),
        "rows-opened 0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(open_note(&note.replacen("wrapped-keys 0", "wrapped-keys 1", 1), key).is_none());
    let again = app.core("POST", &path, Some(&app.platform_key), None).await.expect(404);
    assert_eq!(again.code(), "unknown_tenant");
    app.core("GET", "/t/demo/v1/users/me", Some(&ada.access), None).await.expect(404);
    app.finish().await;
}
