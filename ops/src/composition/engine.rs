//! The storage engine the settings name.

use std::path::Path;
use std::sync::Arc;

use plinto_storage::engines::postgres::{DatabaseUrl, PostgresEngine};
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::{Engine, StorageError};

use super::{SecretProblem, StartError, secret};
use crate::settings::{DatabaseSettings, SecretSource, Settings};

pub(super) const PLATFORM_DATABASE: &str = "platform.db";

/// A database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseProblem {
    /// Its URL is not to be had.
    #[error(transparent)]
    Secret(#[from] SecretProblem),
    /// Its URL is no URL of a database.
    #[error(transparent)]
    Url(StorageError),
    /// It does not answer, or it refuses. The URL is shown without its password.
    #[error("{url}: {source}")]
    Refused {
        /// Where it is.
        url: String,
        /// Why.
        source: StorageError,
    },
}

/// The database of the settings, or the files of the data directory.
pub(crate) async fn open_engine(settings: &Settings) -> Result<Arc<dyn Engine>, StartError> {
    match &settings.database {
        Some(database) => Ok(open_database(database).await?),
        None => open_files(&settings.data_dir).await,
    }
}

/// Connects, and checks that database and role are fit for use.
pub(crate) async fn open_database(database: &DatabaseSettings) -> Result<Arc<dyn Engine>, DatabaseProblem> {
    let url = database_url(&database.url)?;
    match PostgresEngine::open(&url, database.options.clone()).await {
        Ok(engine) => Ok(Arc::new(engine)),
        Err(source) => Err(DatabaseProblem::Refused { url: url.to_string(), source }),
    }
}

/// Takes a data directory, creating it if missing, and checks the platform database.
pub(crate) async fn open_files(data_dir: &Path) -> Result<Arc<dyn Engine>, StartError> {
    let data_dir = data_dir.to_owned();
    let opening =
        tokio::task::spawn_blocking(move || SqliteEngine::open(&data_dir, SqliteOptions::default()));
    Ok(Arc::new(opening.await.map_err(|_| StartError::Interrupted)??))
}

/// Reads the URL of a database.
pub(crate) fn database_url(source: &SecretSource) -> Result<DatabaseUrl, DatabaseProblem> {
    DatabaseUrl::parse(&secret::read(source, "the URL of the database")?).map_err(DatabaseProblem::Url)
}

/// Whether a directory holds data of the embedded engine.
pub(crate) fn holds_files(data_dir: &Path) -> bool {
    data_dir.join(PLATFORM_DATABASE).exists()
}
