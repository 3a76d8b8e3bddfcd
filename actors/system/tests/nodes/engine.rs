use async_trait::async_trait;
use parking_lot::Mutex;
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::{Engine, EngineHealth, Receipt, Row, Scope, Statement, StorageError, Unit, UnitError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use uuid::Uuid;

/// The database of several nodes: an embedded one that says it is shared.
pub(crate) fn database() -> Arc<SqliteEngine> {
    Arc::new(SqliteEngine::in_memory(SqliteOptions::default()).expect("engine"))
}

/// One node's way to the database, which may be cut.
pub(crate) struct Connection {
    database: Arc<SqliteEngine>,
    cut: AtomicBool,
    /// What was read or asked through it.
    pub(crate) asked: AtomicU64,
    disturbed: Mutex<Option<Disturbance>>,
}

/// Reads of a scope whose text holds a word are late, or fail.
#[derive(Clone)]
pub(crate) struct Disturbance {
    pub(crate) scope: Scope,
    pub(crate) text: &'static str,
    pub(crate) outcome: Outcome,
}

#[derive(Clone)]
pub(crate) enum Outcome {
    Late(Duration),
    Fails(StorageError),
}

impl Connection {
    pub(crate) fn to(database: &Arc<SqliteEngine>) -> Arc<Self> {
        Arc::new(Self {
            database: Arc::clone(database),
            cut: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            disturbed: Mutex::default(),
        })
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    /// Disturbs reads from now on, or no longer.
    pub(crate) fn disturb(&self, disturbance: Option<Disturbance>) {
        *self.disturbed.lock() = disturbance;
    }

    async fn disturbed(&self, scope: Scope, text: &str) -> Result<(), StorageError> {
        let disturbance = self.disturbed.lock().clone();
        match disturbance.filter(|it| it.scope == scope && text.contains(it.text)) {
            None => Ok(()),
            Some(Disturbance { outcome: Outcome::Late(by), .. }) => {
                tokio::time::sleep(by).await;
                Ok(())
            }
            Some(Disturbance { outcome: Outcome::Fails(error), .. }) => Err(error),
        }
    }

    /// Runs on a blocking thread, so that paused time stands still meanwhile.
    async fn call<T, F>(
        &self,
        work: impl FnOnce(Arc<SqliteEngine>) -> F + Send + 'static,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StorageError>>,
    {
        if self.cut.load(Ordering::SeqCst) {
            return Err(StorageError::Unavailable { reason: "cut by the test".into() });
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let database = Arc::clone(&self.database);
        let handle = Handle::current();
        tokio::task::spawn_blocking(move || handle.block_on(work(database))).await.expect("no panic")
    }
}

#[async_trait]
impl Engine for Connection {
    async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        self.disturbed(scope, statement.sql).await?;
        self.call(move |database| async move { database.read(scope, statement).await }).await
    }

    async fn commit(
        &self,
        scope: Scope,
        name: &'static str,
        units: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        self.call(move |database| async move { database.commit(scope, name, units).await }).await
    }

    async fn create_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.call(move |database| async move { database.create_tenant(tenant).await }).await
    }

    async fn destroy_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.call(move |database| async move { database.destroy_tenant(tenant).await }).await
    }

    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        self.call(|database| async move { database.list_tenants().await }).await
    }

    async fn health(&self) -> EngineHealth {
        match self.call(|database| async move { Ok(database.health().await) }).await {
            Ok(health) => health,
            Err(_cut) => EngineHealth { readable: false, ..self.database.health().await },
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        self.disturbed(Scope::Platform, "heads").await?;
        let ids = ids.to_vec();
        self.call(move |database| async move { database.ledger_heads(&ids).await }).await
    }

    /// The other nodes still use the database.
    async fn close(&self) {
        self.cut(true);
    }
}
