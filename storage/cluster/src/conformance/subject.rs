use crate::{Heard, LimitKey, NodeId, NodeInfo, Notice, Quota};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node with the id of its number.
pub fn node(number: u128) -> NodeInfo {
    let urls = BTreeMap::from([("auth".to_owned(), format!("http://node-{number}.example:8001"))]);
    let id = NodeId(Uuid::from_u128(number));
    NodeInfo {
        id,
        name: format!("node-{number}"),
        version: "0.1.0".to_owned(),
        started_at: 1_700_000_000_000,
        urls,
    }
}

/// A limit with the id of its number.
pub fn limit(number: u8) -> LimitKey {
    LimitKey { name: "conformance", id: [number; 32] }
}

/// A rate.
pub fn quota(period: Duration, burst: u32) -> Quota {
    Quota { period, burst: NonZeroU32::new(burst).expect("a burst of one or more") }
}

/// A notice with a number.
pub fn wake(number: u128) -> Notice {
    Notice::Wake { tenant: Uuid::from_u128(number), subscription: Uuid::from_u128(number + 1) }
}

/// What a reader hears next.
pub async fn next(reader: &mut mpsc::Receiver<Heard>) -> Heard {
    timeout(PATIENCE, reader.recv())
        .await
        .expect("something is heard in time")
        .expect("the subscription lives")
}

/// Asks until it holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}
