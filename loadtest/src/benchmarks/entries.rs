//! Units of nothing but an audit entry, given to the engine as a ledger gives them: what a unit costs without a session
//! and without a row of its own.

use crate::rig::BenchError;
use plinto_storage::{Engine, NewEntry, Scope, Unit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// Most units in one transaction, as in the platform.
const MOST: usize = 512;
/// As in the platform's ledger: where so many wait already, the next transaction begins at once.
const ENOUGH: usize = MOST / 2;
/// As in the platform's ledger.
const TURNS_TO_GATHER: u32 = 8;

struct Asked {
    unit: Unit,
    done: oneshot::Sender<()>,
}

/// Entries per second of callers that each wait for their own.
pub(super) async fn append(
    engine: Arc<dyn Engine>,
    tenant: Uuid,
    callers: usize,
    span: Duration,
) -> Result<f64, BenchError> {
    let (queue, asked) = mpsc::channel(callers);
    let committer = tokio::spawn(commit_all(engine, Scope::Tenant(tenant), asked));
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for caller in 0..callers {
        running.spawn(append_until(queue.clone(), caller, begun + span));
    }
    drop(queue);
    let mut done = 0;
    while let Some(finished) = running.join_next().await {
        done += finished?;
    }
    let rate = done as f64 / begun.elapsed().as_secs_f64();
    committer.await??;
    Ok(rate)
}

async fn append_until(queue: mpsc::Sender<Asked>, caller: usize, end: Instant) -> u64 {
    let mut written = 0;
    while Instant::now() < end {
        let entry = NewEntry {
            at: i64::try_from(written).unwrap_or(i64::MAX),
            event: "session.revoked".into(),
            actor: format!("usr_{caller:032x}"),
            subject: format!("ses_{written:032x}"),
            data: serde_json::json!({ "reason": "sign_out" }),
        };
        let (done, heard) = oneshot::channel();
        let unit = Unit { statements: Vec::new(), entries: vec![entry] };
        if queue.send(Asked { unit, done }).await.is_err() || heard.await.is_err() {
            break;
        }
        written += 1;
    }
    written
}

/// What arrives while a transaction is under way forms the next one, as in the ledger.
async fn commit_all(
    engine: Arc<dyn Engine>,
    scope: Scope,
    mut asked: mpsc::Receiver<Asked>,
) -> Result<(), BenchError> {
    let mut batch = Vec::with_capacity(MOST);
    while asked.recv_many(&mut batch, MOST).await > 0 {
        let (units, done): (Vec<_>, Vec<_>) = batch.drain(..).map(|asked| (asked.unit, asked.done)).unzip();
        for (answer, done) in engine.commit(scope, "bench.entries", units).await?.into_iter().zip(done) {
            answer?;
            // A caller that has gone counts nothing.
            let _ = done.send(());
        }
        // Those who were just answered come along, as in the ledger.
        let turns = if asked.len() < ENOUGH { TURNS_TO_GATHER } else { 0 };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
