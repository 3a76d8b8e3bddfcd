//! Single-row commits with nothing round them: as many connections as callers, prepared statements, autocommit.

use crate::rig::BenchError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::{Client, NoTls, Statement};

/// Most connections; more callers than that share them, one request at a time on each.
pub(super) const CONNECTIONS: usize = 64;
/// Rows to update.
const ROWS: i64 = 32_000;
/// Bytes beside the keys; a session row and a ledger entry of ours are of about this size.
const BYTES: usize = 230;

/// What a caller does over and over.
#[derive(Clone, Copy)]
pub(super) enum Write {
    /// One existing row.
    Update,
    /// One new row.
    Insert,
}

struct Connection {
    client: Client,
    update: Statement,
    insert: Statement,
}

/// The baseline's database.
pub(super) struct RawPostgres {
    connections: Vec<Arc<Mutex<Connection>>>,
    /// So that no content comes twice.
    written: u64,
}

async fn connect(url: &str) -> Result<Client, BenchError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client; what breaks it is seen by whoever waits for an answer.
    tokio::spawn(async move { connection.await.ok() });
    Ok(client)
}

impl RawPostgres {
    /// Makes two plain tables in an empty database of the same server and connects.
    pub(super) async fn open(url: &str) -> Result<Self, BenchError> {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for number in 0..CONNECTIONS {
            let client = connect(url).await?;
            if number == 0 {
                furnish(&client).await?;
            }
            let update =
                client.prepare("UPDATE states SET version = version + 1, body = $2 WHERE id = $1").await?;
            let insert = client.prepare("INSERT INTO entries (body) VALUES ($1)").await?;
            connections.push(Arc::new(Mutex::new(Connection { client, update, insert })));
        }
        Ok(Self { connections, written: 0 })
    }

    /// Commits per second of callers that each wait for their own.
    pub(super) async fn run(
        &mut self,
        write: Write,
        callers: usize,
        span: Duration,
    ) -> Result<f64, BenchError> {
        let begun = Instant::now();
        let end = begun + span;
        let mut running = JoinSet::new();
        for caller in 0..callers {
            let connection = Arc::clone(&self.connections[caller % CONNECTIONS]);
            let first = self.written + caller as u64;
            running.spawn(commit_until(connection, write, first, callers as u64, end));
        }
        let mut done = 0;
        let mut most = 0;
        while let Some(finished) = running.join_next().await {
            let of_one = finished??;
            done += of_one;
            most = most.max(of_one);
        }
        self.written += (most + 1) * callers as u64;
        Ok(done as f64 / begun.elapsed().as_secs_f64())
    }
}

async fn furnish(client: &Client) -> Result<(), BenchError> {
    client
        .batch_execute(
            "CREATE TABLE states (id bigint PRIMARY KEY, version bigint NOT NULL, body bytea NOT NULL); \
             CREATE TABLE entries (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL);",
        )
        .await?;
    let rows = "INSERT INTO states SELECT id, 0, convert_to(repeat(md5(id::text), 7), 'UTF8') \
                FROM generate_series(0, $1::bigint - 1) AS id";
    client.execute(rows, &[&ROWS]).await?;
    client.batch_execute("VACUUM ANALYZE states").await?;
    Ok(())
}

async fn commit_until(
    connection: Arc<Mutex<Connection>>,
    write: Write,
    first: u64,
    step: u64,
    end: Instant,
) -> Result<u64, BenchError> {
    let mut done = 0;
    while Instant::now() < end {
        let content = body(first + done * step);
        let link = connection.lock().await;
        let rows = match write {
            Write::Update => {
                let row =
                    i64::try_from((first + done * step).wrapping_mul(0x9e37_79b9) % ROWS.unsigned_abs());
                let row = row.expect("a remainder of a small number");
                link.client.execute(&link.update, &[&row, &content]).await?
            }
            Write::Insert => link.client.execute(&link.insert, &[&content]).await?,
        };
        if rows != 1 {
            return Err(BenchError::Invalid("a raw write found no row".into()));
        }
        done += 1;
    }
    Ok(done)
}

/// Content that differs each time.
fn body(number: u64) -> Vec<u8> {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes().into_iter().cycle().take(BYTES).collect()
}
