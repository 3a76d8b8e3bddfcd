use super::{PREFIX, at_once, cut_and, join, until_reachable};
use plinto_cluster::conformance::{next, wake};
use plinto_cluster::{Cluster as _, Heard, NodeId};
use plinto_servers::RedisServer;
use uuid::Uuid;

fn stranger() -> NodeId {
    NodeId(Uuid::from_u128(77))
}

/// What another node appends, as a command.
fn append(number: u128) -> String {
    let text = serde_json::to_string(&wake(number)).expect("plain data");
    format!("XADD {PREFIX}notices * from {} notice '{text}'", stranger().0)
}

fn heard(number: u128) -> Heard {
    Heard::Notice { from: stranger(), notice: wake(number) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_announced_while_the_reader_was_cut_off_is_heard_without_a_gap() {
    let server = RedisServer::start().unwrap();
    let node = join(&server.url(), 1).await;
    let mut reader = node.subscribe();
    for round in 0..3 {
        cut_and(&server, &[&append(round * 10), &append(round * 10 + 1)]);
        assert_eq!(next(&mut reader).await, heard(round * 10));
        assert_eq!(next(&mut reader).await, heard(round * 10 + 1));
        until_reachable(&node, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_trimmed_away_meanwhile_is_a_gap() {
    let server = RedisServer::start().unwrap();
    let node = join(&server.url(), 1).await;
    let mut reader = node.subscribe();
    let trim = format!("XTRIM {PREFIX}notices MAXLEN 1");
    cut_and(&server, &[&append(1), &append(2), &trim]);
    assert_eq!(next(&mut reader).await, Heard::Gap);
    server.ask(&append(3).replace('\'', "").split(' ').collect::<Vec<_>>()).unwrap();
    assert_eq!(next(&mut reader).await, heard(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_trimmed_away_before_a_connected_reader_came_to_it_is_a_gap() {
    let server = RedisServer::start().unwrap();
    let node = join(&server.url(), 1).await;
    let mut reader = node.subscribe();
    // The reader is served when all of it is done, as one that was held up while others wrote more than is kept.
    let trim = format!("XTRIM {PREFIX}notices MAXLEN 1");
    at_once(&server, &[&append(1), &append(2), &trim]);
    assert_eq!(next(&mut reader).await, heard(2));
    assert_eq!(next(&mut reader).await, Heard::Gap);
    at_once(&server, &[&append(3)]);
    assert_eq!(next(&mut reader).await, heard(3));
    at_once(&server, &[&append(4)]);
    assert_eq!(next(&mut reader).await, heard(4), "one gap is told once");
    assert!(node.is_reachable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_emptied_or_put_back_is_a_gap_and_read_on() {
    let server = RedisServer::start().unwrap();
    let node = join(&server.url(), 1).await;
    let mut reader = node.subscribe();
    let emptied = format!("DEL {PREFIX}notices");
    let older = append(1).replace('*', "1-1");
    for (round, commands) in [vec![emptied.as_str()], vec![&emptied, &older]].into_iter().enumerate() {
        at_once(&server, &commands);
        assert_eq!(next(&mut reader).await, Heard::Gap);
        let number = 10 + round as u128;
        at_once(&server, &[&append(number)]);
        assert_eq!(next(&mut reader).await, heard(number));
        assert!(node.is_reachable());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_redis_is_no_gap() {
    let server = RedisServer::start().unwrap();
    let (first, second) = (join(&server.url(), 1).await, join(&server.url(), 2).await);
    let mut reader = second.subscribe();
    server.pause();
    until_reachable(&second, false).await;
    until_reachable(&first, false).await;
    server.resume();
    until_reachable(&second, true).await;
    until_reachable(&first, true).await;
    first.announce(wake(5));
    let expected = Heard::Notice { from: first.this().id, notice: wake(5) };
    assert_eq!(next(&mut reader).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_says_is_a_gap() {
    let server = RedisServer::start().unwrap();
    let node = join(&server.url(), 1).await;
    let mut reader = node.subscribe();
    let stream = format!("{PREFIX}notices");
    let id = stranger().0.to_string();
    let strange = [r#"{"kind":"of-tomorrow"}"#, "not json"];
    for text in strange {
        server.ask(&["XADD", &stream, "*", "from", &id, "notice", text]).unwrap();
        assert_eq!(next(&mut reader).await, Heard::Gap);
    }
    server.ask(&["XADD", &stream, "*", "from", "nobody", "notice", "{}"]).unwrap();
    assert_eq!(next(&mut reader).await, Heard::Gap);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_is_bounded() {
    let server = RedisServer::start().unwrap();
    let (first, second) = (join(&server.url(), 1).await, join(&server.url(), 2).await);
    let mut reader = second.subscribe();
    for start in (0..12_000).step_by(500) {
        for number in start..start + 500 {
            first.announce(wake(number));
        }
        for number in start..start + 500 {
            assert_eq!(
                next(&mut reader).await,
                Heard::Notice { from: first.this().id, notice: wake(number) }
            );
        }
    }
    let length: u32 = server.ask(&["XLEN", &format!("{PREFIX}notices")]).unwrap().trim().parse().unwrap();
    assert!((10_000..10_500).contains(&length), "{length}");
}
