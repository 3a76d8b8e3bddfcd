//! The children of (e): one seeds, one starts with clean memory and measures.

use crate::rig::accounts::{add_accounts, add_sessions, refresh_token, session_id, user_id};
use crate::rig::instance::{Instance, Tenant, roomy};
use crate::rig::load::histogram;
use crate::rig::memory::resident;
use crate::rig::{BenchError, child};
use hdrhistogram::Histogram;
use plinto_actors::{Caller, Limits, Platform};
use plinto_domain::Timestamp;
use plinto_runtime::Deadline;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Hidden subcommand of the child that seeds.
pub(crate) const SEED: &str = "seed-sessions";
/// Hidden subcommand of the child that measures.
pub(crate) const MEASURE: &str = "measure-sessions";
/// Callers that activate at once.
const CALLERS: u64 = 16;
/// Sessions used once before anything is measured, so that what every session shares is there.
const WARM_UP: u64 = 200;
/// Activations of one caller between two looks at the memory.
const LOOK_EVERY: usize = 1_000;
const SLUG: &str = "alpha";

/// What the measuring child found. Bytes are resident ones of the whole process; latencies are the 50th, 99th and
/// 99.9th percentile in microseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Stored.
    pub(crate) sessions: u64,
    /// Most live at once.
    pub(crate) cap: u64,
    /// Bytes after a warm-up whose sessions have left: no session is live.
    pub(crate) idle: u64,
    /// Bytes with as many live as the cap admits.
    pub(crate) full: u64,
    /// Sessions live then.
    pub(crate) live: u64,
    /// Most bytes seen while all the others were activated in turn.
    pub(crate) peak: u64,
    /// Bytes after that.
    pub(crate) swept: u64,
    /// Sessions live then.
    pub(crate) live_after: u64,
    /// Bytes after all were passivated.
    pub(crate) passivated: u64,
    /// Latency of activations below the cap.
    pub(crate) activation: [u64; 3],
    /// Latency of activations at the cap; zeros if there were none.
    pub(crate) activation_at_cap: [u64; 3],
    /// Activations per second.
    pub(crate) rate: f64,
}

fn arguments(command: &str, data_dir: &Path, sessions: u64, epoch: Timestamp) -> Vec<String> {
    let (dir, sessions, epoch) =
        (data_dir.display().to_string(), sessions.to_string(), epoch.as_millis().to_string());
    [command, "--dir", &dir, "--sessions", &sessions, "--epoch", &epoch].map(str::to_owned).to_vec()
}

/// Has a child fill a data directory.
pub(super) async fn seed(data_dir: &Path, sessions: u64, epoch: Timestamp) -> Result<(), BenchError> {
    let stored: u64 = child::ask(&arguments(SEED, data_dir, sessions, epoch)).await?;
    if stored == sessions {
        Ok(())
    } else {
        Err(BenchError::Invalid(format!("{stored} sessions were stored")))
    }
}

/// Has a child measure.
pub(super) async fn under_cap(
    data_dir: &Path,
    sessions: u64,
    cap: u64,
    epoch: Timestamp,
) -> Result<Measured, BenchError> {
    let mut args = arguments(MEASURE, data_dir, sessions, epoch);
    args.extend(["--cap".to_owned(), cap.to_string()]);
    child::ask(&args).await
}

/// The child that seeds.
pub(crate) async fn seed_child(data_dir: &Path, sessions: u64, epoch: Timestamp) -> Result<(), BenchError> {
    let instance = Instance::start(data_dir, roomy()).await?;
    let tenant = instance.tenant(SLUG).await?;
    let engine = instance.store.engine();
    add_accounts(&**engine, &tenant.vault, 0..1, epoch).await?;
    add_sessions(&**engine, &tenant.vault, user_id(epoch, 0), 0..sessions, epoch).await?;
    instance.stop().await;
    child::answer(&sessions)
}

/// The child that measures.
pub(crate) async fn measure_child(
    data_dir: &Path,
    sessions: u64,
    cap: u64,
    epoch: Timestamp,
) -> Result<(), BenchError> {
    let live_sessions =
        usize::try_from(cap).map_err(|_| BenchError::Invalid("the cap is too large".into()))?;
    let instance = Instance::start(data_dir, Limits { live_sessions, ..roomy() }).await?;
    let tenant = instance.known_tenant(SLUG).await?;
    let caller = instance.platform.authenticate(&tenant.service_key).await?;
    let platform = instance.platform.clone();
    let everyone = Arc::new(Everyone { platform: platform.clone(), tenant, caller, epoch });

    everyone.activate(0..WARM_UP.min(sessions)).await?;
    platform.passivate_all_sessions().await;
    let idle = resident()?;
    let begun = Instant::now();
    let (below, _) = everyone.activate(0..cap.min(sessions)).await?;
    let (full, live) = (resident()?, platform.live_sessions() as u64);
    let (at_cap, peak) = everyone.activate(cap.min(sessions)..sessions).await?;
    let rate = sessions as f64 / begun.elapsed().as_secs_f64();
    let (swept, live_after) = (resident()?, platform.live_sessions() as u64);
    platform.passivate_all_sessions().await;
    let passivated = resident()?;
    let measured = Measured {
        sessions,
        cap,
        idle,
        full,
        live,
        peak: peak.max(full),
        swept,
        live_after,
        passivated,
        activation: percentiles(&below),
        activation_at_cap: percentiles(&at_cap),
        rate,
    };
    drop(everyone);
    instance.stop().await;
    child::answer(&measured)
}

fn percentiles(latency: &Histogram<u64>) -> [u64; 3] {
    [0.5, 0.99, 0.999].map(|quantile| latency.value_at_quantile(quantile))
}

struct Everyone {
    platform: Platform,
    tenant: Tenant,
    caller: Caller,
    epoch: Timestamp,
}

impl Everyone {
    /// Uses each session once, by several callers at once. Returns how long each took and the most memory seen.
    async fn activate(self: &Arc<Self>, numbers: Range<u64>) -> Result<(Histogram<u64>, u64), BenchError> {
        let mut callers = JoinSet::new();
        for first in numbers.start..numbers.end.min(numbers.start + CALLERS) {
            let everyone = Arc::clone(self);
            let mine = (first..numbers.end).step_by(CALLERS as usize);
            callers.spawn(async move { everyone.activate_each(mine).await });
        }
        let (mut latency, mut peak) = (histogram(), 0);
        while let Some(done) = callers.join_next().await {
            let (of_one, seen) = done??;
            latency
                .add(of_one)
                .map_err(|error| BenchError::Invalid(format!("histograms do not add up: {error}")))?;
            peak = peak.max(seen);
        }
        Ok((latency, peak))
    }

    async fn activate_each(
        &self,
        numbers: impl Iterator<Item = u64>,
    ) -> Result<(Histogram<u64>, u64), BenchError> {
        let (mut latency, mut peak) = (histogram(), 0);
        for (done, number) in numbers.enumerate() {
            let token = refresh_token(&self.tenant.vault, self.tenant.id, session_id(self.epoch, number));
            let begun = Instant::now();
            let deadline = Deadline::after(Duration::from_secs(30));
            let answer = self.platform.introspect(&self.caller, token.expose(), deadline).await?;
            latency.saturating_record(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
            if !answer.is_active() {
                return Err(BenchError::Invalid(format!("seeded session {number} is not active")));
            }
            if done % LOOK_EVERY == 0 {
                peak = peak.max(resident()?);
            }
        }
        Ok((latency, peak))
    }
}
