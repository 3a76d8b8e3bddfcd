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
/// As in the platform's ledger: where so many wait already, the next transaction begins at once, and a second beside it.
const ENOUGH: usize = MOST / 2;
/// As in the platform's ledger.
const UNDER_WAY: usize = 2;
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

/// What arrives while transactions are under way forms the next one, as in the ledger.
async fn commit_all(
    engine: Arc<dyn Engine>,
    scope: Scope,
    mut asked: mpsc::Receiver<Asked>,
) -> Result<(), BenchError> {
    let mut waiting = Vec::new();
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = under_way.join_next() => {
                ended??;
                // Those who were just answered come along, as in the ledger.
                let turns = if under_way.is_empty() && waiting.len() < ENOUGH { TURNS_TO_GATHER } else { 0 };
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                while let Ok(another) = asked.try_recv() {
                    waiting.push(another);
                }
            }
            more = asked.recv_many(&mut waiting, MOST) => if more == 0 { break },
        }
        while !waiting.is_empty() && under_way.len() < if waiting.len() < ENOUGH { 1 } else { UNDER_WAY } {
            let batch = waiting.drain(..waiting.len().min(MOST)).collect();
            under_way.spawn(commit(Arc::clone(&engine), scope, batch));
        }
    }
    while let Some(ended) = under_way.join_next().await {
        ended??;
    }
    Ok(())
}

async fn commit(engine: Arc<dyn Engine>, scope: Scope, batch: Vec<Asked>) -> Result<(), BenchError> {
    let (units, done): (Vec<_>, Vec<_>) = batch.into_iter().map(|asked| (asked.unit, asked.done)).unzip();
    for (answer, done) in engine.commit(scope, "bench.entries", units).await?.into_iter().zip(done) {
        answer?;
        // A caller that has gone counts nothing.
        let _ = done.send(());
    }
    Ok(())
}
