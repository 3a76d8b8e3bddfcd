//! How long a shared limit takes, and how long until another node hears of something, over a private Redis.
//!
//!     cargo run --release -p plinto-cluster --example latency

use plinto_cluster::conformance::{limit, node, quota, wake};
use plinto_cluster::{Cluster as _, RedisOptions, RedisShared};
use plinto_servers::RedisServer;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ROUNDS: u32 = 5_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = RedisServer::start()?;
    let options = RedisOptions::new(vec![server.url().parse()?]);
    let first = RedisShared::connect(options.clone(), node(1)).await?;
    let second = RedisShared::connect(options, node(2)).await?;

    let mut takes = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        first.take(&limit(1), quota(Duration::from_micros(1), 1_000), 1).await?;
        takes.push(start.elapsed());
    }
    show("take", takes);

    let mut heard = second.subscribe();
    let mut notices = Vec::new();
    for number in 0..ROUNDS / 5 {
        // Apart, so that each finds the reader waiting.
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        first.announce(wake(u128::from(number)));
        heard.recv().await.ok_or("the subscription ended")?;
        notices.push(start.elapsed());
    }
    show("announce until heard", notices);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{what}: median {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100));
}
