//! (j): what limits shared over Redis add to a request, beside a node of the same installation without Redis.

use super::nodes::access_tokens;
use crate::rig::accounts::{PASSWORD, email};
use crate::rig::instance::{now, roomy};
use crate::rig::load::{Load, Pace, Plan, histogram, run as generate};
use crate::rig::nodes::{Installation, Node};
use crate::rig::numbers::{Round, spread};
use crate::rig::report::Measurement;
use crate::rig::requests::{self, Request};
use crate::rig::{BenchError, Settings};
use hdrhistogram::Histogram;
use plinto_cluster::{Cluster, LimitKey, NodeId, NodeInfo, Quota, RedisOptions, RedisShared};
use plinto_http::ListenerName;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ACCOUNTS: u64 = 1_000;
const SESSIONS: u64 = 64;
/// Networks the sign-ins come from: 198.18.0.0/15 is for benchmarks (RFC 2544).
const NETWORKS: u64 = 2_000;
/// Rates well below what the machine can do, so that latency is not a queue.
const INTROSPECTIONS: f64 = 500.0;
const SIGN_INS: f64 = 15.0;
const CONNECTIONS: usize = 8;
/// p99 wants some hundred sign-ins over all rounds.
const LEAST_SPAN: Duration = Duration::from_secs(4);
/// Round trips of one raw measurement.
const ROUND_TRIPS: usize = 2_000;

/// Latencies of one kind of request, without Redis and with it.
struct Series {
    rounds: Vec<Round>,
    without: Histogram<u64>,
    with: Histogram<u64>,
}

fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}

fn unmergeable(error: impl std::fmt::Display) -> BenchError {
    BenchError::Invalid(format!("histograms do not add up: {error}"))
}

impl Series {
    fn new() -> Self {
        Self { rounds: Vec::new(), without: histogram(), with: histogram() }
    }

    fn add(&mut self, without: &Load, with: &Load) -> Result<(), BenchError> {
        let p99 = |load: &Load| millis(&load.latency, 0.99);
        self.rounds.push(Round { baseline: p99(without), ours: p99(with) });
        self.without.add(&without.latency).map_err(unmergeable)?;
        self.with.add(&with.latency).map_err(unmergeable)
    }

    /// Over all rounds; the rounds give the spread of the p99.
    fn measurements(self, letter: usize, name: &str) -> Vec<Measurement> {
        let Self { rounds, without, with } = self;
        let at = |place: usize, percentile: &str, quantile: f64| {
            let whole = Round { baseline: millis(&without, quantile), ours: millis(&with, quantile) };
            let extra = format!("{:+.3} ms over {} requests", whole.ours - whole.baseline, with.len());
            let name = format!("{name} {percentile}, Redis limits / none");
            Measurement::ratio(&format!("j.{}", letter + place), &name, "ms", vec![whole], None).note(extra)
        };
        let mut p99 = at(1, "p99", 0.99);
        p99.spread = spread(rounds.iter().map(Round::ratio));
        p99.rounds = rounds;
        vec![at(0, "p50", 0.5), p99]
    }
}

/// The loads of one node.
struct Loads {
    introspections: Plan,
    sign_ins: Plan,
}

impl Loads {
    fn new(node: &Node, introspections: Arc<[Request]>, sign_ins: Arc<[Request]>, span: Duration) -> Self {
        let plan = |listener, requests, rate| Plan {
            addresses: Arc::new([node.address(listener)]),
            requests,
            connections: CONNECTIONS,
            pace: Pace::PerSecond(rate),
            span,
        };
        Self {
            introspections: plan(ListenerName::Auth, introspections, INTROSPECTIONS),
            sign_ins: plan(ListenerName::Core, sign_ins, SIGN_INS),
        }
    }

    /// One after the other: a sign-in's hashing would be in the introspections' numbers.
    async fn measure(&self) -> Result<[Load; 2], BenchError> {
        let introspections = generate(self.introspections.clone()).await?.all_served("introspection")?;
        Ok([introspections, generate(self.sign_ins.clone()).await?.all_served("sign-in")?])
    }
}

/// Round trips to Redis with nothing round them.
struct RoundTrips {
    connection: redis::aio::MultiplexedConnection,
    shared: RedisShared,
    asked: u64,
}

impl RoundTrips {
    async fn new(url: &str) -> Result<Self, BenchError> {
        let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        let node = NodeInfo {
            id: NodeId(uuid::Uuid::from_u128(7)),
            name: "bench".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: now().as_millis(),
            urls: std::collections::BTreeMap::new(),
        };
        let invalid = |error: plinto_cluster::OptionsError| BenchError::Invalid(error.to_string());
        let mut options = RedisOptions::new(vec![url.parse().map_err(invalid)?]);
        options.prefix = "bench:".to_owned();
        Ok(Self { connection, shared: RedisShared::connect(options, node).await.map_err(invalid)?, asked: 0 })
    }

    /// `PING`, and the script that takes one cell of a limit no request asked for before.
    async fn measure(
        &mut self,
        ping: &mut Histogram<u64>,
        script: &mut Histogram<u64>,
    ) -> Result<(), BenchError> {
        let quota = Quota { period: Duration::from_millis(10), burst: NonZeroU32::MIN };
        let micros = |begun: Instant| u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        for _ in 0..ROUND_TRIPS {
            let begun = Instant::now();
            redis::cmd("PING").query_async::<()>(&mut self.connection).await?;
            ping.saturating_record(micros(begun));
            self.asked += 1;
            let mut id = [0; 32];
            id[..8].copy_from_slice(&self.asked.to_be_bytes());
            let begun = Instant::now();
            self.shared.take(&LimitKey { name: "bench", id }, quota, 1).await?;
            script.saturating_record(micros(begun));
        }
        Ok(())
    }
}

/// Measures (j).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let span = if settings.quick { settings.span } else { settings.span.max(LEAST_SPAN) };
    let installation = Installation::start(settings.fresh_dir()?, 0..ACCOUNTS).await?;
    let with = installation.node("with-redis", true, &roomy()).await?;
    let without = installation.node("without-redis", false, &roomy()).await?;
    let tenant = &installation.tenant;
    let tokens = access_tokens(&with, installation.sessions(0..SESSIONS).await?).await?;
    let introspections: Arc<[_]> =
        tokens.iter().map(|token| requests::introspect(&tenant.service_key, token)).collect();
    let sign_in = |number| {
        let from = format!("198.18.{}.{}", number / 256, number % 256);
        requests::sign_in(&tenant.slug, &email(number % ACCOUNTS), PASSWORD, Some(&from))
    };
    let sign_ins: Arc<[_]> = (0..NETWORKS).map(sign_in).collect();
    let loads = |node| Loads::new(node, Arc::clone(&introspections), Arc::clone(&sign_ins), span);
    let (without, with) = (loads(&without), loads(&with));
    let mut raw = RoundTrips::new(&installation.servers.redis.url()).await?;
    let (mut ping, mut script) = (histogram(), histogram());
    let (mut introspection, mut sign_in) = (Series::new(), Series::new());
    for loads in [&without, &with] {
        generate(Plan { span: Duration::from_millis(500), ..loads.introspections.clone() }).await?;
    }
    for _ in 0..settings.rounds {
        let (a, b) = (without.measure().await?, with.measure().await?);
        introspection.add(&a[0], &b[0])?;
        sign_in.add(&a[1], &b[1])?;
        raw.measure(&mut ping, &mut script).await?;
    }
    raw.shared.close().await;
    let whole = |quantile| vec![Round { baseline: millis(&ping, quantile), ours: millis(&script, quantile) }];
    let mut all = introspection.measurements(1, "introspection");
    all.extend(sign_in.measurements(3, "sign-in attempt"));
    all.push(Measurement::ratio(
        "j.5",
        "Redis round trip p50, limit's script / PING",
        "ms",
        whole(0.5),
        None,
    ));
    all.push(Measurement::ratio("j.6", "Redis round trip p99, limit's script / PING", "ms", whole(0.99), None).note(
        "an attempt to sign in asks three limits one after the other; an introspection waits for none of its own",
    ));
    Ok(all)
}
