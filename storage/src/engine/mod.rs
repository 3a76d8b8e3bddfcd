//! What an engine must do, and the shapes that travel to and from it.

mod counters;
mod row;
mod statement;

use async_trait::async_trait;
use uuid::Uuid;

use std::time::Duration;

use crate::error::{PLATFORM, StorageError, UnitError};

pub(crate) use counters::Counters;
pub use counters::TransactionCount;
pub(crate) use row::Columns;
pub use row::Row;
pub(crate) use statement::guard;
pub use statement::{Expect, NewEntry, Receipt, Statement, Unit, Value};

/// Which database a statement runs in.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Scope {
    /// The register of tenants, wrapped keys, platform keys and the platform's own ledger.
    Platform,
    /// Everything of one tenant. The first parameter of every statement must be this id.
    Tenant(Uuid),
}

impl Scope {
    /// The id under which this scope keeps its ledger and its keys; nil for the platform.
    pub fn id(self) -> Uuid {
        match self {
            Self::Platform => PLATFORM,
            Self::Tenant(tenant) => tenant,
        }
    }

    /// The scope whose ledger and keys carry `id`; nil is the platform.
    pub fn of(id: Uuid) -> Self {
        if id == PLATFORM { Self::Platform } else { Self::Tenant(id) }
    }
}

/// A storage engine. Dropping a returned future abandons work that has not begun. A commit that has begun is then
/// finished or rolled back as a whole, whichever the engine can still do, and the caller does not learn which.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Runs one query and returns all its rows, after every commit acknowledged before the call.
    /// "Not found" is an empty vector.
    async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError>;

    /// Like [`read`](Self::read), for what must go on while tenants keep the engine busy, such as following other
    /// nodes: it does not wait behind them, and few may ask at once. A tenant without storage may be an empty vector.
    async fn read_aside(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        self.read(scope, statement).await
    }

    /// Runs `units` in one durable transaction called `name` and answers each of them, in order.
    ///
    /// Every unit has its own savepoint: its statements with their expectations, then its ledger
    /// entries, chained inside the transaction. A unit that fails leaves no trace and does not fail
    /// its neighbours. The call returns only after the transaction is on stable storage; an `Err`
    /// means that nothing of the batch was acknowledged.
    async fn commit(
        &self,
        scope: Scope,
        name: &'static str,
        units: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError>;

    /// Makes the empty storage of a tenant, with the genesis of its ledger. Idempotent.
    async fn create_tenant(&self, tenant: Uuid) -> Result<(), StorageError>;

    /// Removes the storage of a tenant and scrubs freed platform pages. Idempotent.
    async fn destroy_tenant(&self, tenant: Uuid) -> Result<(), StorageError>;

    /// The tenants that have storage, in order of id.
    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError>;

    /// Asks the engine how it is; never fails and answers within a second or so.
    async fn health(&self) -> EngineHealth;

    /// Whether other processes may write to the same storage, so that what this one remembers can be out of date.
    fn is_shared(&self) -> bool;

    /// Sequences of the last ledger entries of those among `ids` that have a ledger; nil is the platform's. Goes the
    /// way of [`read_aside`](Self::read_aside).
    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError>;

    /// Finishes what was begun, refuses what comes later, releases files and locks.
    async fn close(&self);
}

/// How an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineHealth {
    /// Name of the engine, such as `sqlite`.
    pub engine: &'static str,
    /// Whether reads are answered.
    pub readable: bool,
    /// Whether the last commit reached stable storage (true before the first).
    pub writable: bool,
    /// Why it is not readable or writable, and what to do.
    pub reason: Option<String>,
    /// Read jobs waiting in queues.
    pub queued_reads: u64,
    /// Write jobs waiting in queues.
    pub queued_writes: u64,
    /// Open database files or pooled connections.
    pub open: u64,
    /// The pool of connections, where the engine has one.
    pub pool: Option<PoolHealth>,
    /// Totals per named transaction, in order of name.
    pub transactions: Vec<TransactionCount>,
}

/// How a pool of connections is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolHealth {
    /// Connections it may open.
    pub limit: u32,
    /// Connections open now.
    pub open: u32,
    /// Connections at work.
    pub in_use: u32,
    /// Callers that wait for a connection.
    pub waiting: u32,
    /// How long the first of them has waited.
    pub oldest_wait: Duration,
    /// The last measured round trip to the server.
    pub round_trip: Option<Duration>,
}

impl EngineHealth {
    /// Whether the engine serves both reads and writes.
    pub fn ready(&self) -> bool {
        self.readable && self.writable
    }
}
