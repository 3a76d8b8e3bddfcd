//! Redis as tests get it.

use plinto_servers::{RedisCluster, RedisConfig, RedisServer};

#[test]
fn it_comes_back_empty_on_the_same_port() {
    let server = RedisServer::start().unwrap();
    let url = server.url();
    server.ask(&["set", "a", "1"]).unwrap();
    assert_eq!(server.ask(&["get", "a"]).unwrap().trim(), "1");
    server.stop();
    assert!(server.ask(&["ping"]).is_err());
    server.start_again().unwrap();
    assert_eq!(server.ask(&["get", "a"]).unwrap().trim(), "");
    server.kill();
    assert!(server.ask(&["ping"]).is_err());
    server.start_again().unwrap();
    assert_eq!(server.url(), url);
}

#[test]
fn a_frozen_one_keeps_what_it_has() {
    let server = RedisServer::start().unwrap();
    server.ask(&["set", "a", "1"]).unwrap();
    server.pause();
    assert!(server.ask(&["get", "a"]).is_err());
    server.resume();
    assert_eq!(server.ask(&["get", "a"]).unwrap().trim(), "1");
}

#[test]
fn a_password_is_asked_for() {
    let server =
        RedisServer::start_with(RedisConfig { password: Some("secret".to_owned()), tls: None }).unwrap();
    assert!(server.url().starts_with("redis://:secret@127.0.0.1:"));
    assert_eq!(server.ask(&["ping"]).unwrap().trim(), "PONG");
}

#[test]
fn a_cluster_shares_the_slots() {
    let cluster = RedisCluster::start().unwrap();
    assert_eq!(cluster.urls().len(), 3);
    for node in cluster.nodes() {
        let said = node.ask(&["cluster", "info"]).unwrap();
        assert!(said.contains("cluster_slots_ok:16384"), "{said}");
    }
}
