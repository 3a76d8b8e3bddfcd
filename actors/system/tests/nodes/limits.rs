use crate::rig::{Node, Rig, roomy, soon};
use plinto_actors::runtime::Refusal;
use plinto_actors::{Caller, ClientContext, Limits, ServiceError};
use plinto_domain::TenantId;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Tries a wrong password; whether it was looked at, not refused for trying too often.
async fn guess(node: &Node, tenant: TenantId) -> bool {
    let client = ClientContext { address: Some([192, 0, 2, 1].into()), user_agent: None };
    match node.platform.sign_in(tenant, "ada@example.com", "wrong", client, soon()).await {
        Err(ServiceError::InvalidCredentials) => true,
        Err(ServiceError::TooManyAttempts { .. }) => false,
        other => panic!("{other:?}"),
    }
}

async fn guesses(nodes: &[&Node], tenant: TenantId, rounds: usize) -> usize {
    let mut granted = 0;
    for _ in 0..rounds {
        for node in nodes {
            granted += usize::from(guess(node, tenant).await);
        }
    }
    granted
}

#[tokio::test(start_paused = true)]
async fn attempts_on_an_account_count_on_all_nodes_together() {
    // Refills so slowly that the test never sees one by accident.
    let limits = Limits { account_burst: 6, account_refill_seconds: 10_000, ..roomy() };
    let rig = Rig::with(limits);
    let (one, two, tenant) = rig.pair().await;
    assert_eq!(guesses(&[&one, &two], tenant, 6).await, 6, "six for both, not each");
    let takes = two.line.takes.load(Ordering::SeqCst);
    assert_eq!(guesses(&[&two], tenant, 3).await, 0);
    assert!(two.line.takes.load(Ordering::SeqCst) - takes <= 3, "only the network is asked about");
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_cluster_each_node_grants_its_share_of_attempts() {
    let limits = Limits { account_burst: 6, account_refill_seconds: 10_000, ..roomy() };
    let rig = Rig::with(limits);
    let (one, two, tenant) = rig.pair().await;
    one.line.cut(true);
    two.line.cut(true);
    assert_eq!(guesses(&[&one], tenant, 6).await, 3);
    assert_eq!(guesses(&[&two], tenant, 6).await, 3);
    one.line.cut(false);
    two.line.cut(false);
    tokio::time::sleep(Duration::from_secs(60_000)).await;
    assert_eq!(guesses(&[&one, &two], tenant, 6).await, 6, "one limit again");
    one.finish().await;
    two.finish().await;
}

async fn admitted(node: &Node, caller: &Caller, token: &str) -> bool {
    match node.platform.introspect(caller, token, soon()).await {
        Ok(_) => true,
        Err(ServiceError::Refused(Refusal::RateLimited { retry_after })) => {
            assert!(!retry_after.is_zero());
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Requests admitted on both nodes in so many steps of 10 ms, of far more than the limit allows.
async fn flood(nodes: [&Node; 2], caller: &Caller, token: &str, steps: usize) -> u32 {
    let mut through = 0;
    for _ in 0..steps {
        for node in nodes {
            for _ in 0..20 {
                through += u32::from(admitted(node, caller, token).await);
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    through
}

#[tokio::test(start_paused = true)]
async fn a_tenants_rate_holds_for_all_nodes_together_with_and_without_the_cluster() {
    let (rate, burst) = (400, 400);
    let limits = Limits { tenant_per_second: rate, tenant_burst: burst, ..roomy() };
    let rig = Rig::with(limits);
    let (one, two, tenant) = rig.pair().await;
    let caller = two.caller().await;
    let token = one.sign_in(tenant).await.access.token;
    let seconds = 5;
    let leased = 2 * (rate / 10);

    // What the shares granted ahead of the cluster is owed, a burst of all together at most.
    let most = burst + rate * seconds + leased + burst;
    let through = flood([&one, &two], &caller, &token, seconds as usize * 100).await;
    assert!(through <= most, "{through} of at most {most}");
    assert!(through >= (rate * seconds) * 3 / 4, "{through}: the limit is used");
    let takes = two.line.takes.load(Ordering::SeqCst);
    assert!(takes < u64::from(through) / 4, "{takes} round trips for {through} requests");

    one.line.cut(true);
    two.line.cut(true);
    let through = flood([&one, &two], &caller, &token, seconds as usize * 100).await;
    assert!(through <= most, "{through} of at most {most}, by shares");
    assert!(through >= (rate * seconds) * 3 / 4, "{through}: the shares are used");

    one.line.cut(false);
    two.line.cut(false);
    let through = flood([&one, &two], &caller, &token, seconds as usize * 100).await;
    assert!(through <= most, "{through} of at most {most}, back on the cluster");
    assert!(two.platform.nodes_count().allowance_refusals > 0);
    one.finish().await;
    two.finish().await;
}
