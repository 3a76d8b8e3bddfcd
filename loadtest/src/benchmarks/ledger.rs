//! (f): durable units through sessions and the tenant's ledger against raw SQLite group commit.

use super::raw_ledger::RawLedger;
use super::units::Callers;
use crate::rig::accounts::add_accounts;
use crate::rig::instance::{Instance, now, roomy};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings};
use plinto_actors::Limits;
use std::slice;

/// Callers that wait for their own unit before they send the next.
pub(super) const WRITERS: usize = 64;

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
    let callers = Callers { instance: &instance, tenants: slice::from_ref(&tenant), count: WRITERS, epoch };
    let (mut refreshes, mut sign_outs) = (Vec::new(), Vec::new());
    for number in 0..settings.rounds as u64 {
        let baseline = raw.run(settings.span).await?;
        let ours = callers.round(number * per_round..(number + 1) * per_round).await?;
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
