use std::sync::Arc;

use plinto_servers::{Database, PgBouncer, PostgresServer};

use super::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use crate::conformance::Subject;

const APPLICATION: &str = plinto_servers::APP_ROLE;

fn url(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text).expect("the server gives valid URLs")
}

/// A new database with the schema in it.
async fn database() -> Database {
    let database =
        tokio::task::spawn_blocking(|| PostgresServer::shared().database()).await.expect("a server starts");
    migrate(&url(&database.owner_url), APPLICATION, &PostgresOptions::default()).await.expect("migrates");
    database
}

async fn open(database: &Database, options: PostgresOptions) -> PostgresEngine {
    PostgresEngine::open(&url(&database.app_url), options).await.expect("opens")
}

async fn direct() -> Subject {
    let engine =
        open(&database().await, PostgresOptions { connections: 4, ..PostgresOptions::default() }).await;
    Subject { engine: Arc::new(engine), keep: Box::new(()) }
}

async fn through_pgbouncer() -> Subject {
    let database = database().await;
    let bouncer = tokio::task::spawn_blocking(move || PgBouncer::start(PostgresServer::shared(), &database));
    let bouncer = bouncer.await.expect("does not panic").expect("starts");
    let engine = PostgresEngine::open(&url(bouncer.url()), PostgresOptions::default()).await.expect("opens");
    Subject { engine: Arc::new(engine), keep: Box::new(bouncer) }
}

crate::conformance!(postgres, direct);
crate::conformance!(postgres_through_pgbouncer, through_pgbouncer);
