//! (d): what tenant B notices while tenant A is flooded at ten times its limits.
//!
//! B is measured by itself and under the flood in turn, at a rate well below its own limits, which are the same as
//! A's. Its load comes from threads of their own, so that the generator of the flood does not hold it up.
//!
//! A control run floods a bare axum server in this process with as many requests on as many connections instead of A:
//! what B notices then is what the machine's scheduling alone costs, whoever answers the flood.

use super::bare::{self, Bare};
use crate::rig::accounts::{PASSWORD, add_accounts, email, live_sessions};
use crate::rig::instance::{Instance, Tenant, now};
use crate::rig::load::{Load, Pace, Plan, histogram, run as generate};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::requests::{self, Request};
use crate::rig::{BenchError, Settings};
use hdrhistogram::Histogram;
use plinto_actors::Limits;
use plinto_http::ListenerName;
use std::sync::Arc;
use std::time::Duration;

/// Requests a second a tenant may make; less than the default, so that ten times as many and the generator that
/// sends them fit on the machine. Those per network are the shipped ones.
const TENANT_LIMIT: u32 = 500;
/// Introspections a second of A: ten times what the tenant may.
const FLOOD: f64 = 10.0 * TENANT_LIMIT as f64;
/// Sign-ins a second of A beside them; one network may do one.
const FLOOD_SIGN_INS: f64 = 400.0;
const B_INTROSPECTIONS: f64 = 200.0;
const B_SIGN_INS: f64 = 20.0;
const ACCOUNTS: u64 = 1_000;
const SESSIONS: u64 = 64;
/// Networks that B's people and a spray come from: 198.18.0.0/15 is for benchmarks (RFC 2544).
const NETWORKS: u64 = 2_000;
/// Time the flood runs before B is measured under it, and after.
const HEAD_START: Duration = Duration::from_millis(600);
/// p99 wants some hundred sign-ins over all rounds.
const LEAST_SPAN: Duration = Duration::from_secs(5);

fn limits() -> Limits {
    Limits {
        tenant_per_second: TENANT_LIMIT,
        tenant_burst: TENANT_LIMIT,
        // The same few accounts sign in round after round, more often than people do.
        account_burst: 10_000,
        account_refill_seconds: 1,
        ..Limits::default()
    }
}

/// The two loads of one tenant.
#[derive(Clone)]
struct Loads {
    introspections: Plan,
    sign_ins: Plan,
}

struct Scene {
    instance: Instance,
    b: Loads,
    /// From one network, as somebody at home floods.
    flood: Loads,
    /// From as many networks as requests, so that only the tenant's own bounds hold it.
    spray: Loads,
    /// The flood's requests, answered by a bare server.
    control: Loads,
    _bare: Bare,
}

fn sign_ins_from_many_networks(tenant: &Tenant) -> Arc<[Request]> {
    let sign_in = |number| {
        let from = format!("198.18.{}.{}", number / 256, number % 256);
        requests::sign_in(&tenant.slug, &email(number % ACCOUNTS), PASSWORD, Some(&from))
    };
    (0..NETWORKS).map(sign_in).collect()
}

fn sign_ins_from_one_network(tenant: &Tenant) -> Arc<[Request]> {
    (0..ACCOUNTS).map(|number| requests::sign_in(&tenant.slug, &email(number), PASSWORD, None)).collect()
}

async fn introspections(instance: &Instance, tenant: &Tenant) -> Result<Arc<[Request]>, BenchError> {
    let (engine, epoch) = (instance.store.engine(), now());
    add_accounts(&**engine, &tenant.vault, 0..ACCOUNTS, epoch).await?;
    let tokens = live_sessions(&instance.platform, &**engine, tenant, SESSIONS, epoch).await?;
    Ok(tokens.iter().map(|token| requests::introspect(&tenant.service_key, token)).collect())
}

async fn scene(settings: &Settings, data_dir: &std::path::Path) -> Result<Scene, BenchError> {
    let span = if settings.quick { settings.span } else { settings.span.max(LEAST_SPAN) };
    let instance = Instance::serve(data_dir, limits()).await?;
    let (a, b) = (instance.tenant("alpha").await?, instance.tenant("bravo").await?);
    let (auth, core) = (instance.address(ListenerName::Auth), instance.address(ListenerName::Core));
    let plan = |address, requests, connections, rate, span| Plan {
        addresses: Arc::new([address]),
        requests,
        connections,
        pace: Pace::PerSecond(rate),
        span,
    };
    let quiet = Loads {
        introspections: plan(auth, introspections(&instance, &b).await?, 8, B_INTROSPECTIONS, span),
        sign_ins: plan(core, sign_ins_from_many_networks(&b), 8, B_SIGN_INS, span),
    };
    // The flood begins before and ends after what is measured.
    let longer = span + HEAD_START * 2;
    let flood = Loads {
        introspections: plan(auth, introspections(&instance, &a).await?, 64, FLOOD, longer),
        sign_ins: plan(core, sign_ins_from_one_network(&a), 128, FLOOD_SIGN_INS, longer),
    };
    let sprayed = Plan { requests: sign_ins_from_many_networks(&a), ..flood.sign_ins.clone() };
    let spray = Loads { sign_ins: sprayed, ..flood.clone() };
    let bare = bare::json().await?;
    let elsewhere = |flood: &Plan| Plan {
        addresses: Arc::new([bare.address]),
        requests: Arc::new([requests::get(bare::PATH)]),
        ..flood.clone()
    };
    let control =
        Loads { introspections: elsewhere(&flood.introspections), sign_ins: elsewhere(&flood.sign_ins) };
    Ok(Scene { instance, b: quiet, flood, spray, control, _bare: bare })
}

/// B's two loads at once.
async fn measure(b: &Loads) -> Result<[Load; 2], BenchError> {
    let (introspections, sign_ins) =
        tokio::join!(generate(b.introspections.clone()), generate(b.sign_ins.clone()));
    Ok([introspections?.all_served("B's introspection")?, sign_ins?.all_served("B's sign-in")?])
}

/// B's two loads while A is flooded, and what A was answered.
async fn measure_under(b: &Loads, flood: &Loads) -> Result<([Load; 2], [Load; 2]), BenchError> {
    let head_start = async {
        tokio::time::sleep(HEAD_START).await;
        measure(b).await
    };
    let (measured, introspections, sign_ins) =
        tokio::join!(head_start, generate(flood.introspections.clone()), generate(flood.sign_ins.clone()));
    Ok((measured?, [introspections?, sign_ins?]))
}

/// One kind of request over all rounds.
struct Series {
    rounds: Vec<Round>,
    /// The baseline: B alone, unless said otherwise.
    alone: Histogram<u64>,
    flooded: Histogram<u64>,
}

impl Series {
    fn new() -> Self {
        Self { rounds: Vec::new(), alone: histogram(), flooded: histogram() }
    }

    fn add(&mut self, alone: &Load, flooded: &Load) -> Result<(), BenchError> {
        let p99 = |load: &Load| load.latency.value_at_quantile(0.99) as f64 / 1_000.0;
        self.rounds.push(Round { baseline: p99(alone), ours: p99(flooded) });
        let unmergeable = |error| BenchError::Invalid(format!("histograms do not add up: {error}"));
        self.alone.add(&alone.latency).map_err(unmergeable)?;
        self.flooded.add(&flooded.latency).map_err(unmergeable)
    }

    /// p99 over all rounds, which is what the bar is about; the rounds give the spread.
    fn measurement(self, id: &str, name: &str, bar: Option<Bar>) -> Measurement {
        let millis = |histogram: &Histogram<u64>, q: f64| histogram.value_at_quantile(q) as f64 / 1_000.0;
        let whole = Round { baseline: millis(&self.alone, 0.99), ours: millis(&self.flooded, 0.99) };
        let note = format!(
            "over {} and {} requests: baseline's median {:.2} ms, ours {:.2} ms",
            self.alone.len(),
            self.flooded.len(),
            millis(&self.alone, 0.5),
            millis(&self.flooded, 0.5)
        );
        let mut measurement = Measurement::ratio(id, name, "ms", vec![whole], bar).note(note);
        measurement.spread = crate::rig::numbers::spread(self.rounds.iter().map(Round::ratio));
        measurement.rounds = self.rounds;
        measurement
    }
}

/// Measures (d).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let scene = scene(settings, &folder.path().join("data")).await?;
    generate(Plan { span: Duration::from_millis(500), ..scene.b.sign_ins.clone() }).await?;
    let [mut introspection, mut sign_in, mut sprayed, mut control, mut against_control] =
        [(); 5].map(|()| Series::new());
    let mut refused = [0_u64; 2];
    let mut served = [0_u64; 2];
    for _ in 0..settings.rounds {
        let alone = measure(&scene.b).await?;
        let (flooded, of_a) = measure_under(&scene.b, &scene.flood).await?;
        introspection.add(&alone[0], &flooded[0])?;
        sign_in.add(&alone[1], &flooded[1])?;
        for (index, load) in of_a.iter().enumerate() {
            served[index] += load.count(200);
            refused[index] += load.count(429) + load.count(503);
        }
        let (under_spray, _) = measure_under(&scene.b, &scene.spray).await?;
        sprayed.add(&alone[1], &under_spray[1])?;
        let (under_control, _) = measure_under(&scene.b, &scene.control).await?;
        control.add(&alone[0], &under_control[0])?;
        against_control.add(&under_control[0], &flooded[0])?;
    }
    scene.instance.stop().await;
    let bar = Some(Bar::AtMost(1.5));
    let note = format!(
        "A: {} introspections served and {} refused, {} sign-ins served and {} refused",
        served[0], refused[0], served[1], refused[1]
    );
    Ok(vec![
        introspection.measurement("d.1", "B's introspection p99, A flooded at 10x / alone", bar).note(note),
        sign_in.measurement("d.2", "B's sign-in p99, A flooded at 10x / alone", bar),
        sprayed.measurement("d.3", "B's sign-in p99, A's password queue full / alone", None).note(
            "harder than the issue asks: A's flood comes from many networks and fills its share of the pool",
        ),
        control
            .measurement("d.4", "B's introspection p99, a bare server flooded / alone", None)
            .note("the control: the same requests on the same connections, answered by axum with a constant"),
        against_control.measurement("d.5", "B's introspection p99, A flooded / bare server flooded", None),
    ])
}
