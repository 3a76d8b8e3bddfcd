use crate::engine::{Disturbance, Outcome};
use crate::rig::{BOUND, Rig, roomy, soon};
use plinto_domain::TenantId;
use plinto_storage::Scope;
use std::time::Duration;

/// What a notice may take; nothing but a task switch in this process.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Disturbs looking up which sessions a user has.
fn sessions_of_users(tenant: TenantId, outcome: Outcome) -> Disturbance {
    Disturbance { scope: Scope::Tenant(tenant.uuid()), text: "AND user_id = $2 AND session_id", outcome }
}

#[tokio::test(start_paused = true)]
async fn a_notice_ends_a_session_on_the_other_node() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let (ended, other) = (one.sign_in(tenant).await, one.sign_in(tenant).await);
    assert!(two.is_active(&caller, &ended.access.token).await);
    assert!(two.is_active(&caller, &other.access.token).await);
    one.platform.sign_out(tenant, &ended.access.token, soon()).await.expect("signs out");
    assert!(two.refuses(&caller, &ended.access.token).await <= AT_ONCE);
    assert!(two.is_active(&caller, &other.access.token).await, "the other session goes on");
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_notice_ends_every_session_of_a_user_but_those_that_began_later() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let (first, second) = (one.sign_in(tenant).await, two.sign_in(tenant).await);
    for session in [&first, &second] {
        assert!(two.is_active(&caller, &session.access.token).await);
    }
    one.platform.sign_out_everywhere(tenant, &first.access.token, soon()).await.expect("signs out");
    let later = two.sign_in(tenant).await;
    assert!(two.is_active(&caller, &later.access.token).await);
    for session in [&first, &second] {
        assert!(two.refuses(&caller, &session.access.token).await <= AT_ONCE);
    }
    // Polls read the same change again.
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert!(two.is_active(&caller, &later.access.token).await);
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_cluster_the_ledgers_tell_within_the_bound() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    one.line.cut(true);
    two.line.cut(true);
    for everywhere in [false, true] {
        let session = one.sign_in(tenant).await;
        assert!(two.is_active(&caller, &session.access.token).await);
        if everywhere {
            one.platform.sign_out_everywhere(tenant, &session.access.token, soon()).await.expect("ends");
        } else {
            one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
        }
        assert!(two.refuses(&caller, &session.access.token).await < BOUND);
    }
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_is_lost_unnoticed_is_made_up_for_by_the_next_look_at_the_ledgers() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let session = one.sign_in(tenant).await;
    assert!(two.is_active(&caller, &session.access.token).await);
    two.line.deafen();
    one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
    assert!(two.refuses(&caller, &session.access.token).await < Duration::from_secs(1));
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_followed_by_a_look_at_the_ledgers() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let session = one.sign_in(tenant).await;
    assert!(two.is_active(&caller, &session.access.token).await);
    two.line.deafen();
    one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
    assert!(two.is_active(&caller, &session.access.token).await, "the notice was lost");
    two.line.gap();
    assert!(two.refuses(&caller, &session.access.token).await <= AT_ONCE);
    assert_eq!(two.platform.nodes_count().gaps, 1);
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_followed_is_no_longer_in_memory() {
    let limits = plinto_actors::Limits { tenant_idle_seconds: 5, session_idle_seconds: 3_600, ..roomy() };
    let rig = Rig::with(limits);
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let session = one.sign_in(tenant).await;
    assert!(two.is_active(&caller, &session.access.token).await);
    assert_eq!(two.platform.live_sessions(), 1);
    two.line.deafen();
    // The tenant leaves first; its session would stay for an hour.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(two.platform.live_sessions(), 0, "nobody follows for it any more");
    one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
    assert!(!two.is_active(&caller, &session.access.token).await, "the row is read");
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn live_sessions_outlast_an_outage_of_the_database() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let session = one.sign_in(tenant).await;
    assert!(two.is_active(&caller, &session.access.token).await);
    two.connection.cut(true);
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(two.is_active(&caller, &session.access.token).await);
    }
    let count = two.platform.nodes_count();
    assert!(count.polls_failed > 100);
    assert_eq!(count.doubts, 0, "memory is all there is");
    one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
    two.connection.cut(false);
    assert!(two.refuses(&caller, &session.access.token).await < BOUND);
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_begins_while_the_others_are_told_of_their_end_goes_on() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let caller = one.caller().await;
    let session = one.sign_in(tenant).await;
    let listing = Outcome::Late(Duration::from_secs(1));
    one.connection.disturb(Some(sessions_of_users(tenant, listing)));
    let platform = one.platform.clone();
    let token = session.access.token.clone();
    let ending =
        tokio::spawn(async move { platform.sign_out_everywhere(tenant, &token, soon()).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = one.sign_in(tenant).await;
    assert!(one.is_active(&caller, &later.access.token).await);
    ending.await.expect("no panic").expect("ends");
    assert!(!one.is_active(&caller, &session.access.token).await);
    assert!(one.is_active(&caller, &later.access.token).await, "it began after the others had ended");
    one.finish().await;
    two.finish().await;
}
