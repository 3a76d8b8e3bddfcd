//! Group commit with nothing round it: one thread, one SQLite connection, plain tables.

use super::ledger::WRITERS;
use crate::rig::BenchError;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Bytes of a session row and of a ledger entry beside their keys; ours are of about this size.
const STATE_BYTES: usize = 230;
const ENTRY_BYTES: usize = 260;
/// Most units in one transaction, as in ours.
const MOST: usize = 512;

/// One writer's unit: which row to update.
struct Unit {
    row: u64,
    done: oneshot::Sender<()>,
}

/// The baseline's database.
pub(super) struct RawLedger {
    connection: Option<Connection>,
    rows: u64,
    units: u64,
    batches: u64,
}

impl RawLedger {
    /// Makes the database with `rows` rows to update. The settings are those of the embedded engine that concern
    /// durability: WAL and FULL.
    pub(super) fn open(file: &Path, rows: u64) -> Result<Self, BenchError> {
        let connection = Connection::open(file)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             CREATE TABLE states (id BLOB PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID; \
             CREATE TABLE entries (seq INTEGER PRIMARY KEY, body BLOB NOT NULL); BEGIN",
        )?;
        for row in 0..rows {
            let insert = "INSERT INTO states (id, version, body) VALUES (?1, 0, ?2)";
            connection.prepare_cached(insert)?.execute(params![key(row), body(row, STATE_BYTES)])?;
        }
        connection.execute_batch("COMMIT")?;
        Ok(Self { connection: Some(connection), rows, units: 0, batches: 0 })
    }

    /// Units per second of 64 writers that each wait for their own.
    pub(super) async fn run(&mut self, span: Duration) -> Result<f64, BenchError> {
        let connection =
            self.connection.take().ok_or_else(|| BenchError::Invalid("an earlier round failed".into()))?;
        let (queue, units) = channel();
        let sequence = self.units;
        let committer = tokio::task::spawn_blocking(move || commit_all(connection, &units, sequence));
        let begun = Instant::now();
        let mut writers = JoinSet::new();
        for number in 0..WRITERS as u64 {
            writers.spawn(writer(queue.clone(), number, self.rows, begun + span));
        }
        drop(queue);
        let mut done = 0;
        while let Some(finished) = writers.join_next().await {
            done += finished?;
        }
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        let (connection, batches) = committer.await??;
        self.connection = Some(connection);
        self.units += done;
        self.batches += batches;
        Ok(rate)
    }

    /// Units in a transaction, on average.
    pub(super) fn mean_batch(&self) -> f64 {
        self.units as f64 / self.batches.max(1) as f64
    }
}

fn key(row: u64) -> [u8; 16] {
    u128::from(row).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
}

/// Content that differs each time: SQLite skips an overwrite with the same.
fn body(number: u64, length: usize) -> Vec<u8> {
    key(number).into_iter().cycle().take(length).collect()
}

async fn writer(queue: Sender<Unit>, number: u64, rows: u64, end: Instant) -> u64 {
    let mut done = 0;
    while Instant::now() < end {
        let (acknowledge, acknowledged) = oneshot::channel();
        let row = (done * WRITERS as u64 + number) % rows;
        if queue.send(Unit { row, done: acknowledge }).is_err() || acknowledged.await.is_err() {
            break;
        }
        done += 1;
    }
    done
}

/// What arrives while a transaction is under way forms the next one, as in ours.
fn commit_all(
    connection: Connection,
    units: &Receiver<Unit>,
    mut sequence: u64,
) -> Result<(Connection, u64), BenchError> {
    let mut batches = 0;
    while let Ok(first) = units.recv() {
        let mut batch = vec![first];
        while batch.len() < MOST
            && let Ok(next) = units.try_recv()
        {
            batch.push(next);
        }
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for unit in &batch {
            sequence += 1;
            let update = "UPDATE states SET version = version + 1, body = ?2 WHERE id = ?1";
            let state = body(sequence, STATE_BYTES);
            connection.prepare_cached(update)?.execute(params![key(unit.row), state])?;
            let insert = "INSERT INTO entries (body) VALUES (?1)";
            connection.prepare_cached(insert)?.execute(params![body(sequence, ENTRY_BYTES)])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        batches += 1;
        for unit in batch {
            // A writer that has gone counts nothing.
            let _ = unit.done.send(());
        }
    }
    Ok((connection, batches))
}
