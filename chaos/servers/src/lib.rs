//! Private PostgreSQL, PgBouncer and Redis servers on free loopback ports in temporary directories, for tests and
//! experiments.
//!
//! A server dies with the process that started it, however that ends, and its directory with it: a watchdog waits for
//! the end of a pipe only this process holds. Everything here blocks; a test calls it before it measures anything.
//!
//! * [`PostgresServer`] gives new databases with the two roles Plinto knows: an owner and an application.
//! * [`PgBouncer`] stands before one of them, in transaction mode.
//! * [`RedisServer`] and [`RedisCluster`] keep nothing on disk.

mod error;
mod home;
mod machine;
mod postgres;
mod redis;
mod service;
mod wait;

pub use error::ServerError;
pub use postgres::{APP_ROLE, Database, OWNER_ROLE, PgBouncer, PostgresConfig, PostgresServer};
pub use redis::{RedisCluster, RedisConfig, RedisServer};

/// The certificate a server shows. Plain connections are refused then.
#[derive(Clone)]
pub struct ServerTls {
    /// Certificate chain.
    pub cert_pem: String,
    /// Its private key.
    pub key_pem: String,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}
