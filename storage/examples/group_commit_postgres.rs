//! Durable writes per second through the PostgreSQL engine against raw single-row commits by as many callers.
//!
//! ```sh
//! cargo run --release -p plinto-storage --features conformance --example group_commit_postgres
//! ```
//!
//! A unit is one fenced update and one audit entry of one tenant; 64 callers make a group. The raw side commits one
//! prepared update at a time, 64 callers over 16 and over 64 connections. Rounds alternate between them, because the
//! machine and its disk change from one second to the next. Where an fsync takes milliseconds, 64 callers can have no
//! more than 64 commits for each, on either side: PostgreSQL groups the raw ones too when every caller has a connection.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::sync::Arc;
use std::time::Duration;

use plinto_servers::{APP_ROLE, Database, PostgresConfig, PostgresServer};
use plinto_storage::conformance::{Fixture, NOW, Subject, entry};
use plinto_storage::engines::postgres::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use plinto_storage::repositories::users::{self, UserRow, UserState};
use plinto_storage::{Engine, Scope, TenantVault, Unit};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::{Client, NoTls};

const CALLERS: usize = 64;
const ROUND: Duration = Duration::from_millis(1_500);
const ROUNDS: usize = 7;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let config = PostgresConfig { durable: true, ..PostgresConfig::default() };
    let (server, database) = tokio::task::spawn_blocking(move || {
        let server = PostgresServer::start(config)?;
        let database = server.try_database()?;
        Ok::<_, plinto_servers::ServerError>((server, database))
    })
    .await??;
    let options = PostgresOptions::default();
    migrate(&DatabaseUrl::parse(&database.owner_url)?, APP_ROLE, &options).await?;
    let engine = PostgresEngine::open(&DatabaseUrl::parse(&database.app_url)?, options).await?;
    let fixture = Fixture::new(Subject { engine: Arc::new(engine), keep: Box::new(()) }).await;
    let vault = fixture.tenant("bench").await;
    let mut rows: Vec<_> = (0..CALLERS).map(|_| fixture.user()).collect();
    let inserts = rows.iter().map(|row| users::insert(&vault, row)).collect();
    fixture.commit(&vault, inserts, vec![]).await?;
    let few = raw_clients(&database, 16).await?;
    let many = raw_clients(&database, 64).await?;
    prepare_table(&few[0]).await?;

    let mut ratios = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let ours = grouped(fixture.engine(), &vault, &mut rows).await?;
        let raw = [raw(&few).await?, raw(&many).await?];
        let [over_few, over_many] = raw.map(|raw| ours / raw);
        println!(
            "engine {ours:>8.0} units/s   raw over 16 {:>8.0}/s ratio {over_few:.2}   \
             raw over 64 {:>8.0}/s ratio {over_many:.2}",
            raw[0], raw[1]
        );
        ratios[0].push(over_few);
        ratios[1].push(over_many);
    }
    let [over_few, over_many] = ratios.map(|mut ratios| {
        ratios.sort_by(f64::total_cmp);
        ratios[ROUNDS / 2]
    });
    println!("median ratio of units {over_few:.2} over 16 connections, {over_many:.2} over 64");
    println!("median ratio of rows, two a unit, {:.2} and {:.2} (bar 3.00)", over_few * 2.0, over_many * 2.0);
    fixture.engine().close().await;
    drop(server);
    Ok(())
}

/// Groups of one unit per caller, one after the other, as the tenant's ledger makes them under load.
async fn grouped(engine: &dyn Engine, vault: &TenantVault, rows: &mut [UserRow]) -> Result<f64, Failure> {
    let begun = Instant::now();
    let mut done = 0;
    while begun.elapsed() < ROUND {
        let units = rows.iter().map(|row| {
            let state = if row.version % 2 == 0 { UserState::Active } else { UserState::Blocked };
            let update = users::update_standing(vault, row.user_id, state, NOW + row.version, row.version);
            Unit { statements: vec![update], entries: vec![entry("user.blocked", row.user_id)] }
        });
        for answer in engine.commit(Scope::Tenant(vault.tenant()), "bench", units.collect()).await? {
            answer?;
        }
        rows.iter_mut().for_each(|row| row.version += 1);
        done += rows.len();
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

async fn raw_clients(database: &Database, count: usize) -> Result<Vec<Arc<Client>>, Failure> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let (client, connection) = tokio_postgres::connect(&database.owner_url, NoTls).await?;
        tokio::spawn(connection);
        clients.push(Arc::new(client));
    }
    Ok(clients)
}

async fn prepare_table(client: &Client) -> Result<(), Failure> {
    client
        .batch_execute(
            "CREATE TABLE raw_rows (id bigint PRIMARY KEY, state text, updated_at bigint, version bigint, body bytea); \
             INSERT INTO raw_rows SELECT n, 'active', 0, 1, decode(repeat('00', 60), 'hex') FROM generate_series(1, 64) n",
        )
        .await?;
    Ok(())
}

/// Each caller commits one row at a time. On a shared connection callers take turns.
async fn raw(clients: &[Arc<Client>]) -> Result<f64, Failure> {
    let turns: Vec<_> =
        clients.iter().map(|client| Arc::new(tokio::sync::Mutex::new(Arc::clone(client)))).collect();
    let text = "UPDATE raw_rows SET state = $2, updated_at = $3, version = version + 1 WHERE id = $1";
    let mut statements = Vec::new();
    for client in clients {
        statements.push(client.prepare(text).await?);
    }
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let turn = Arc::clone(&turns[caller % turns.len()]);
        let statement = statements[caller % turns.len()].clone();
        callers.spawn(async move {
            let mut done = 0_i64;
            while begun.elapsed() < ROUND {
                let client = turn.lock().await;
                let state = if done % 2 == 0 { "blocked" } else { "active" };
                client.execute(&statement, &[&(caller as i64 + 1), &state, &done]).await?;
                done += 1;
            }
            Ok::<_, tokio_postgres::Error>(done)
        });
    }
    let mut done = 0;
    while let Some(count) = callers.join_next().await {
        done += count??;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}
