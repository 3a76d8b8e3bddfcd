use super::{PREFIX, join, options, until_reachable};
use plinto_cluster::conformance::{eventually, node};
use plinto_cluster::{Cluster as _, NodeInfo, RedisOptions, RedisShared};
use plinto_servers::RedisServer;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

const SECRET: [u8; 32] = [7; 32];

fn with_secret(server: &RedisServer, secret: [u8; 32]) -> RedisOptions {
    RedisOptions { secret: Zeroizing::new(secret), ..options(&server.url()) }
}

/// Lists what `entry` says as a node that is alive.
fn put(server: &RedisServer, id: &NodeInfo, entry: &str) {
    let [seen, info] = ["seen", "info"].map(|key| format!("{PREFIX}{{nodes}}:{key}"));
    let id = id.id.0.to_string();
    server.ask(&["HSET", &info, &id, entry]).expect("it answers");
    server.ask(&["ZADD", &seen, "99999999999", &id]).expect("it answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_no_node_signed_is_left_out() {
    let server = RedisServer::start().unwrap();
    let first = RedisShared::connect(with_secret(&server, SECRET), node(1)).await.unwrap();
    let second = RedisShared::connect(with_secret(&server, SECRET), node(2)).await.unwrap();
    let listed = async || first.nodes().await.unwrap();
    assert_eq!(listed().await, [node(1), node(2)]);

    let mut forged = node(3);
    forged.urls.insert("auth".to_owned(), "http://evil.example".to_owned());
    let text = serde_json::to_string(&forged).unwrap();
    let known = server.ask(&["HGET", &format!("{PREFIX}{{nodes}}:info"), &node(2).id.0.to_string()]).unwrap();
    let (signature, _) = known.trim().split_once(' ').unwrap();
    let zeros = "0".repeat(64);
    for entry in [text.clone(), format!("{signature} {text}"), format!("{zeros} {text}"), format!(" {text}")]
    {
        put(&server, &forged, &entry);
        assert_eq!(listed().await, [node(1), node(2)], "{entry}");
    }
    // What a node did sign, in another's place, is that node once more.
    put(&server, &forged, known.trim());
    assert_eq!(listed().await, [node(1), node(2)]);
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_secret_is_left_out() {
    let server = RedisServer::start().unwrap();
    let first = RedisShared::connect(with_secret(&server, SECRET), node(1)).await.unwrap();
    let stranger = join(&server.url(), 2).await;
    assert_eq!(first.nodes().await.unwrap(), [node(1)]);
    assert_eq!(stranger.nodes().await.unwrap(), [node(2)]);
}

#[test]
fn the_secret_is_never_shown() {
    let options =
        RedisOptions { secret: Zeroizing::new([213; 32]), ..options("redis://cache.example:6379/") };
    let shown = format!("{options:?} {options:#?}");
    assert!(shown.contains("cache.example") && !shown.contains("213") && !shown.contains("d5d5"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_never_reached_redis_reckons_with_the_expected_others() {
    let server = RedisServer::start().unwrap();
    server.stop();
    let three = RedisOptions { expected_nodes: NonZeroU32::new(3).unwrap(), ..options(&server.url()) };
    let first = RedisShared::connect(three, node(1)).await.unwrap();
    assert!(!first.is_reachable());
    assert_eq!(first.node_count(), 3);
    server.start_again().unwrap();
    until_reachable(&first, true).await;
    eventually("what redis says counts in the end", async || first.node_count() == 1).await;
}
