use super::{join, until_reachable};
use plinto_cluster::conformance::{eventually, limit, next, node, quota, wake};
use plinto_cluster::{Cluster as _, ClusterError, Heard, NodeId, RedisShared};
use plinto_servers::{RedisCluster, RedisServer};
use std::time::Duration;
use uuid::Uuid;

/// Takes a cell of a limit that always has one.
async fn take(node: &RedisShared) -> Result<u32, ClusterError> {
    let grant = node.take(&limit(1), quota(Duration::from_micros(1), 1_000), 1).await;
    grant.map(|grant| grant.cells)
}

/// A server that answers every question but takes no write is away, and is found when it takes them again.
async fn is_away_between(refuse: &[&str], reason: &str, heal: &[&str]) {
    let server = RedisServer::start().expect("it starts");
    let (first, second) = (join(&server.url(), 1).await, join(&server.url(), 2).await);
    let mut reader = first.subscribe();
    server.ask(refuse).expect("it answers");
    for node in [&first, &second] {
        // The reader of notices may be cut off first; the link hears why a moment later.
        eventually(reason, async || node.health().await.reason.is_some_and(|told| told.contains(reason)))
            .await;
        assert!(!node.is_reachable() && !node.health().await.reachable);
        assert!(take(node).await.is_err_and(|error| error.to_string().contains(reason)));
    }
    server.ask(&["ping"]).expect("it answers");
    second.announce(wake(1));
    eventually("what cannot be sent is counted", async || second.health().await.notices_lost == 1).await;

    server.ask(heal).expect("it answers");
    until_reachable(&first, true).await;
    until_reachable(&second, true).await;
    eventually("limits are shared again", async || take(&first).await == Ok(1)).await;
    second.announce(wake(2));
    let from = NodeId(Uuid::from_u128(2));
    assert_eq!(next(&mut reader).await, Heard::Notice { from, notice: wake(2) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_whose_memory_is_full_is_away() {
    let full = ["config", "set", "maxmemory", "1"];
    is_away_between(&full, "its memory is full", &["config", "set", "maxmemory", "0"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_became_a_replica_is_away() {
    let demoted = ["replicaof", "127.0.0.1", "1"];
    is_away_between(&demoted, "it is a replica", &["replicaof", "no", "one"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_took_the_right_to_write_away_is_away() {
    let forbidden = ["acl", "setuser", "default", "-set"];
    is_away_between(&forbidden, "may not use", &["acl", "setuser", "default", "+set"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_with_a_full_primary_is_away() {
    let servers = RedisCluster::start().unwrap();
    let mut options = super::options(&servers.urls()[0]);
    options.urls = servers.urls().iter().map(|url| url.parse().unwrap()).collect();
    let first = RedisShared::connect(options, node(1)).await.unwrap();
    for primary in servers.nodes() {
        until_reachable(&first, true).await;
        primary.ask(&["config", "set", "maxmemory", "1"]).unwrap();
        until_reachable(&first, false).await;
        eventually("the reason is told", async || {
            first.health().await.reason.is_some_and(|told| told.contains("memory is full"))
        })
        .await;
        primary.ask(&["config", "set", "maxmemory", "0"]).unwrap();
    }
    until_reachable(&first, true).await;
}
