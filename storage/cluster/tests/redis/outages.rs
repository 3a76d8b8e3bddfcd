use super::{join, until_reachable};
use plinto_cluster::conformance::{eventually, limit, next, node, quota, wake};
use plinto_cluster::{Cluster as _, ClusterError, Heard, NodeId, RedisShared};
use plinto_servers::{RedisCluster, RedisServer};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A call may hold nobody up longer than this, whatever Redis does.
const BOUND: Duration = Duration::from_millis(1_000);

fn from(number: u128, of: u128) -> Heard {
    Heard::Notice { from: NodeId(Uuid::from_u128(number)), notice: wake(of) }
}

/// The reader of notices may have missed Redis first; the link does so a moment later.
async fn fails_at_once(node: &RedisShared) {
    eventually("calls do not wait", async || {
        let start = Instant::now();
        let taken = node.take(&limit(1), quota(BOUND, 1), 1).await;
        assert!(
            taken.as_ref().err().is_none_or(|error| error.to_string().contains("no answer in time")),
            "{taken:?}"
        );
        taken.is_err() && start.elapsed() < Duration::from_millis(100)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_starts_without_redis_and_finds_it_when_it_comes() {
    let server = RedisServer::start().unwrap();
    server.stop();
    let start = Instant::now();
    let first = join(&server.url(), 1).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let mut reader = first.subscribe();
    assert!(!first.is_reachable());
    assert_eq!(first.node_count(), 1);
    let health = first.health().await;
    assert_eq!((health.reachable, health.reason.as_deref()), (false, Some("nothing listens there")));
    assert!(matches!(first.nodes().await, Err(ClusterError::Away { .. })));

    server.start_again().unwrap();
    until_reachable(&first, true).await;
    assert_eq!(next(&mut reader).await, Heard::Gap, "nobody knows what was announced before");
    let second = join(&server.url(), 2).await;
    second.announce(wake(7));
    assert_eq!(next(&mut reader).await, from(2, 7));
    eventually("the first is listed", async || second.nodes().await.is_ok_and(|nodes| nodes.len() == 2))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_came_back_empty_is_a_gap() {
    let server = RedisServer::start().unwrap();
    let (first, second) = (join(&server.url(), 1).await, join(&server.url(), 2).await);
    eventually("both are counted", async || first.node_count() == 2).await;
    let mut reader = second.subscribe();
    first.announce(wake(1));
    assert_eq!(next(&mut reader).await, from(1, 1));

    server.kill();
    until_reachable(&first, false).await;
    until_reachable(&second, false).await;
    assert_eq!(first.node_count(), 2, "what was last known");
    server.start_again().unwrap();
    until_reachable(&first, true).await;
    until_reachable(&second, true).await;
    assert_eq!(next(&mut reader).await, Heard::Gap);
    assert_eq!(first.node_count(), 2, "an empty redis does not shrink the cluster");
    first.announce(wake(2));
    assert_eq!(next(&mut reader).await, from(1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_redis_is_noticed_within_a_second_and_so_is_its_return() {
    let server = RedisServer::start().unwrap();
    let first = join(&server.url(), 1).await;
    let (mut noticed, mut returned) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        server.pause();
        let start = Instant::now();
        until_reachable(&first, false).await;
        noticed.push(start.elapsed());
        fails_at_once(&first).await;
        server.resume();
        let start = Instant::now();
        until_reachable(&first, true).await;
        returned.push(start.elapsed());
        eventually("limits are shared again", async || {
            first.take(&limit(1), quota(BOUND, 1), 1).await.is_ok()
        })
        .await;
    }
    // The best of three: this machine has other work.
    assert!(noticed.iter().min() < Some(&BOUND), "{noticed:?}");
    assert!(returned.iter().min() < Some(&BOUND), "{returned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_waits_for_a_redis_that_just_hung() {
    let server = RedisServer::start().unwrap();
    let first = join(&server.url(), 1).await;
    server.pause();
    let start = Instant::now();
    first.take(&limit(1), quota(BOUND, 1), 1).await.unwrap_err();
    first.nodes().await.unwrap_err();
    first.announce(wake(1));
    let health = first.health().await;
    assert_eq!(health.kind, "redis");
    // Two questions of 400 ms, if the absence was not noticed meanwhile.
    assert!(start.elapsed() < BOUND + BOUND, "{:?}", start.elapsed());
    let start = Instant::now();
    first.close().await;
    assert!(start.elapsed() < BOUND + BOUND, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_that_cannot_be_sent_are_counted() {
    let server = RedisServer::start().unwrap();
    let first = join(&server.url(), 1).await;
    server.stop();
    until_reachable(&first, false).await;
    for number in 0..1_000 {
        first.announce(wake(number));
    }
    eventually("each is counted", async || first.health().await.notices_lost == 1_000).await;
    server.start_again().unwrap();
    until_reachable(&first, true).await;
    let second = join(&server.url(), 2).await;
    let mut reader = second.subscribe();
    first.announce(wake(5_000));
    assert_eq!(next(&mut reader).await, from(1, 5_000), "old ones are forgotten");
    assert_eq!(first.health().await.notices_lost, 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_sends_what_waits() {
    let server = RedisServer::start().unwrap();
    let (first, second) = (join(&server.url(), 1).await, join(&server.url(), 2).await);
    let mut reader = second.subscribe();
    for number in 0..500 {
        first.announce(wake(number));
    }
    first.close().await;
    assert!(!first.is_reachable());
    assert!(matches!(first.take(&limit(1), quota(BOUND, 1), 1).await, Err(ClusterError::Away { .. })));
    for number in 0..500 {
        assert_eq!(next(&mut reader).await, from(1, number));
    }
    assert_eq!(second.nodes().await.unwrap(), [node(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_with_a_hanging_primary_is_away_until_it_answers() {
    let servers = RedisCluster::start().unwrap();
    let mut options = super::options(&servers.urls()[0]);
    options.urls = servers.urls().iter().map(|url| url.parse().unwrap()).collect();
    let first = RedisShared::connect(options, node(1)).await.unwrap();
    let mut reader = first.subscribe();
    assert!(first.is_reachable());
    for primary in servers.nodes() {
        primary.pause();
        until_reachable(&first, false).await;
        fails_at_once(&first).await;
        primary.resume();
        until_reachable(&first, true).await;
    }
    eventually("limits are shared again", async || first.take(&limit(1), quota(BOUND, 1), 1).await.is_ok())
        .await;
    drop(first);
    while let Some(heard) = reader.recv().await {
        assert_eq!(heard, Heard::Gap, "nobody else is there");
    }
}
