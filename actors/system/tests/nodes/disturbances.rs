//! What is slow or damaged for one tenant, or for following alone, does not keep revocations from anybody.

use crate::engine::{Disturbance, Outcome};
use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_domain::TenantId;
use plinto_storage::{Scope, StorageError};
use std::time::Duration;

const LATE: Outcome = Outcome::Late(Duration::from_secs(10));

fn damaged() -> Outcome {
    Outcome::Fails(StorageError::Decode { what: "made up by the test".into() })
}

/// Disturbs reading what changed in a tenant.
fn changes_of(tenant: TenantId, outcome: Outcome) -> Disturbance {
    Disturbance { scope: Scope::Tenant(tenant.uuid()), text: "ledger_entries", outcome }
}

/// Disturbs looking up which sessions the users of a tenant have.
fn sessions_of_users(tenant: TenantId, outcome: Outcome) -> Disturbance {
    Disturbance { scope: Scope::Tenant(tenant.uuid()), text: "AND user_id = $2 AND session_id", outcome }
}

/// Cuts what carries notices between the nodes.
fn cut(one: &Node, two: &Node) {
    one.line.cut(true);
    two.line.cut(true);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_changes_cannot_be_read_keeps_the_bound_and_delays_nobody() {
    for outcome in [LATE, damaged()] {
        let rig = Rig::with(roomy());
        let (one, two, slow) = rig.pair().await;
        let other = one.create_with_user("other").await;
        let caller = two.caller().await;
        cut(&one, &two);
        two.connection.disturb(Some(changes_of(slow, outcome)));
        for _ in 0..2 {
            let (in_slow, in_other) = (one.sign_in(slow).await, one.sign_in(other).await);
            assert!(two.is_active(&caller, &in_slow.access.token).await);
            assert!(two.is_active(&caller, &in_other.access.token).await);
            one.platform.sign_out(slow, &in_slow.access.token, soon()).await.expect("ends");
            one.platform.sign_out(other, &in_other.access.token, soon()).await.expect("ends");
            assert!(two.refuses(&caller, &in_other.access.token).await < BOUND);
            assert!(two.refuses(&caller, &in_slow.access.token).await < Duration::from_millis(500));
        }
        two.connection.disturb(None);
        tokio::time::sleep(BOUND).await;
        let doubts = two.platform.nodes_count().doubts;
        assert!(doubts >= 2, "{doubts}");
        let healed = one.sign_in(slow).await;
        assert!(two.is_active(&caller, &healed.access.token).await);
        one.platform.sign_out(slow, &healed.access.token, soon()).await.expect("ends");
        assert!(two.refuses(&caller, &healed.access.token).await < BOUND);
        assert_eq!(two.platform.nodes_count().doubts, doubts, "it is followed again");
        one.finish().await;
        two.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_be_applied_is_made_right_once_and_does_not_come_again() {
    for (outcome, silent) in [(LATE, false), (damaged(), false), (LATE, true), (damaged(), true)] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let caller = two.caller().await;
        let session = one.sign_in(tenant).await;
        assert!(two.is_active(&caller, &session.access.token).await);
        if silent {
            cut(&one, &two);
        }
        two.connection.disturb(Some(sessions_of_users(tenant, outcome)));
        one.platform.sign_out_everywhere(tenant, &session.access.token, soon()).await.expect("ends");
        assert!(two.refuses(&caller, &session.access.token).await < BOUND);
        tokio::time::sleep(BOUND).await;
        assert_eq!(two.platform.nodes_count().doubts, 1);
        let (_, applied) = (two.connection.disturb(None), two.platform.nodes_count().changes_applied);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(two.platform.nodes_count().changes_applied, applied, "the cursor has passed it");
        one.finish().await;
        two.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_ledgers_cannot_be_followed_though_rows_can_be_read_rows_are_read() {
    for (outcome, silent) in [(LATE, false), (damaged(), false), (LATE, true), (damaged(), true)] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let caller = two.caller().await;
        let first = one.sign_in(tenant).await;
        assert!(two.is_active(&caller, &first.access.token).await, "the tenant is followed");
        two.line.cut(silent);
        one.line.cut(true);
        two.connection.disturb(Some(Disturbance { scope: Scope::Platform, text: "heads", outcome }));
        for _ in 0..2 {
            let session = one.sign_in(tenant).await;
            assert!(two.is_active(&caller, &session.access.token).await);
            one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
            let took = two.refuses(&caller, &session.access.token).await;
            assert!(took < BOUND, "{took:?}");
        }
        one.finish().await;
        two.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_user_of_one_tenant_does_not_hold_up_notices_of_another() {
    let rig = Rig::with(roomy());
    let (one, two, slow) = rig.pair().await;
    let other = one.create_with_user("other").await;
    let caller = two.caller().await;
    two.connection.disturb(Some(sessions_of_users(slow, LATE)));
    let (in_slow, in_other) = (one.sign_in(slow).await, one.sign_in(other).await);
    assert!(two.is_active(&caller, &in_other.access.token).await);
    one.platform.sign_out_everywhere(slow, &in_slow.access.token, soon()).await.expect("ends");
    one.platform.sign_out_everywhere(other, &in_other.access.token, soon()).await.expect("ends");
    assert!(two.refuses(&caller, &in_other.access.token).await <= Duration::from_millis(100));
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn nodes_that_share_only_the_database_look_at_it_often() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.lone_pair().await;
    let caller = two.caller().await;
    let session = one.sign_in(tenant).await;
    assert!(two.is_active(&caller, &session.access.token).await);
    one.platform.sign_out(tenant, &session.access.token, soon()).await.expect("ends");
    assert!(two.refuses(&caller, &session.access.token).await < Duration::from_secs(1));
    let polls = two.platform.nodes_count().polls;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let polls = two.platform.nodes_count().polls - polls;
    assert!((19..=21).contains(&polls), "{polls}");
    one.finish().await;
    two.finish().await;
}
