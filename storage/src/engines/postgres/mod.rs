//! The engine for several nodes: PostgreSQL 15 or later, one database for the platform and all tenants.
//!
//! Every transaction says whose rows it is about (`plinto.scope`), and row-level security, forced on every table,
//! shows it no others. Whoever commits for a scope holds the row of its ledger's head, so commits of all nodes to
//! one tenant are serialized and the chain has neither fork nor gap. Nothing outlives a transaction on a connection,
//! so PgBouncer in transaction mode may stand between.

mod chain_writer;
mod connect;
mod failure;
mod last_write;
mod liveness;
mod merging;
mod migrations;
mod options;
mod pipeline;
mod pool;
mod read;
mod retry;
mod suitability;
mod tenants;
mod threads;
mod transaction;
mod url;
mod value;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::AbortHandle;
use uuid::Uuid;

use self::connect::Connector;
use self::failure::{Fault, Kind};
use self::last_write::LastWrite;
use self::liveness::{Liveness, watch_server};
pub use self::migrations::{Migrated, SchemaState, migrate, schema_state};
pub use self::options::PostgresOptions;
use self::pool::Pool;
use self::read::Beginning;
use self::retry::Attempts;
use self::threads::Threads;
use self::transaction::{Answers, Batch, Doubt};
pub use self::url::DatabaseUrl;
use crate::engine::{Columns, Counters, Engine, EngineHealth, Receipt, Row, Scope, Statement, Unit, guard};
use crate::error::{StorageError, UnitError};
use crate::repositories::{ledger, write_probe};

/// How long a health check waits for the answer to a write.
const PROBE: Duration = Duration::from_secs(1);

/// The PostgreSQL engine. Dropping it without [`close`](Engine::close) cuts what is under way.
pub struct PostgresEngine {
    core: Arc<Core>,
    threads: Threads,
}

/// What the engine is made of, shared with its threads.
struct Core {
    pool: Pool,
    /// For following other nodes and for health: the traffic of tenants cannot fill it.
    aside: Pool,
    liveness: Arc<Liveness>,
    watch: AbortHandle,
    beginning: Beginning,
    counters: Counters,
    last_write: LastWrite,
    /// Whether this server takes many statements as one; found out by the first that it refuses.
    merges: AtomicBool,
}

impl std::fmt::Debug for PostgresEngine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PostgresEngine(..)")
    }
}

impl PostgresEngine {
    /// Connects and checks server, role and schema. `url` is the application's: a role that owns nothing and
    /// cannot bypass row-level security.
    ///
    /// # Errors
    /// `Unsuitable` when the server or the role is not safe to use, `OlderSchema` or `NewerSchema` when the schema
    /// does not fit this build, `Unavailable` when the server cannot be reached. Nothing was changed.
    pub async fn open(url: &DatabaseUrl, options: PostgresOptions) -> Result<Self, StorageError> {
        let threads = Threads::start()?;
        let connector = Arc::new(Connector::new(url, &options, threads.handle().clone())?);
        migrations::within_bound(admit(&connector)).await.map_err(|fault| fault.storage())?;
        let liveness = Arc::new(Liveness::new());
        let watch = threads.handle().spawn(watch_server(Arc::clone(&liveness), Arc::clone(&connector)));
        let core = Core {
            pool: Pool::new(Arc::clone(&connector), Arc::clone(&liveness), &options),
            aside: Pool::aside(connector, Arc::clone(&liveness), &options),
            liveness,
            watch: watch.abort_handle(),
            beginning: Beginning::new(&options),
            counters: Counters::default(),
            last_write: LastWrite::default(),
            merges: AtomicBool::new(true),
        };
        Ok(Self { core: Arc::new(core), threads })
    }
}

impl Core {
    async fn query(
        &self,
        pool: &Pool,
        scope: Scope,
        statement: &Statement,
    ) -> Result<Vec<Row>, StorageError> {
        let begin = self.beginning.read(scope);
        let mut attempts = Attempts::at("read", &self.counters);
        loop {
            let done = async { read::query(&mut pool.acquire(scope).await?, &begin, statement).await };
            match done.await {
                Ok(rows) => return Ok(rows),
                Err(fault) => attempts.another(fault).await.map_err(|fault| fault.storage())?,
            }
        }
    }

    async fn transact(
        &self,
        pool: &Pool,
        scope: Scope,
        name: &'static str,
        units: &[Unit],
    ) -> Result<Answers, StorageError> {
        let mut batch = Batch::new(scope, self.beginning.write(scope), units);
        if !self.merges.load(Ordering::Relaxed) {
            batch.stop_merging();
        }
        let mut attempts = Attempts::at(name, &self.counters);
        let mut doubt = None;
        loop {
            let done = async { batch.attempt(&mut pool.acquire(scope).await?, &mut doubt).await };
            let fault = match done.await {
                Ok(answers) => return Ok(answers),
                Err(fault) => fault,
            };
            if fault.kind() == Kind::Unsupported && batch.stop_merging() {
                if self.merges.swap(false, Ordering::Relaxed) {
                    tracing::warn!("this server does not take many statements as one; commits are slower");
                }
                continue;
            }
            // Without an entry there is nothing to recognize it by.
            let fault = match doubt {
                Some(Doubt::Unrecognizable) => fault,
                Some(Doubt::Entry(..)) | None => match attempts.another(fault).await {
                    Ok(()) => continue,
                    Err(fault) => fault,
                },
            };
            return Err(if doubt.is_some() { StorageError::Unacknowledged } else { fault.storage() });
        }
    }

    /// Runs work on the storage of tenants until it is done or given up.
    async fn create(&self, tenant: Uuid) -> Result<(), Fault> {
        let mut attempts = Attempts::at("create_storage", &self.counters);
        loop {
            let lease = self.pool.acquire(Scope::Tenant(tenant)).await;
            let done = async { tenants::create(&mut lease?, &self.beginning, tenant).await };
            match done.await {
                Ok(()) => return Ok(()),
                Err(fault) => attempts.another(fault.of_write()).await?,
            }
        }
    }

    async fn destroy(&self, tenant: Uuid) -> Result<(), Fault> {
        let mut attempts = Attempts::at("destroy_storage", &self.counters);
        loop {
            let lease = self.pool.acquire(Scope::Tenant(tenant)).await;
            let done = async { tenants::destroy(&mut lease?, &self.beginning, tenant).await };
            match done.await {
                Ok(()) => return Ok(()),
                Err(fault) => attempts.another(fault.of_write()).await?,
            }
        }
    }

    /// Commits and keeps count of it.
    async fn counted(
        &self,
        pool: &Pool,
        scope: Scope,
        name: &'static str,
        units: &[Unit],
    ) -> Result<Answers, StorageError> {
        let done = self.transact(pool, scope, name, units).await;
        self.last_write.record(&done);
        self.counters.record(name, |total| match &done {
            Ok(answers) => {
                let stood = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
                total.committed += 1;
                total.units += stood;
                total.refused += answers.len() as u64 - stood;
            }
            Err(_) => total.failed += 1,
        });
        done
    }

    /// Why it does not answer reads, if so. A server that is only busy answers them, if late.
    fn unreadable(&self) -> Option<String> {
        if self.pool.is_closed() {
            return Some("storage was closed".to_owned());
        }
        self.liveness.away()
    }
}

/// Looks at the database before anything is written to it.
async fn admit(connector: &Connector) -> Result<(), Fault> {
    let line = connector.connect().await?;
    migrations::begin(&line.client).await?;
    suitability::of_server(&line.client).await?;
    suitability::of_role(&line.client).await?;
    migrations::check(&line.client, migrations::KNOWN).await?;
    line.client.batch_execute("ROLLBACK").await?;
    Ok(())
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        guard(scope, &statement).map_err(|what| StorageError::Misuse { what })?;
        let rows = self.core.query(&self.core.pool, scope, &statement).await?;
        if rows.is_empty()
            && scope != Scope::Platform
            && self.core.query(&self.core.pool, scope, &ledger::head(scope.id())).await?.is_empty()
        {
            return Err(StorageError::UnknownTenant);
        }
        Ok(rows)
    }

    async fn read_aside(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        guard(scope, &statement).map_err(|what| StorageError::Misuse { what })?;
        self.core.query(&self.core.aside, scope, &statement).await
    }

    async fn commit(
        &self,
        scope: Scope,
        name: &'static str,
        units: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let core = Arc::clone(&self.core);
        let work = async move { core.counted(&core.pool, scope, name, &units).await };
        threads::run(self.threads.handle(), work).await?
    }

    async fn create_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.core.create(tenant).await.map_err(|fault| fault.storage())
    }

    async fn destroy_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.core.destroy(tenant).await.map_err(|fault| fault.storage())
    }

    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        let rows = self
            .core
            .query(&self.core.pool, Scope::Platform, &Statement::new(tenants::LIST, Vec::new()))
            .await?;
        rows.into_iter().map(|row| Columns::of("tenant_storage", row).uuid("tenant_id")).collect()
    }

    async fn health(&self) -> EngineHealth {
        let unreadable = self.core.unreadable();
        if unreadable.is_none() && self.core.last_write.refusal().is_some() {
            let units = [Unit { statements: vec![write_probe::write()], entries: Vec::new() }];
            let probe = self.core.counted(&self.core.aside, Scope::Platform, "write_probe", &units);
            // Its outcome is what `last_write` says below; one that hangs leaves it as it was.
            let _ = tokio::time::timeout(PROBE, probe).await;
        }
        let unwritable = self.core.last_write.refusal();
        let pool = self.core.pool.health();
        EngineHealth {
            engine: "postgres",
            readable: unreadable.is_none(),
            writable: unreadable.is_none() && unwritable.is_none(),
            reason: unreadable.or(unwritable),
            queued_reads: u64::from(pool.waiting),
            queued_writes: 0,
            open: u64::from(pool.open),
            pool: Some(pool),
            transactions: self.core.counters.snapshot(),
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        let mut attempts = Attempts::at("ledger_heads", &self.core.counters);
        loop {
            let lease = self.core.aside.acquire(Scope::Platform).await;
            let done = async { tenants::heads(&mut lease?, &self.core.beginning, ids).await };
            match done.await {
                Ok(heads) => return Ok(heads),
                Err(fault) => attempts.another(fault).await.map_err(|fault| fault.storage())?,
            }
        }
    }

    async fn close(&self) {
        tokio::join!(self.core.pool.close(), self.core.aside.close());
        self.core.watch.abort();
    }
}

#[cfg(test)]
mod tests;
