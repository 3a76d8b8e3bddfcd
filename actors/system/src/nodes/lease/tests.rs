use super::*;
use plinto_cluster::{Hub, InProcess, NodeId, NodeInfo};
use plinto_runtime::SystemConfig;

fn node(hub: &Arc<Hub>, number: u128) -> InProcess {
    hub.join(NodeInfo {
        id: NodeId(Uuid::from_u128(number)),
        name: "node".to_owned(),
        version: "test".to_owned(),
        started_at: 0,
        urls: Default::default(),
    })
}

fn lessor(hub: &Arc<Hub>, number: u128) -> (ActorSystem, Arc<Lessor>) {
    let system = ActorSystem::start(SystemConfig::default());
    let lessor = Lessor::start(Arc::new(node(hub, number)), &system);
    (system, lessor)
}

async fn stop(system: ActorSystem) {
    let report = system.shutdown(Duration::from_secs(1), Duration::from_secs(2)).await;
    assert!(report.was_graceful());
    assert_eq!(system.leaks(), Vec::<String>::new());
}

#[test]
fn a_batch_is_a_tenth_of_a_second_but_never_more_than_the_burst() {
    assert_eq!(batch(Rate::new(2_000, 4_000)), 200);
    assert_eq!(batch(Rate::new(10, 4_000)), SMALLEST_BATCH);
    assert_eq!(batch(Rate::new(2_000, 5)), 5);
}

#[tokio::test(start_paused = true)]
async fn what_the_share_granted_meanwhile_is_paid_back() {
    let hub = Hub::new();
    let (system, lessor) = lessor(&hub, 1);
    let lease = lessor.of_tenant(Uuid::from_u128(7), Rate::new(1, 100));
    // Nothing is leased yet, and nobody refills before this task waits: the share grants the whole burst.
    assert_eq!((0..200).filter(|_| lease.take().is_ok()).count(), 100);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(lease.take().is_err(), "the refill went to what was owed");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((0..200).filter(|_| lease.take().is_ok()).count(), 0, "nothing over what the limit grants");
    tokio::time::sleep(Duration::from_secs(300)).await;
    let granted = (0..200).filter(|_| lease.take().is_ok()).count();
    assert!(granted > 0 && granted <= 100, "{granted}");
    stop(system).await;
}

#[tokio::test(start_paused = true)]
async fn two_nodes_admit_what_one_limit_grants() {
    let hub = Hub::new();
    let (first, one) = lessor(&hub, 1);
    let (second, two) = lessor(&hub, 2);
    let rate = Rate::new(1_000, 500);
    let leases = [one.of_tenant(Uuid::from_u128(7), rate), two.of_tenant(Uuid::from_u128(7), rate)];
    let mut granted = 0;
    for _ in 0..1_000 {
        for lease in &leases {
            granted += (0..10).filter(|_| lease.take().is_ok()).count();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (burst, over_ten_seconds, leased, owed) = (500, 10_000, 2 * 100, 500);
    assert!(granted <= burst + over_ten_seconds + leased + owed, "{granted}");
    assert!(granted >= 9_000, "{granted}: the limit is used");
    stop(first).await;
    stop(second).await;
}
