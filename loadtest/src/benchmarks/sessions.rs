//! (e): memory and activation latency of many sessions, in a process of their own.

use super::many_sessions::{Measured, seed, under_cap};
use crate::rig::instance::now;
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings};

/// Sessions of the store that memory is compared with: next to none.
const FEW: u64 = 1_000;
const MOST_BYTES_PER_LIVE: f64 = 9.0 * 1_024.0;
const MOST_MILLIS: f64 = 5.0;
/// "Nothing" for a session that was never used: less than an entry of any map of sessions would take.
const NEXT_TO_NOTHING: f64 = 8.0;
/// Bounded by the cap: what the allocator keeps for re-use may add this much.
const ABOVE_CAP: f64 = 1.10;

/// Measures (e).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let (some, many, cap) =
        if settings.quick { (20_000, 100_000, 20_000) } else { (100_000, 1_000_000, 100_000) };
    let mut measured = Vec::new();
    for sessions in [FEW, some, many] {
        let folder = settings.fresh_dir()?;
        let data_dir = folder.path().join("data");
        let epoch = now();
        seed(&data_dir, sessions, epoch).await?;
        measured.push(under_cap(&data_dir, sessions, cap, epoch).await?);
    }
    let [few, some, many] = <[Measured; 3]>::try_from(measured)
        .map_err(|_| BenchError::Invalid("three children make three results".into()))?;
    Ok(vec![
        never_used(&few, &many),
        per_live(&many),
        latency("e.3", &some),
        latency("e.4", &many),
        bounded(&many),
    ])
}

fn bytes_each(more: u64, less: u64, sessions: u64) -> f64 {
    (more as f64 - less as f64) / sessions as f64
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn never_used(few: &Measured, many: &Measured) -> Measurement {
    let value = bytes_each(many.idle, few.idle, many.sessions - few.sessions);
    let name = format!("resident bytes per stored session never used, {}", many.sessions);
    let note = format!(
        "idle process with {} stored sessions {:.1} MB, with {} {:.1} MB",
        few.sessions,
        megabytes(few.idle),
        many.sessions,
        megabytes(many.idle)
    );
    Measurement::absolute("e.1", &name, "bytes", &[value], Some(Bar::AtMost(NEXT_TO_NOTHING))).note(note)
}

fn per_live(many: &Measured) -> Measurement {
    let value = bytes_each(many.full, many.idle, many.live);
    let name = format!("resident bytes per live session, {} live", many.live);
    Measurement::absolute("e.2", &name, "bytes", &[value], Some(Bar::AtMost(MOST_BYTES_PER_LIVE)))
}

fn latency(id: &str, of: &Measured) -> Measurement {
    let millis = |micros: u64| micros as f64 / 1_000.0;
    // At the cap another session has to leave first: that is what a node with a million sessions does all day.
    let at_cap = of.sessions > of.cap;
    let [median, p99, worst] = if at_cap { of.activation_at_cap } else { of.activation };
    let name = format!("activation p99, {} sessions, cap {}", of.sessions, of.cap);
    let note = format!(
        "{}: median {:.2} ms, p99.9 {:.2} ms, {:.0} activations/s",
        if at_cap { "at the cap" } else { "below the cap" },
        millis(median),
        millis(worst),
        of.rate
    );
    Measurement::absolute(id, &name, "ms", &[millis(p99)], Some(Bar::AtMost(MOST_MILLIS))).note(note)
}

fn bounded(many: &Measured) -> Measurement {
    let name = format!("peak memory sweeping {} sessions / with the cap full", many.sessions);
    let value = many.peak as f64 / many.full as f64;
    let note = format!(
        "cap full {:.0} MB, peak {:.0} MB, at the end {:.0} MB with {} live, all passivated {:.0} MB",
        megabytes(many.full),
        megabytes(many.peak),
        megabytes(many.swept),
        many.live_after,
        megabytes(many.passivated)
    );
    Measurement::absolute("e.5", &name, "x", &[value], Some(Bar::AtMost(ABOVE_CAP))).note(note)
}
