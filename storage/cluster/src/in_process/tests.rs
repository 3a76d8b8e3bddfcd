use super::limits::Limits;
use super::{Hub, InProcess};
use crate::{Cluster as _, LimitKey, NodeId, NodeInfo, Quota};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;
use uuid::Uuid;

/// Few, so that the tests are quick.
const KEYS: usize = 8_000;

fn node(number: u128) -> NodeInfo {
    let id = NodeId(Uuid::from_u128(number));
    NodeInfo {
        id,
        name: format!("node-{number}"),
        version: "1".to_owned(),
        started_at: 0,
        urls: BTreeMap::new(),
    }
}

fn key(number: u32) -> LimitKey {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_le_bytes());
    LimitKey { name: "test", id }
}

fn quota(period: Duration, burst: u32) -> Quota {
    Quota { period, burst: NonZeroU32::new(burst).unwrap() }
}

#[tokio::test(start_paused = true)]
async fn paused_time_drives_the_limits() {
    let alone = InProcess::alone(node(1));
    let hourly = quota(Duration::from_secs(3_600), 2);
    let taken = alone.take(&key(1), hourly, 3).await.unwrap();
    assert_eq!((taken.cells, taken.retry_after), (2, Duration::from_secs(3_600)));
    tokio::time::advance(Duration::from_secs(3_599)).await;
    let taken = alone.take(&key(1), hourly, 1).await.unwrap();
    assert_eq!((taken.cells, taken.retry_after), (0, Duration::from_secs(1)));
    tokio::time::advance(taken.retry_after).await;
    assert_eq!(alone.take(&key(1), hourly, 1).await.unwrap().cells, 1);
}

#[tokio::test(start_paused = true)]
async fn keys_are_bounded_and_the_most_used_ones_are_remembered() {
    let limits = Limits::new(KEYS);
    let slow = quota(Duration::from_secs(60), 10);
    for number in 0..100 {
        assert_eq!(limits.take(&key(number), slow, 10).cells, 10);
    }
    for number in 100..u32::try_from(KEYS + KEYS / 4).unwrap() {
        limits.take(&key(number), slow, 1);
    }
    assert!(limits.keys() <= KEYS, "{}", limits.keys());
    assert!((0..100).all(|number| limits.take(&key(number), slow, 1).cells == 0));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_full_again_make_room() {
    let limits = Limits::new(KEYS);
    let quick = quota(Duration::from_secs(1), 1);
    for number in 0..u32::try_from(KEYS + KEYS / 4).unwrap() {
        limits.take(&key(number), quick, 1);
    }
    tokio::time::advance(Duration::from_secs(2)).await;
    for number in 0..u32::try_from(KEYS / 4).unwrap() {
        limits.take(&key(u32::MAX - number), quick, 1);
    }
    assert!(limits.keys() < KEYS / 2, "{}", limits.keys());
}

#[tokio::test]
async fn a_node_that_was_dropped_is_not_listed() {
    let hub = Hub::new();
    let first = hub.join(node(1));
    drop(hub.join(node(2)));
    assert_eq!(first.nodes().await.unwrap(), [node(1)]);
    assert_eq!(first.node_count(), 1);
}
