//! A rolling restart behind a load balancer that honours readiness: nobody notices.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::Progress;
use super::shared::Site;
use crate::invariants::{Findings, Invariant, Witness, nothing_leaks};
use crate::journal::Tally;
use crate::seed::Seed;
use crate::traffic::{BOUND, Calls, Stop, Verdict, WORKERS};
use crate::verification::{Depth, verify};
use crate::{Failure, HarnessError};

const NODES: usize = 3;
const USERS: usize = 24;
const OTHER_TENANTS: usize = 6;
const PAUSE: Duration = Duration::from_millis(10);
/// Traffic before, between, and after the restarts.
const BETWEEN: Duration = Duration::from_secs(1);
/// So long a node goes on serving after it began to say that it is not ready. The proxy asks every 100 ms.
const DRAIN_SECONDS: &str = "1";

/// What a rolling restart has done.
#[derive(Clone, Debug)]
pub struct RollingRestartReport {
    /// Nodes restarted, one after the other.
    pub restarts: usize,
    /// What was acknowledged meanwhile.
    pub tally: Tally,
    /// What became of the calls.
    pub verdict: Verdict,
}

impl fmt::Display for RollingRestartReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: usize = self.verdict.done.values().map(|spread| spread.count).sum();
        write!(out, "{} restarts under {calls} calls, of which none failed", self.restarts)
    }
}

/// Ends each node in order and starts it again, under traffic; not one request may fail.
pub async fn rolling_restart(
    program: &Path,
    seed: Seed,
    say: Progress<'_>,
) -> Result<RollingRestartReport, Failure> {
    let replay = format!("plinto-chaos rolling-restart --seed {}", seed.0);
    let site = Site::open(program, NODES, seed, &[("PLINTO_SHUTDOWN__DRAIN_SECONDS", DRAIN_SECONDS)]).await?;
    site.furnish(USERS, OTHER_TENANTS).await?;
    let before = site.footprints()?;
    let (calls, stop, refusals) = (Calls::default(), Stop::default(), Mutex::default());
    let traffic = site.traffic(&calls, &refusals, WORKERS, PAUSE);
    let begun = Instant::now();
    let restarts = async {
        let done = restart_each(&site, say).await;
        stop.stop();
        done
    };
    let ((), restarted) = futures::join!(traffic.until(&stop), restarts);
    let restarts = restarted?;
    site.settle().await?;
    let tally = site.journal.tally();
    let mut findings = Findings::default();
    findings.extend(site.journal.violations());
    let verdict = calls.judge(&[], begun);
    for failure in &verdict.unexcused {
        findings.hold(Invariant::NoFailureOutsideFaults, false, || failure.clone());
    }
    let witness = Witness::new(site.nodes.api(), site.nodes.platform_key()).within(BOUND);
    findings.extend(verify(&witness, &site.journal, Depth::SAMPLE, seed, 0).await);
    findings.add(nothing_leaks(&site.nodes, &before).await?);
    site.conclude(findings.into_violations(), &replay).await?;
    Ok(RollingRestartReport { restarts, tally, verdict })
}

async fn restart_each(site: &Site, say: Progress<'_>) -> Result<usize, HarnessError> {
    sleep(BETWEEN).await;
    for node in 0..site.nodes.count() {
        site.nodes.stop_node(node).await?;
        site.nodes.start_node(node).await?;
        say(format!("node {node} was restarted"));
        sleep(BETWEEN).await;
    }
    Ok(site.nodes.count())
}
