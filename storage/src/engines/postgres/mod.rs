//! The engine for several nodes: PostgreSQL 15 or later, one database for the platform and all tenants.
mod options;
mod url;

use async_trait::async_trait;
use uuid::Uuid;

pub use self::options::PostgresOptions;
pub use self::url::DatabaseUrl;
use crate::engine::{Engine, EngineHealth, Receipt, Row, Scope, Statement, Unit};
use crate::error::{StorageError, UnitError};

/// What [`migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the migrations applied now, in order; empty when there was nothing to do.
    pub applied: Vec<String>,
    /// Schema version of the database afterwards.
    pub version: i64,
}

/// The schema of a database beside the one this build knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// Version found; 0 when there is no schema.
    pub found: i64,
    /// Newest version this build knows.
    pub known: i64,
    /// Names of the migrations [`migrate`] would apply.
    pub pending: Vec<&'static str>,
}

/// Brings the schema up to date as its owner and grants `application_role` what it needs.
pub async fn migrate(_: &DatabaseUrl, _: &str, _: &PostgresOptions) -> Result<Migrated, StorageError> {
    Err(unfinished())
}

/// Compares the schema of a database with the one this build knows.
pub async fn schema_state(_: &DatabaseUrl, _: &PostgresOptions) -> Result<SchemaState, StorageError> {
    Err(unfinished())
}

fn unfinished() -> StorageError {
    StorageError::unavailable("the PostgreSQL engine is being built")
}

/// The PostgreSQL engine.
#[derive(Debug)]
pub struct PostgresEngine(());

impl PostgresEngine {
    /// Connects and checks that the database is safe to use.
    pub async fn open(_: &DatabaseUrl, _: PostgresOptions) -> Result<Self, StorageError> {
        Err(unfinished())
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn read(&self, _: Scope, _: Statement) -> Result<Vec<Row>, StorageError> {
        Err(unfinished())
    }

    async fn commit(
        &self,
        _: Scope,
        _: &'static str,
        _: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        Err(unfinished())
    }

    async fn create_tenant(&self, _: Uuid) -> Result<(), StorageError> {
        Err(unfinished())
    }

    async fn destroy_tenant(&self, _: Uuid) -> Result<(), StorageError> {
        Err(unfinished())
    }

    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        Err(unfinished())
    }

    async fn health(&self) -> EngineHealth {
        EngineHealth {
            engine: "postgres",
            readable: false,
            writable: false,
            reason: Some(unfinished().to_string()),
            queued_reads: 0,
            queued_writes: 0,
            open: 0,
            pool: None,
            transactions: Vec::new(),
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn ledger_heads(&self, _: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        Err(unfinished())
    }

    async fn close(&self) {}
}
