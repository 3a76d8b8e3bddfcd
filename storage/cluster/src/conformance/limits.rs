use super::{Installation, limit, node, quota};
use crate::{Cluster, LimitKey, Quota};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const HOUR: Duration = Duration::from_secs(3_600);

async fn cells(node: &Arc<dyn Cluster>, key: &LimitKey, quota: Quota, wanted: u32) -> u32 {
    node.take(key, quota, wanted).await.expect("the store is there").cells
}

pub async fn a_burst_is_granted_and_then_refused(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    let hourly = quota(HOUR, 3);
    for left in [2, 1, 0] {
        let grant = node.take(&limit(1), hourly, 1).await.expect("the store is there");
        assert_eq!(grant.cells, 1);
        assert_eq!(grant.retry_after.is_zero(), left > 0, "{grant:?}");
    }
    let refused = node.take(&limit(1), hourly, 1).await.expect("the store is there");
    assert_eq!(refused.cells, 0);
    assert!(
        refused.retry_after <= HOUR && refused.retry_after > HOUR - Duration::from_secs(60),
        "{refused:?}"
    );
}

pub async fn cells_come_back_with_time(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    let quick = quota(Duration::from_millis(30), 2);
    for _ in 0..5 {
        // However slow this machine is, there comes a time when the next cell is not there yet.
        let refused = loop {
            let grant = node.take(&limit(1), quick, 5).await.expect("the store is there");
            if grant.cells == 0 {
                break grant;
            }
        };
        assert!(!refused.retry_after.is_zero() && refused.retry_after <= quick.period, "{refused:?}");
        sleep(refused.retry_after + Duration::from_millis(2)).await;
        assert!(cells(&node, &limit(1), quick, 1).await == 1, "after the time that was told");
    }
}

pub async fn nodes_share_one_limit(installation: &impl Installation) {
    let nodes = [installation.join(node(1)).await, installation.join(node(2)).await];
    let period = Duration::from_millis(20);
    let shared = quota(period, 10);
    let (start, mut granted) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(400) {
        for node in &nodes {
            granted += cells(node, &limit(1), shared, 3).await;
        }
    }
    let refilled = u32::try_from(start.elapsed().as_micros() / period.as_micros()).expect("a small number");
    assert!(granted <= 10 + refilled + 1, "{granted} granted, {refilled} refilled");
    assert!(granted >= 10 + refilled / 2, "{granted} granted, {refilled} refilled");
}

pub async fn part_of_what_is_asked_is_granted(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    let hourly = quota(HOUR, 10);
    assert_eq!(cells(&node, &limit(1), hourly, 7).await, 7);
    assert_eq!(cells(&node, &limit(1), hourly, 7).await, 3);
    assert_eq!(cells(&node, &limit(1), hourly, 7).await, 0);
    assert_eq!(cells(&node, &limit(2), hourly, u32::MAX).await, 10);
    let asked_for_nothing = node.take(&limit(3), hourly, 0).await.expect("the store is there");
    assert_eq!((asked_for_nothing.cells, asked_for_nothing.retry_after), (0, Duration::ZERO));
}

pub async fn limits_are_apart_by_name_and_id(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    let hourly = quota(HOUR, 1);
    let mut other_end = limit(1);
    other_end.id[31] = 2;
    let named = LimitKey { name: "conformance.other", ..limit(1) };
    for key in [limit(1), limit(2), other_end, named] {
        assert_eq!(cells(&node, &key, hourly, 1).await, 1);
        assert_eq!(cells(&node, &key, hourly, 1).await, 0);
    }
}

pub async fn long_and_short_periods_are_exact(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    let monthly = quota(Duration::from_secs(30 * 24 * 3_600), 1_000);
    assert_eq!(cells(&node, &limit(1), monthly, 2_000).await, 1_000);
    let refused = node.take(&limit(1), monthly, 1).await.expect("the store is there");
    assert_eq!(refused.cells, 0);
    assert!(refused.retry_after > monthly.period - Duration::from_secs(60), "{refused:?}");
    let briefest = quota(Duration::from_micros(1), u32::MAX);
    assert_eq!(cells(&node, &limit(2), briefest, u32::MAX).await, u32::MAX);
}

pub async fn many_takers_at_once_get_no_more_than_there_is(installation: &impl Installation) {
    let nodes = [installation.join(node(1)).await, installation.join(node(2)).await];
    let mut takers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let node = Arc::clone(&nodes[number % 2]);
        takers.spawn(async move {
            let mut granted = 0;
            for _ in 0..5 {
                granted += cells(&node, &limit(1), quota(HOUR, 100), 1).await;
            }
            granted
        });
    }
    assert_eq!(takers.join_all().await.into_iter().sum::<u32>(), 100);
}
