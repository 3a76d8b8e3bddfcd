//! (k): from the answer to a sign-out on one node until another node refuses the token, with Redis and without.

use super::clients::says_active;
use super::nodes::access_tokens;
use crate::rig::client::Client;
use crate::rig::instance::roomy;
use crate::rig::load::histogram;
use crate::rig::nodes::{Installation, Node};
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings, requests};
use hdrhistogram::Histogram;
use plinto_http::ListenerName;
use std::ops::Range;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Sessions ended in one round.
const SESSIONS: u64 = 64;
/// Longest wait for a refusal.
const PATIENCE: Duration = Duration::from_secs(10);
/// The sign-outs of a round without Redis fall into this time, so that they meet its polls at any moment.
const SPREAD: Duration = Duration::from_millis(1_500);

/// Two nodes: one signs out, the other is asked.
struct Pair {
    here: Node,
    there: Node,
    /// Time between two looks.
    look: Duration,
    /// Time over which the sign-outs of a round are spread.
    spread: Duration,
    latency: Histogram<u64>,
}

/// One session.
struct Ending {
    tenant: String,
    service_key: String,
    token: String,
    core: std::net::SocketAddr,
    auth: std::net::SocketAddr,
    at: Instant,
    look: Duration,
}

impl Ending {
    /// Microseconds from the answer to the sign-out until the other node refused.
    async fn run(self) -> Result<u64, BenchError> {
        let (mut core, mut auth) = (Client::connect(self.core).await?, Client::connect(self.auth).await?);
        let question = requests::introspect(&self.service_key, &self.token);
        // The other node has the session in memory, which is the hard case.
        if !says_active(auth.demand("an introspection", &question).await?) {
            return Err(BenchError::Invalid("a session is not active before its end".into()));
        }
        sleep_until(self.at).await;
        core.demand("a sign-out", &requests::sign_out(&self.tenant, &self.token)).await?;
        let ended = Instant::now();
        while says_active(auth.demand("an introspection", &question).await?) {
            if ended.elapsed() > PATIENCE {
                return Err(BenchError::Invalid("a revoked token was accepted for ten seconds".into()));
            }
            sleep(self.look).await;
        }
        Ok(u64::try_from(ended.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

impl Pair {
    async fn round(&mut self, installation: &Installation, numbers: Range<u64>) -> Result<(), BenchError> {
        let tokens = access_tokens(&self.here, installation.sessions(numbers).await?).await?;
        let mut endings = JoinSet::new();
        let (begin, count) = (Instant::now() + Duration::from_millis(300), tokens.len());
        for (place, token) in tokens.into_iter().enumerate() {
            let ending = Ending {
                tenant: installation.tenant.slug.clone(),
                service_key: installation.tenant.service_key.clone(),
                token,
                core: self.here.address(ListenerName::Core),
                auth: self.there.address(ListenerName::Auth),
                at: begin + self.spread.mul_f64(place as f64 / count as f64),
                look: self.look,
            };
            endings.spawn(ending.run());
        }
        while let Some(ended) = endings.join_next().await {
            self.latency.saturating_record(ended??);
        }
        Ok(())
    }

    fn measurements(&self, letter: usize, name: &str, bar: f64) -> [Measurement; 2] {
        let at = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1_000.0;
        let named = |place: usize, percentile: &str, value, bar| {
            let name = format!("revocation seen on another node {percentile}, {name}");
            Measurement::absolute(&format!("k.{}", letter + place), &name, "ms", &[value], bar)
        };
        let note = format!(
            "{} sign-outs, longest {:.1} ms, looked every {:.0} ms",
            self.latency.len(),
            at(1.0),
            self.look.as_secs_f64() * 1_000.0
        );
        [named(0, "p50", at(0.5), None), named(1, "p99", at(0.99), Some(Bar::AtMost(bar))).note(note)]
    }
}

/// Measures (k).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let installation = Installation::start(settings.fresh_dir()?, 0..1).await?;
    let node = async |name: &str, redis| installation.node(name, redis, &roomy()).await;
    let pair = |here, there, look, spread| Pair {
        here,
        there,
        look: Duration::from_millis(look),
        spread,
        latency: histogram(),
    };
    let mut with = pair(node("with-1", true).await?, node("with-2", true).await?, 2, SPREAD);
    let mut without = pair(node("without-1", false).await?, node("without-2", false).await?, 20, SPREAD);
    let mut next = 0;
    for _ in 0..settings.rounds {
        for pair in [&mut with, &mut without] {
            pair.round(&installation, next..next + SESSIONS).await?;
            next += SESSIONS;
        }
    }
    let mut all = Vec::from(with.measurements(1, "Redis", 100.0));
    all.extend(without.measurements(3, "no Redis", 2_000.0));
    Ok(all)
}
