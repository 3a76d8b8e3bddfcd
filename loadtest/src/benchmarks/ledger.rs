//! (f): durable units through sessions and the tenant's ledger against raw SQLite group commit.

use super::raw_ledger::RawLedger;
use crate::rig::accounts::{Tokens, add_accounts, live_sessions};
use crate::rig::instance::{Instance, now, roomy};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings};
use plinto_actors::Platform;
use plinto_runtime::Deadline;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Callers that wait for their own unit before they send the next.
pub(super) const WRITERS: usize = 64;
const SESSIONS_PER_WRITER: usize = 16;

/// One caller: exchanges the refresh tokens of its sessions in turn. Each exchange is one updated row and one
/// ledger entry, acknowledged after the fsync.
async fn writer(
    platform: Platform,
    mut tokens: Vec<Tokens>,
    end: Instant,
) -> Result<(u64, Vec<Tokens>), BenchError> {
    let mut done = 0;
    loop {
        for pair in &mut tokens {
            if Instant::now() >= end {
                return Ok((done, tokens));
            }
            let next =
                platform.refresh(None, &pair.refresh, Deadline::after(Duration::from_secs(10))).await?;
            pair.refresh.clear();
            pair.refresh.push_str(next.refresh.expose());
            done += 1;
        }
    }
}

/// Units per second of all writers; gives the tokens back for the next round.
async fn ours(
    platform: &Platform,
    groups: Vec<Vec<Tokens>>,
    span: Duration,
) -> Result<(f64, Vec<Vec<Tokens>>), BenchError> {
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for tokens in groups {
        writers.spawn(writer(platform.clone(), tokens, begun + span));
    }
    let (mut done, mut groups) = (0, Vec::new());
    while let Some(finished) = writers.join_next().await {
        let (count, tokens) = finished??;
        done += count;
        groups.push(tokens);
    }
    Ok((done as f64 / begun.elapsed().as_secs_f64(), groups))
}

/// Measures (f).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let instance = Instance::start(&folder.path().join("data"), roomy()).await?;
    let tenant = instance.tenant("alpha").await?;
    let (engine, epoch) = (instance.store.engine(), now());
    add_accounts(&**engine, &tenant.vault, 0..1, epoch).await?;
    let count = (WRITERS * SESSIONS_PER_WRITER) as u64;
    let mut tokens = live_sessions(&instance.platform, &**engine, &tenant, count, epoch).await?;
    let mut groups: Vec<Vec<Tokens>> = Vec::new();
    while !tokens.is_empty() {
        groups.push(tokens.split_off(tokens.len() - SESSIONS_PER_WRITER));
    }
    let mut raw = RawLedger::open(&folder.path().join("raw.db"), count)?;
    let mut rounds = Vec::new();
    for _ in 0..settings.rounds {
        let baseline = raw.run(settings.span).await?;
        let (rate, given_back) = ours(&instance.platform, groups, settings.span).await?;
        groups = given_back;
        rounds.push(Round { baseline, ours: rate });
    }
    instance.stop().await;
    let name = "durable refreshes / raw SQLite group commit, 64 writers";
    let batch = raw.mean_batch();
    Ok(vec![
        Measurement::ratio("f", name, "1/s", rounds, Some(Bar::AtLeast(0.50)))
            .note(format!("one row updated and one inserted per unit; the baseline's mean batch was {batch:.0} units"))
            .note("ours includes the token's MAC, two actors, the hash chain and the signature of the new access token"),
    ])
}
