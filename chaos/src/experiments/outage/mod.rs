//! PostgreSQL away, PostgreSQL frozen, Redis frozen: what still works, what is refused and how, and that it heals.

mod postgres;
mod redis;

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Progress;
use super::shared::Site;
use crate::Failure;
use crate::api::Api;
use crate::invariants::{Findings, Invariant, Witness, nothing_leaks};
use crate::seed::Seed;
use crate::traffic::BOUND;
use crate::verification::{Depth, verify};

const NODES: usize = 3;
const USERS: usize = 12;
const OTHER_TENANTS: usize = 3;
/// How long readiness may take to tell of a change.
const TOLD: Duration = Duration::from_secs(10);

/// Runs all of it on the same three nodes, none of which is restarted.
pub async fn outage(program: &Path, seed: Seed, say: Progress<'_>) -> Result<(), Failure> {
    let replay = format!("plinto-chaos outage --seed {}", seed.0);
    let site = Site::open(program, NODES, seed, &[]).await?;
    site.furnish(USERS, OTHER_TENANTS).await?;
    let before = site.footprints()?;
    let mut findings = Findings::default();
    postgres::away(&site, postgres::How::Stopped, &mut findings, say).await?;
    postgres::away(&site, postgres::How::Frozen, &mut findings, say).await?;
    redis::frozen(&site, &mut findings, say).await?;
    site.settle().await?;
    findings.extend(site.journal.violations());
    let witness = Witness::new(site.nodes.api(), site.nodes.platform_key()).within(BOUND);
    findings.extend(verify(&witness, &site.journal, Depth::SAMPLE, seed, 0).await);
    findings.add(nothing_leaks(&site.nodes, &before).await?);
    site.conclude(findings.into_violations(), &replay).await
}

/// Waits until every node's readiness has this HTTP status and names this state.
async fn every_node_says(site: &Site, status: u16, state: &str, when: &str, findings: &mut Findings) {
    for (node, api) in site.nodes.places().all() {
        if let Err(said) = says(&api, status, state).await {
            findings.hold(Invariant::OutageIsSurvived, false, || {
                format!("{when} node {node} should say {status} {state}, and still says {said}")
            });
        }
    }
}

async fn says(api: &Api, status: u16, state: &str) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let said = match api.readiness().await {
            Some(readiness) if readiness.status == status && readiness.body["status"] == state => {
                return Ok(());
            }
            Some(readiness) => format!("{} {}", readiness.status, readiness.body),
            None => "nothing".to_owned(),
        };
        if begun.elapsed() > TOLD {
            return Err(said);
        }
        sleep(Duration::from_millis(50)).await;
    }
}
