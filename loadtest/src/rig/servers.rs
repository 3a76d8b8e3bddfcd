//! A private durable PostgreSQL and a private Redis, started for one benchmark.

use super::error::BenchError;
use plinto_servers::{Database, PostgresConfig, PostgresServer, RedisServer, ServerError};
use plinto_storage::engines::postgres::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// What whoever runs a node's PostgreSQL sets first. Tests have far smaller caches, in which only the few rows of a
/// baseline would stay; and a checkpoint would fall on one side of a comparison by chance.
const SETTINGS: [(&str, &str); 2] = [("shared_buffers", "2GB"), ("max_wal_size", "16GB")];

/// The servers. They end when dropped.
pub(crate) struct Servers {
    postgres: Arc<PostgresServer>,
    pub(crate) redis: RedisServer,
}

impl Servers {
    /// Starts both; `Err` with [`BenchError::Missing`] where they are not installed.
    pub(crate) async fn start() -> Result<Self, BenchError> {
        let started = spawn_blocking(|| {
            // fsync and synchronous_commit are on, as PostgreSQL is shipped.
            let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let config = PostgresConfig { durable: true, settings, ..PostgresConfig::default() };
            Ok((PostgresServer::start(config)?, RedisServer::start()?))
        });
        let (postgres, redis) = started.await?.map_err(|error: ServerError| match error {
            ServerError::Missing { .. } | ServerError::TooOld { .. } | ServerError::NoAccount => {
                BenchError::Missing(error.to_string())
            }
            other => other.into(),
        })?;
        Ok(Self { postgres: Arc::new(postgres), redis })
    }

    /// A new, empty database.
    pub(crate) async fn empty_database(&self) -> Result<Database, BenchError> {
        let postgres = Arc::clone(&self.postgres);
        Ok(spawn_blocking(move || postgres.try_database()).await??)
    }

    /// A new database with Plinto's schema.
    pub(crate) async fn database(&self) -> Result<Database, BenchError> {
        let database = self.empty_database().await?;
        let owner = DatabaseUrl::parse(&database.owner_url)?;
        migrate(&owner, plinto_servers::APP_ROLE, &PostgresOptions::default()).await?;
        Ok(database)
    }
}

/// Opens a database of Plinto's as the application's role.
pub(crate) async fn open(database: &Database) -> Result<PostgresEngine, BenchError> {
    let url = DatabaseUrl::parse(&database.app_url)?;
    Ok(PostgresEngine::open(&url, PostgresOptions::default()).await?)
}
