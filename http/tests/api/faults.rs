//! Storage that fails: nothing is lost, nothing is half done, and it heals.

use crate::app::{PASSWORD, TestApp};
use crate::backend::Place;
use plinto_storage::Scope;
use plinto_storage::ledger;
use std::sync::Arc;

#[tokio::test]
async fn a_full_disk_answers_503_and_recovers() {
    let place = Arc::new(Place::lasting().await);
    let app = TestApp::at(&place).await;
    let ada = app.user("ada@example.com").await;
    place.fill().await;
    let mut refused = 0;
    for n in 0..40 {
        let answer = app.sign_up(&format!("user{n}@example.com")).await;
        if answer.status == 503 {
            assert_eq!(answer.code(), "storage_full");
            assert!(answer.headers.contains_key("retry-after"));
            refused += 1;
            break;
        }
    }
    assert_eq!(refused, 1, "the disk filled up");
    assert!(app.is_active(&ada.access).await, "live sessions still validate");
    place.free().await;
    app.sign_up("later@example.com").await.expect(202);
    app.sign_in("later@example.com").await;
    app.finish().await;
}

#[tokio::test]
async fn every_acknowledged_change_is_in_the_chained_ledger() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.try_sign_in("demo", "ada@example.com", "wrong wrong wrong").await.expect(401);
    app.try_refresh(&ada.refresh).await.expect(200);
    app.try_refresh(&ada.refresh).await.expect(401);
    app.sign_up("ada@example.com").await.expect(202);
    let scope = Scope::Tenant(app.tenant.uuid());
    let mut events: Vec<String> = Vec::new();
    // The refused sign-in is audited after its answer: wait for it by asking, not by sleeping.
    while !events.iter().any(|event| event == "sign_in.refused") {
        tokio::task::yield_now().await;
        events = ledger::page(&*app.engine, scope, 0, 100)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| entry.event)
            .collect();
    }
    for wanted in [
        "tenant.signing_key.rotated",
        "user.created",
        "session.created",
        "session.refreshed",
        "session.refresh_reuse_detected",
        "session.revoked",
        "sign_up.repeated",
    ] {
        assert!(events.iter().any(|event| event == wanted), "{wanted} in {events:?}");
    }
    ledger::verify(&*app.engine, scope, |_, _| {}).await.expect("the chain is intact");
    app.finish().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let place = Arc::new(Place::lasting().await);
    let first = TestApp::at(&place).await;
    let ada = first.user("ada@example.com").await;
    let grace = first.user("grace@example.com").await;
    first.core("POST", "/v1/auth/sign-out", Some(&grace.access), None).await.expect(204);
    let next = crate::app::tokens(&first.try_refresh(&ada.refresh).await.expect(200));
    first.finish().await;

    let second = TestApp::at(&place).await;
    assert!(second.is_active(&next.access).await);
    assert!(!second.is_active(&grace.access).await);
    assert!(second.is_active(&next.refresh).await);
    second.try_sign_in("demo", "grace@example.com", PASSWORD).await.expect(200);
    second.finish().await;
}

#[tokio::test]
async fn a_refresh_that_was_not_stored_has_not_happened() {
    let place = Arc::new(Place::lasting().await);
    let app = TestApp::at(&place).await;
    let ada = app.user("ada@example.com").await;
    place.fill().await;
    let mut current = ada.refresh;
    let refused = loop {
        let answer = app.try_refresh(&current).await;
        if answer.status != 200 {
            break answer;
        }
        current = crate::app::tokens(&answer).refresh;
    };
    assert_eq!(refused.expect(503).code(), "storage_full");
    place.free().await;
    let next = crate::app::tokens(&app.try_refresh(&current).await.expect(200));
    assert!(
        app.is_active(&next.access).await,
        "the token that was refused with 503 is still the current one"
    );
    app.finish().await;
}
