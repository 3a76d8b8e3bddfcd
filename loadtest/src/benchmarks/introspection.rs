//! (a) and (b): introspection of live sessions through the real listener against bare servers.

use super::bare;
use crate::rig::accounts::{add_accounts, live_sessions};
use crate::rig::instance::{Instance, now, roomy};
use crate::rig::load::{Load, Pace, Plan, run as generate};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::requests::{self, Request};
use crate::rig::{BenchError, Settings};
use plinto_http::ListenerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// Live sessions the requests go to in turn.
const SESSIONS: u64 = 512;
/// Before the first round, each server once.
const WARM_UP: Duration = Duration::from_millis(500);

fn plan(address: SocketAddr, requests: Vec<Request>, span: Duration) -> Plan {
    let addresses = Arc::new([address]);
    Plan { addresses, requests: requests.into(), connections: CONNECTIONS, pace: Pace::Closed, span }
}

async fn measure(plan: &Plan, what: &str) -> Result<Load, BenchError> {
    generate(plan.clone()).await?.all_served(what)
}

/// Measures (a) and (b) together, as they share all but the baseline.
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let instance = Instance::serve(&folder.path().join("data"), roomy()).await?;
    let tenant = instance.tenant("alpha").await?;
    let (engine, epoch) = (instance.store.engine(), now());
    add_accounts(&**engine, &tenant.vault, 0..1, epoch).await?;
    let tokens = live_sessions(&instance.platform, &**engine, &tenant, SESSIONS, epoch).await?;
    let introspections = tokens.iter().map(|token| requests::introspect(&tenant.service_key, token));
    let (json, ractor) = (bare::json().await?, bare::json_with_ractor().await?);

    let hello = || vec![requests::get(bare::PATH)];
    let plans = [
        ("the bare route", plan(json.address, hello(), settings.span)),
        ("the route with a ractor call", plan(ractor.address, hello(), settings.span)),
        (
            "introspection",
            plan(instance.address(ListenerName::Auth), introspections.collect(), settings.span),
        ),
    ];
    for (what, plan) in &plans {
        measure(&Plan { span: WARM_UP, ..plan.clone() }, what).await?;
    }
    let (mut against_json, mut against_ractor, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        let mut loads = Vec::new();
        for (what, plan) in &plans {
            loads.push(measure(plan, what).await?);
        }
        let [json, ractor, ours] = [0, 1, 2].map(|index: usize| loads[index].rate());
        against_json.push(Round { baseline: json, ours });
        against_ractor.push(Round { baseline: ractor, ours });
        latencies.push([0, 2].map(|index: usize| loads[index].latency.value_at_quantile(0.99)));
    }
    instance.stop().await;
    let p99 =
        |index: usize| crate::rig::numbers::median(latencies.iter().map(|pair| pair[index] as f64 / 1_000.0));
    let note =
        format!("p99 bare {:.2} ms, introspection {:.2} ms, {CONNECTIONS} connections", p99(0), p99(1));
    Ok(vec![
        Measurement::ratio(
            "a",
            "introspection / bare axum JSON route",
            "1/s",
            against_json,
            Some(Bar::AtLeast(0.60)),
        )
        .note(note),
        Measurement::ratio(
            "b",
            "introspection / axum + one ractor call",
            "1/s",
            against_ractor,
            Some(Bar::AtLeast(0.80)),
        ),
    ])
}
