//! Durable writes per second through the engine against raw SQLite group commit with as many rows.
//!
//! ```sh
//! cargo run --release -p plinto-storage --features conformance --example group_commit
//! ```
//!
//! Rounds alternate between the two, because the machine and its disk change from one second to the next.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plinto_storage::conformance::{Fixture, Subject, entry};
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::repositories::{sessions, users};
use plinto_storage::{Scope, Unit};
use tokio::time::Instant;

const GROUP: usize = 64;
const BATCHES: usize = 100;
const ROUNDS: usize = 7;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("plinto-group-commit-{}", std::process::id()));
    let engine = Arc::new(SqliteEngine::open(&folder.join("data"), SqliteOptions::default())?);
    let fixture = Fixture::new(Subject { engine, keep: Box::new(()) }).await;
    let vault = fixture.tenant("bench").await;
    let user = fixture.user();
    fixture.commit(&vault, vec![users::insert(&vault, &user)], vec![]).await?;
    let raw = raw_database(&folder)?;

    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let batches: Vec<Vec<Unit>> = (0..BATCHES)
            .map(|_| {
                let unit = |_| {
                    let row = fixture.session(&vault, user.user_id);
                    let entries = vec![entry("session.created", row.session_id)];
                    Unit { statements: vec![sessions::insert(&vault, &row)], entries }
                };
                (0..GROUP).map(unit).collect()
            })
            .collect();
        let begun = Instant::now();
        for units in batches {
            for answer in fixture.engine().commit(Scope::Tenant(vault.tenant()), "bench", units).await? {
                answer?;
            }
        }
        let ours = rate(begun.elapsed());
        let begun = Instant::now();
        (0..BATCHES).try_for_each(|batch| raw_batch(&raw, round * BATCHES + batch))?;
        let theirs = rate(begun.elapsed());
        println!("engine {ours:>9.0}/s   raw {theirs:>9.0}/s   ratio {:.2}", ours / theirs);
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} (bar 0.50), {GROUP} writers to a group", ratios[ROUNDS / 2]);
    fixture.engine().close().await;
    drop(raw);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn rate(elapsed: Duration) -> f64 {
    (GROUP * BATCHES) as f64 / elapsed.as_secs_f64()
}

fn raw_database(folder: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let raw = rusqlite::Connection::open(folder.join("raw.db"))?;
    raw.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE states (id BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID; \
         CREATE TABLE entries (seq INTEGER PRIMARY KEY, body BLOB)",
    )?;
    Ok(raw)
}

/// Two rows a writer, of about the size of ours: a state and an audit entry.
fn raw_batch(raw: &rusqlite::Connection, batch: usize) -> rusqlite::Result<()> {
    raw.execute_batch("BEGIN IMMEDIATE")?;
    for unit in 0..GROUP {
        let number = (batch * GROUP + unit) as u128;
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
        let mut body = [id[3]; 260];
        body[..16].copy_from_slice(&id);
        raw.prepare_cached("INSERT INTO states (id, body) VALUES (?1, ?2)")?.execute((id, body))?;
        raw.prepare_cached("INSERT INTO entries (body) VALUES (?1)")?.execute([body])?;
    }
    raw.execute_batch("COMMIT")
}
