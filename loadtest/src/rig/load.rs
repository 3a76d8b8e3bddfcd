//! The load generator: a fixed number of keep-alive connections, driven by one thread of their own.
//!
//! It shares the cores with the server it measures, so it does as little as possible: requests are prepared bytes
//! and answers are read up to their end and not parsed further.

use super::answer::read_answer;
use super::error::BenchError;
use super::requests::Request;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// When a connection sends its next request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As soon as the last one was answered.
    Closed,
    /// At a fixed rate over all connections, whatever the server does.
    PerSecond(f64),
}

/// What to send.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Connections go to them in turn.
    pub(crate) addresses: Arc<[SocketAddr]>,
    /// Sent in turn.
    pub(crate) requests: Arc<[Request]>,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    pub(crate) span: Duration,
}

/// What came back.
pub(crate) struct Load {
    /// Answers per status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Microseconds from sending to the end of the answer, of answers with status 200.
    pub(crate) latency: Histogram<u64>,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl Load {
    /// Answers with status 200 per second.
    pub(crate) fn rate(&self) -> f64 {
        self.latency.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// Fails unless every answer had status 200 and there were some.
    pub(crate) fn all_served(self, what: &str) -> Result<Self, BenchError> {
        if self.statuses.keys().eq([200].iter()) {
            return Ok(self);
        }
        Err(BenchError::Invalid(format!("{what} was answered with statuses {:?}", self.statuses)))
    }

    /// Answers with a status.
    pub(crate) fn count(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }
}

/// An empty histogram of microseconds up to a minute, exact to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3)
        .expect("a minute in microseconds to three digits is supported")
}

/// Sends one request on a connection of its own and returns the status of the answer.
pub(crate) async fn ask_once(address: SocketAddr, request: &[u8]) -> Result<u16, BenchError> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    Ok(read_answer(&mut stream, &mut Vec::new()).await?)
}

/// Runs a plan on a thread of its own.
pub(crate) async fn run(plan: Plan) -> Result<Load, BenchError> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(drive(plan))
    })
    .await?
}

async fn drive(plan: Plan) -> Result<Load, BenchError> {
    let mut streams = Vec::with_capacity(plan.connections);
    for number in 0..plan.connections {
        let stream = TcpStream::connect(plan.addresses[number % plan.addresses.len()]).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for (number, stream) in streams.into_iter().enumerate() {
        connections.spawn(connection(stream, plan.clone(), number, begun));
    }
    let mut load = Load { statuses: BTreeMap::new(), latency: histogram(), elapsed: Duration::ZERO };
    while let Some(answers) = connections.join_next().await {
        for (status, micros) in answers?? {
            *load.statuses.entry(status).or_default() += 1;
            if status == 200 {
                load.latency.saturating_record(u64::from(micros));
            }
        }
    }
    load.elapsed = begun.elapsed();
    Ok(load)
}

/// One connection's answers: status and microseconds.
async fn connection(
    mut stream: TcpStream,
    plan: Plan,
    number: usize,
    begun: Instant,
) -> std::io::Result<Vec<(u16, u32)>> {
    let end = begun + plan.span;
    let mut answers = Vec::with_capacity(4_096);
    let mut buffer = Vec::with_capacity(4_096);
    let mut turn = number;
    let interval = match plan.pace {
        Pace::Closed => None,
        Pace::PerSecond(rate) => Some(Duration::from_secs_f64(plan.connections as f64 / rate)),
    };
    // Connections start evenly spread over one interval.
    let mut due =
        begun + interval.map_or(Duration::ZERO, |gap| gap.mul_f64(number as f64 / plan.connections as f64));
    loop {
        if let Some(interval) = interval {
            tokio::time::sleep_until(due.min(end)).await;
            due += interval;
        }
        let sent = Instant::now();
        if sent >= end {
            return Ok(answers);
        }
        stream.write_all(&plan.requests[turn % plan.requests.len()]).await?;
        let status = read_answer(&mut stream, &mut buffer).await?;
        answers.push((status, u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX)));
        turn += plan.connections;
    }
}
