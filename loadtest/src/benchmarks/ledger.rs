//! (f): durable units through sessions and the tenant's ledger against raw SQLite group commit.

use super::raw_ledger::RawLedger;
use crate::rig::accounts::{add_accounts, add_sessions, refresh_token, session_id, user_id};
use crate::rig::instance::{Instance, Tenant, now, roomy};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings};
use plinto_actors::{Limits, Platform};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use std::ops::Range;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Callers that wait for their own unit before they send the next.
pub(super) const WRITERS: usize = 64;

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// Access tokens of sessions that one caller refreshes and later ends.
type Tokens = Vec<String>;

/// One caller refreshes each of its sessions once: a row updated, a ledger entry, a new pair of tokens.
async fn refresh(platform: Platform, refresh_tokens: Vec<String>) -> Result<Tokens, BenchError> {
    let mut tokens = Vec::with_capacity(refresh_tokens.len());
    for token in refresh_tokens {
        tokens.push(platform.refresh(None, &token, deadline()).await?.access.token);
    }
    Ok(tokens)
}

/// One caller shows its access tokens once, so that they are known when they come again.
async fn show(platform: Platform, service_key: String, tokens: Tokens) -> Result<Tokens, BenchError> {
    let caller = platform.authenticate(&service_key).await?;
    for token in &tokens {
        if !platform.introspect(&caller, token, deadline()).await?.is_active() {
            return Err(BenchError::Invalid("a refreshed session is not active".into()));
        }
    }
    Ok(tokens)
}

/// One caller signs out of each of its sessions: a row updated, a ledger entry, nothing else to make.
async fn sign_out(platform: Platform, tenant: TenantId, tokens: Tokens) -> Result<Tokens, BenchError> {
    for token in &tokens {
        platform.sign_out(tenant, token, deadline()).await?;
    }
    Ok(Vec::new())
}

/// Runs all callers at once; their results and how long the slowest took.
async fn at_once<F>(callers: impl Iterator<Item = F>) -> Result<(Vec<Tokens>, Duration), BenchError>
where
    F: Future<Output = Result<Tokens, BenchError>> + Send + 'static,
{
    let begun = Instant::now();
    let mut running: JoinSet<_> = callers.collect();
    let mut results = Vec::new();
    while let Some(done) = running.join_next().await {
        results.push(done??);
    }
    Ok((results, begun.elapsed()))
}

/// Durable units per second.
struct Rates {
    refreshes: f64,
    sign_outs: f64,
}

async fn round(
    instance: &Instance,
    tenant: &Tenant,
    epoch: Timestamp,
    numbers: Range<u64>,
) -> Result<Rates, BenchError> {
    let platform = &instance.platform;
    let engine = instance.store.engine();
    add_sessions(&**engine, &tenant.vault, user_id(epoch, 0), numbers.clone(), epoch).await?;
    let count = (numbers.end - numbers.start) as f64;
    let first_tokens = |writer: usize| {
        let mine = numbers.clone().skip(writer).step_by(WRITERS);
        mine.map(|number| {
            refresh_token(&tenant.vault, tenant.id, session_id(epoch, number)).expose().to_owned()
        })
        .collect::<Vec<_>>()
    };
    let first_tokens: Vec<_> = (0..WRITERS).map(first_tokens).collect();
    // Both kinds meet live sessions, as they would in production.
    let shows =
        first_tokens.iter().cloned().map(|tokens| show(platform.clone(), tenant.service_key.clone(), tokens));
    at_once(shows).await?;
    let (tokens, refreshing) =
        at_once(first_tokens.into_iter().map(|t| refresh(platform.clone(), t))).await?;
    let shows = tokens.into_iter().map(|tokens| show(platform.clone(), tenant.service_key.clone(), tokens));
    let (tokens, _) = at_once(shows).await?;
    let (_, ending) = at_once(tokens.into_iter().map(|t| sign_out(platform.clone(), tenant.id, t))).await?;
    platform.passivate_all_sessions().await;
    Ok(Rates { refreshes: count / refreshing.as_secs_f64(), sign_outs: count / ending.as_secs_f64() })
}

/// Measures (f).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let per_round: u64 = if settings.quick { 6_400 } else { 32_000 };
    let limits = Limits { verified_tokens: 400_000, ..roomy() };
    let instance = Instance::start(&folder.path().join("data"), limits).await?;
    let tenant = instance.tenant("alpha").await?;
    let epoch = now();
    add_accounts(&**instance.store.engine(), &tenant.vault, 0..1, epoch).await?;
    let mut raw = RawLedger::open(&folder.path().join("raw.db"), per_round)?;
    let (mut refreshes, mut sign_outs) = (Vec::new(), Vec::new());
    for number in 0..settings.rounds as u64 {
        let baseline = raw.run(settings.span).await?;
        let numbers = number * per_round..(number + 1) * per_round;
        let ours = round(&instance, &tenant, epoch, numbers).await?;
        refreshes.push(Round { baseline, ours: ours.refreshes });
        sign_outs.push(Round { baseline, ours: ours.sign_outs });
    }
    instance.stop().await;
    let batch = raw.mean_batch();
    Ok(vec![
        Measurement::ratio(
            "f.1",
            "durable sign-outs / raw group commit, 64 writers",
            "1/s",
            sign_outs,
            Some(Bar::AtLeast(0.50)),
        )
        .note(format!(
            "one row updated and one inserted per unit; the baseline's mean batch was {batch:.0} units"
        )),
        Measurement::ratio("f.2", "durable refreshes / raw group commit, 64 writers", "1/s", refreshes, None)
            .note("beside the same write, each one checks a MAC, makes another and signs an access token"),
    ])
}
