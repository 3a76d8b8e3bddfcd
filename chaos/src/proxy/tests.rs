use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Duration, sleep};

use super::{NO_NODE, NODE_LOST, Proxy};

/// What a node does with a request that is no question for its readiness.
#[derive(Clone, Copy)]
enum Manner {
    Answers,
    HangsUp,
}

/// A node that counts the requests it was sent.
struct FakeNode {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl FakeNode {
    async fn open(ready: bool, manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 1024];
                let read = stream.read(&mut head).await.unwrap();
                let status = if head[..read].starts_with(b"GET /health/ready ") {
                    if ready { "200 OK" } else { "503 Service Unavailable" }
                } else {
                    count.fetch_add(1, Ordering::SeqCst);
                    if matches!(manner, Manner::HangsUp) {
                        continue;
                    }
                    "204 No Content"
                };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// An address where nobody listens.
async fn nowhere() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap()
}

async fn proxy(nodes: &[SocketAddr]) -> Proxy {
    let proxy = Proxy::open(nodes.len()).await.unwrap();
    for (node, address) in nodes.iter().enumerate() {
        proxy.moved(node, *address, *address);
    }
    proxy
}

async fn until_sent_to(proxy: &Proxy, node: usize) {
    while !proxy.sends_to(node) {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Status and body of a request through the core front.
async fn ask(proxy: &Proxy) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(format!("http://{}/anything", proxy.core())).body("{}").send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn ready_nodes_take_turns_and_others_get_nothing() {
    let ready = [FakeNode::open(true, Manner::Answers).await, FakeNode::open(true, Manner::Answers).await];
    let busy = FakeNode::open(false, Manner::Answers).await;
    let proxy = proxy(&[ready[0].address, busy.address, ready[1].address]).await;
    until_sent_to(&proxy, 0).await;
    until_sent_to(&proxy, 2).await;
    for _ in 0..6 {
        assert_eq!(ask(&proxy).await.0, 204);
    }
    assert_eq!(busy.requests(), 0);
    assert!(ready.iter().all(|node| node.requests() >= 2), "every ready node has its turn");
}

#[tokio::test]
async fn a_request_that_could_not_be_sent_goes_to_another_node() {
    let node = FakeNode::open(false, Manner::Answers).await;
    let proxy = proxy(&[nowhere().await, node.address]).await;
    // None is ready, so all are tried; one of the two first turns meets the address where nobody listens.
    for _ in 0..2 {
        assert_eq!(ask(&proxy).await.0, 204);
    }
    assert_eq!(node.requests(), 2);
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_again() {
    let nodes = [FakeNode::open(true, Manner::HangsUp).await, FakeNode::open(true, Manner::HangsUp).await];
    let proxy = proxy(&[nodes[0].address, nodes[1].address]).await;
    until_sent_to(&proxy, 0).await;
    until_sent_to(&proxy, 1).await;
    let (status, body) = ask(&proxy).await;
    assert_eq!((status, body.contains(NODE_LOST)), (502, true));
    assert_eq!(nodes[0].requests() + nodes[1].requests(), 1);
}

#[tokio::test]
async fn without_any_node_the_proxy_says_so() {
    let proxy = proxy(&[nowhere().await]).await;
    let (status, body) = ask(&proxy).await;
    assert_eq!((status, body.contains(NO_NODE)), (503, true));
}

#[tokio::test]
async fn a_lost_answer_is_lost_after_the_node_did_what_was_asked() {
    let node = FakeNode::open(true, Manner::Answers).await;
    let proxy = proxy(&[node.address]).await;
    proxy.lose_answers(true);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&proxy).await.0);
    }
    assert_eq!((statuses, node.requests()), (vec![502, 204, 204, 204], 4));
}
