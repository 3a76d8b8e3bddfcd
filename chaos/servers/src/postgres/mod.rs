mod bouncer;
mod database;
mod server;

pub use bouncer::PgBouncer;
pub use database::Database;
pub use server::{PostgresConfig, PostgresServer};

/// Owns the databases and their tables; runs migrations.
pub const OWNER_ROLE: &str = "plinto_owner";

/// What the nodes connect as; row-level security holds for it.
pub const APP_ROLE: &str = "plinto_app";

/// The superuser.
const SUPERUSER: &str = "postgres";
