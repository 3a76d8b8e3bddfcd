use std::path::PathBuf;
use std::time::Duration;

/// How the PostgreSQL engine uses its server.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Connections for the traffic of tenants. One more watches whether the server answers, and another is for
    /// following other nodes and for health.
    pub connections: u32,
    /// Callers that may wait for a connection; more are refused as overloaded.
    pub queue_depth: u32,
    /// Longest time the server may spend on one statement.
    pub statement_timeout: Duration,
    /// Longest time a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// Longest time the server lets a transaction wait for us: a node that vanishes in the middle of a commit holds up
    /// the other writers of a tenant for so long. A little less than twice `lock_timeout`, and they need not notice.
    pub idle_timeout: Duration,
    /// Longest time to wait for another migration to end.
    pub migration_wait: Duration,
    /// Longest time to connect, TLS and authentication included.
    pub connect_timeout: Duration,
    /// PEM file of the certificate authorities to trust instead of those of the operating system.
    pub ca_file: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 16,
            queue_depth: 1_024,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(3),
            migration_wait: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(1),
            ca_file: None,
        }
    }
}
