//! Why a benchmark could not be run.

use plinto_actors::ServiceError;
use plinto_http::BindError;
use plinto_servers::ServerError;
use plinto_storage::{StorageError, UnitError};

/// A benchmark could not be run. A missed bar is not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The store refused.
    #[error("storage: {0}")]
    Storage(#[from] StorageError),
    /// One unit of a batch was refused.
    #[error("a unit of work was refused: {0}")]
    Unit(#[from] UnitError),
    /// The platform refused.
    #[error("platform: {0}")]
    Service(#[from] ServiceError),
    /// A port could not be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operating system refused.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// The baseline's database refused.
    #[error("baseline database: {0}")]
    Baseline(#[from] rusqlite::Error),
    /// The baseline's PostgreSQL refused.
    #[error("baseline PostgreSQL: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// The baseline's Redis refused.
    #[error("baseline Redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// What nodes share could not be reached.
    #[error("cluster: {0}")]
    Cluster(#[from] plinto_cluster::ClusterError),
    /// A private server could not be started.
    #[error("private server: {0}")]
    Server(#[from] ServerError),
    /// Something that has to be installed or built first is not there; what needs it is skipped.
    #[error("{0}")]
    Missing(String),
    /// What a child process said is not what was agreed.
    #[error("result of a child process: {0}")]
    Json(#[from] serde_json::Error),
    /// A task or thread panicked.
    #[error("a task of the benchmark panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
    /// The measurement would not have meant anything.
    #[error("nothing was measured: {0}")]
    Invalid(String),
}
