mod connections;
mod faults;
mod isolation;
mod loss;
mod merging;
mod nodes;
mod outage;
mod proxy;
mod roles;
mod schema;
mod secrets;
mod tls;

use std::sync::Arc;

use plinto_servers::{Database, PgBouncer, PostgresConfig, PostgresServer};
use tokio_postgres::{Client, NoTls};

use super::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use crate::conformance::{Fixture, Subject};

const APPLICATION: &str = plinto_servers::APP_ROLE;

fn url(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text).expect("the server gives valid URLs")
}

/// Runs what blocks, such as starting a server, where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("does not panic")
}

/// An empty database on the server all tests share.
async fn empty_database() -> Database {
    blocking(|| PostgresServer::shared().database()).await
}

/// A new database with the schema in it.
async fn database() -> Database {
    let database = empty_database().await;
    migrated(&database).await;
    database
}

async fn migrated(database: &Database) {
    migrate(&url(&database.owner_url), APPLICATION, &PostgresOptions::default()).await.expect("migrates");
}

/// A server of one's own, to be hurt, with a database that has the schema.
async fn private_server() -> (Arc<PostgresServer>, Database) {
    let server = blocking(|| PostgresServer::start(PostgresConfig::default()).expect("starts")).await;
    let server = Arc::new(server);
    let at = Arc::clone(&server);
    let database = blocking(move || at.database()).await;
    migrated(&database).await;
    (server, database)
}

async fn open(database: &Database, options: PostgresOptions) -> PostgresEngine {
    PostgresEngine::open(&url(&database.app_url), options).await.expect("opens")
}

/// An engine with a store on it.
async fn fixture(database: &Database, options: PostgresOptions) -> Fixture {
    let engine = Arc::new(open(database, options).await);
    Fixture::new(Subject { engine, keep: Box::new(()) }).await
}

/// A plain connection, to do what the engine would not.
async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client
}

async fn direct() -> Subject {
    let engine =
        open(&database().await, PostgresOptions { connections: 4, ..PostgresOptions::default() }).await;
    Subject { engine: Arc::new(engine), keep: Box::new(()) }
}

async fn through_pgbouncer() -> Subject {
    let database = database().await;
    let bouncer =
        blocking(move || PgBouncer::start(PostgresServer::shared(), &database).expect("starts")).await;
    let engine = PostgresEngine::open(&url(bouncer.url()), PostgresOptions::default()).await.expect("opens");
    Subject { engine: Arc::new(engine), keep: Box::new(bouncer) }
}

crate::conformance!(postgres, direct);
crate::conformance!(postgres_through_pgbouncer, through_pgbouncer);
