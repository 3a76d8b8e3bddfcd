//! Three nodes, one busy tenant and many others, mixed traffic; a node is killed and brought back, Redis and PostgreSQL
//! go away and come back, and answers get lost.

mod faults;
mod report;

use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Progress;
use super::shared::{self, Site};
use crate::Failure;
use crate::HarnessError;
use crate::invariants::{
    Findings, Invariant, Witness, Written, ledger_verifies, nothing_leaks, one_chain, revoked_everywhere,
};
use crate::seed::Seed;
use crate::traffic::{BOUND, Calls, Refused, Spread, Stop, Verdict, WORKERS, Window, Windows};
use crate::verification::{Depth, verify};
use faults::Plan;
pub use report::SeveralNodesReport;

const NODES: usize = 3;
/// Users of the busy tenant. Every other tenant has one.
const BUSY_USERS: usize = 40;
/// Between two calls of one user.
const PAUSE: Duration = Duration::from_millis(20);
/// What the window is called in which Redis is away.
const REDIS: &str = "Redis was away";

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct SeveralNodes {
    /// How long the traffic runs.
    pub time: Duration,
    /// Tenants beside the busy one.
    pub tenants: usize,
    /// How many faults there are, of four kinds in turn.
    pub faults: usize,
}

/// Runs it and checks everything.
pub async fn several_nodes(
    program: &Path,
    size: SeveralNodes,
    seed: Seed,
    say: Progress<'_>,
) -> Result<SeveralNodesReport, Failure> {
    let SeveralNodes { time, tenants, faults } = size;
    let replay = format!(
        "plinto-chaos several-nodes --seconds {} --tenants {tenants} --faults {faults} --seed {}",
        time.as_secs(),
        seed.0
    );
    let site = Site::open(program, NODES, seed, &[]).await?;
    site.furnish(BUSY_USERS, tenants).await?;
    let before = site.footprints()?;
    say(format!("{NODES} nodes, {} tenants, {BUSY_USERS} users of the first", tenants + 1));

    let plan = Plan::draw(seed, NODES, faults, time);
    let worked = work(&site, &plan, time, say).await?;
    site.settle().await?;

    let mut findings = Findings::default();
    findings.extend(site.journal.violations());
    for failure in &worked.verdict.unexcused {
        findings.hold(Invariant::NoFailureOutsideFaults, false, || failure.clone());
    }
    findings.add(nothing_leaks(&site.nodes, &before).await?);
    let footprints = shared::compare(&before, &site.footprints()?);
    let tally = site.journal.tally();
    say("looking for everything that was acknowledged".to_owned());
    let (written, found) = everything(&site).await?;
    findings.add(found);
    findings.add(nothing_leaks(&site.nodes, &before).await?);
    let report = SeveralNodesReport {
        tally,
        verdict: worked.verdict,
        refused: worked.refused,
        refused_without_redis: worked.refused_without_redis,
        written,
        footprints,
    };
    site.conclude(findings.into_violations(), &replay).await?;
    Ok(report)
}

/// What the traffic showed.
struct Worked {
    verdict: Verdict,
    refused: Spread,
    refused_without_redis: Spread,
}

async fn work(site: &Site, plan: &Plan, time: Duration, say: Progress<'_>) -> Result<Worked, HarnessError> {
    let (calls, windows, stop) = (Calls::default(), Windows::default(), Stop::default());
    let refusals = Mutex::new(Vec::new());
    let traffic = site.traffic(&calls, &refusals, WORKERS, PAUSE);
    let begun = Instant::now();
    let course = async {
        let done = plan.run(&site.nodes, &windows, say).await;
        tokio::time::sleep_until(begun + time).await;
        stop.stop();
        done
    };
    let ((), done) = futures::join!(traffic.until(&stop), course);
    done?;
    let windows = windows.all();
    let refusals = refusals.into_inner();
    let within = |wanted: Option<&str>| {
        let chosen = refusals.iter().filter(|refused| fault_at(&windows, refused) == wanted);
        Spread::of(&chosen.map(|refused| refused.after).collect::<Vec<_>>())
    };
    Ok(Worked {
        verdict: calls.judge(&windows, begun),
        refused: within(None),
        refused_without_redis: within(Some(REDIS)),
    })
}

/// What was broken between a sign-out's acknowledgement and a node's refusal; a node that cannot answer refuses late.
fn fault_at(windows: &[Window], refused: &Refused) -> Option<&'static str> {
    let until = refused.acknowledged + refused.after;
    let broken = |window: &&Window| window.begins <= until && window.ends >= refused.acknowledged;
    windows.iter().find(broken).map(|window| window.fault)
}

/// Holds all that is known against what every node answers and what the ledgers hold.
async fn everything(site: &Site) -> Result<(Written, Findings), HarnessError> {
    let mut findings = Findings::default();
    let accounts = site.journal.take_all();
    findings.add(revoked_everywhere(&site.nodes, &accounts).await);
    accounts.into_iter().for_each(|account| site.journal.put(account));
    let witness = Witness::new(site.nodes.api(), site.nodes.platform_key()).within(BOUND);
    findings.extend(verify(&witness, &site.journal, Depth::EVERYTHING, site.seed, 0).await);
    let tenants = site.journal.tenants().len();
    findings.add(ledger_verifies(site.nodes.installation(), tenants).await?);
    let accounts = site.journal.take_all();
    let (written, found) = one_chain(site.nodes.superuser_url(), &accounts).await?;
    findings.add(found);
    Ok((written, findings))
}
