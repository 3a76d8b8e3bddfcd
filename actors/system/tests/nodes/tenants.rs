use crate::engine::{Disturbance, Outcome};
use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_actors::{ClientContext, ServiceError, SigningAlgorithm};
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_storage::{Scope, StorageError};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Waits until something holds, and says how long that took.
async fn until(mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come to hold");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

async fn jwks(node: &Node, tenant: TenantId) -> String {
    let published = node.platform.jwks(tenant, soon()).await.expect("keys");
    String::from_utf8(published.json.to_vec()).expect("text")
}

#[tokio::test(start_paused = true)]
async fn a_tenant_made_elsewhere_is_found_at_once() {
    let rig = Rig::with(roomy());
    let (one, two, _) = rig.pair().await;
    two.line.deafen();
    assert!(matches!(two.platform.resolve("late").await, Err(ServiceError::UnknownTenant)));
    let late = one.create("late").await;
    assert_eq!(two.platform.resolve("late").await.expect("found"), late);
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_tenant_deleted_elsewhere_is_gone_with_its_sessions_keys_and_name() {
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let session = one.sign_in(tenant).await;
        let key = one.platform.issue_service_key(tenant, "svc", Actor::System).await.expect("key").text;
        let caller = two.platform.authenticate(&key).await.expect("good");
        assert_eq!(two.platform.resolve("demo").await.expect("found"), tenant);
        assert!(two.is_active(&caller, &session.access.token).await);
        one.line.cut(cut);
        two.line.cut(cut);
        one.platform.delete_tenant(tenant, Actor::System).await.expect("deleted");
        let took = until(async || two.platform.authenticate(&key).await.is_err()).await;
        assert!(took < BOUND, "{took:?}");
        let took = until(async || two.platform.live_sessions() == 0).await;
        assert!(took < BOUND, "{took:?}");
        assert!(!two.is_active(&caller, &session.access.token).await);
        let again = one.create("demo").await;
        assert_eq!(two.platform.resolve("demo").await.expect("found"), again, "the name is free for another");
        one.finish().await;
        two.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keys_rotated_elsewhere_are_used_here_and_sessions_live_on() {
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let caller = two.caller().await;
        let session = one.sign_in(tenant).await;
        assert!(two.is_active(&caller, &session.access.token).await);
        let before = jwks(&two, tenant).await;
        one.line.cut(cut);
        two.line.cut(cut);
        one.platform
            .rotate_keys(tenant, SigningAlgorithm::EdDsa, Actor::System, soon())
            .await
            .expect("rotated");
        let took = until(async || jwks(&two, tenant).await != before).await;
        assert!(took < BOUND, "{took:?}");
        let renewed = one.sign_in(tenant).await;
        assert!(two.is_active(&caller, &renewed.access.token).await, "signed with the new key");
        assert!(two.is_active(&caller, &session.access.token).await, "the older key still verifies");
        assert_eq!(two.platform.live_sessions(), 2);
        let next = two
            .platform
            .refresh(None, renewed.refresh.expose(), ClientContext::default(), soon())
            .await
            .expect("refreshes");
        assert!(one.is_active(&caller, &next.access.token).await);
        one.finish().await;
        two.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_key_made_elsewhere_is_good_at_once() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    two.line.deafen();
    let key = one.platform.issue_service_key(tenant, "svc", Actor::System).await.expect("key").text;
    assert_eq!(two.platform.authenticate(&key).await.expect("good").tenant, Some(tenant));
    let forged = format!("{}x", &key[..key.len() - 1]);
    assert!(matches!(two.platform.authenticate(&forged).await, Err(ServiceError::Unauthenticated)));
    let unknown = format!("plk_{}_secret", uuid::Uuid::from_u128(5).simple());
    assert!(matches!(two.platform.authenticate(&unknown).await, Err(ServiceError::Unauthenticated)));
    one.platform.issue_platform_key("operator").await.expect("key");
    assert!(two.platform.has_platform_key().await.expect("reads"));
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn tokens_of_keys_made_elsewhere_a_moment_ago_are_good() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let older = one.sign_in(tenant).await;
    assert!(two.is_active(&caller, &older.access.token).await);
    two.line.deafen();
    let rotated = one.platform.rotate_keys(tenant, SigningAlgorithm::EdDsa, Actor::System, soon()).await;
    rotated.expect("rotated");
    let (by_access, by_refresh) = (one.sign_in(tenant).await, one.sign_in(tenant).await);
    let client = ClientContext::default();
    let next = two.platform.refresh(None, by_refresh.refresh.expose(), client, soon()).await;
    let next = next.expect("the new data key is found");
    assert!(two.is_active(&caller, &by_access.access.token).await, "the new signing key is found");
    assert!(two.is_active(&caller, &next.access.token).await);
    assert!(two.is_active(&caller, &older.access.token).await);
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn tokens_of_retired_keys_neither_load_a_tenant_again_nor_are_looked_up_again() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let old = one.sign_in(tenant).await;
    let rotated = one.platform.rotate_keys(tenant, SigningAlgorithm::EdDsa, Actor::System, soon()).await;
    rotated.expect("rotated");
    one.finish().await;
    two.finish().await;
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let three = rig.node("three", 3).await;
    let picture = three.platform.jwks(tenant, soon()).await.expect("keys");
    assert!(!three.is_active(&caller, &old.access.token).await);
    three.line.cut(true);
    let asked = three.connection.asked.load(Ordering::SeqCst);
    for _ in 0..100 {
        assert!(!three.is_active(&caller, &old.access.token).await);
    }
    assert!(three.connection.asked.load(Ordering::SeqCst) < asked + 10, "nothing but polls");
    let still = three.platform.jwks(tenant, soon()).await.expect("keys");
    assert_eq!(picture.json.as_ptr(), still.json.as_ptr(), "the tenant was not loaded again");
    three.finish().await;
}

#[tokio::test(start_paused = true)]
async fn rows_sealed_under_a_data_key_made_elsewhere_a_moment_ago_can_be_read() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let first = two.sign_in(tenant).await;
    assert!(two.is_active(&caller, &first.access.token).await, "the tenant is in memory");
    two.line.deafen();
    let outcome = Outcome::Fails(StorageError::Decode { what: "made up by the test".into() });
    two.connection.disturb(Some(Disturbance { scope: Scope::Platform, text: "heads", outcome }));
    let rotated = one.platform.rotate_keys(tenant, SigningAlgorithm::EdDsa, Actor::System, soon()).await;
    rotated.expect("rotated");
    let (email, password) = ("grace@example.com", "plain oat zebra lantern");
    let client = ClientContext::default;
    let signed_up =
        one.platform.sign_up(tenant, email.into(), password.to_owned().into(), None, client(), soon());
    signed_up.await.expect("signs up");
    let session = two.platform.sign_in(tenant, email, password, client(), soon()).await.expect("signs in");
    let me = two.platform.me(tenant, &session.access.token, soon()).await.expect("is told");
    assert_eq!(me.email.as_deref(), Some(email));
    one.finish().await;
    two.finish().await;
}
