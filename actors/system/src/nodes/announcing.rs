use async_trait::async_trait;
use plinto_cluster::{Cluster, Notice};
use plinto_storage::ledger::CHANGING;
use plinto_storage::{Engine, EngineHealth, Receipt, Row, Scope, Statement, StorageError, Unit, UnitError};
use std::sync::Arc;
use uuid::Uuid;

/// An engine that tells the other nodes what was committed through it. Every write of this node goes through one, so
/// none can forget to.
struct Announcing {
    inner: Arc<dyn Engine>,
    cluster: Arc<dyn Cluster>,
}

/// The engine to build everything on: where nobody else writes, there is nobody to tell.
pub(crate) fn announcing(engine: &Arc<dyn Engine>, cluster: &Arc<dyn Cluster>) -> Arc<dyn Engine> {
    if !engine.is_shared() {
        return Arc::clone(engine);
    }
    Arc::new(Announcing { inner: Arc::clone(engine), cluster: Arc::clone(cluster) })
}

/// What the entries of a unit give other nodes to do.
fn notices(scope: Scope, unit: &Unit) -> Vec<Notice> {
    let entries = unit.entries.iter().filter(|entry| CHANGING.contains(&&*entry.event));
    let notice = |entry: &plinto_storage::NewEntry| Notice::Changed {
        scope: scope.id(),
        event: entry.event.to_string(),
        subject: entry.subject.clone(),
    };
    entries.map(notice).collect()
}

#[async_trait]
impl Engine for Announcing {
    async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        self.inner.read(scope, statement).await
    }

    async fn read_aside(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        self.inner.read_aside(scope, statement).await
    }

    /// What stood is announced after the commit. So is what may have stood: a notice only makes others look. A caller
    /// that drops this future loses the notice; others find the entry when they next read the ledger.
    async fn commit(
        &self,
        scope: Scope,
        name: &'static str,
        units: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        let per_unit: Vec<Vec<Notice>> = units.iter().map(|unit| notices(scope, unit)).collect();
        let done = self.inner.commit(scope, name, units).await;
        for (at, notices) in per_unit.into_iter().enumerate() {
            let may_stand = match &done {
                Ok(outcomes) => outcomes.get(at).is_some_and(Result::is_ok),
                Err(StorageError::Unacknowledged) => true,
                Err(_) => false,
            };
            if may_stand {
                notices.into_iter().for_each(|notice| self.cluster.announce(notice));
            }
        }
        done
    }

    async fn create_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.inner.create_tenant(tenant).await
    }

    async fn destroy_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.inner.destroy_tenant(tenant).await
    }

    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        self.inner.list_tenants().await
    }

    async fn health(&self) -> EngineHealth {
        self.inner.health().await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        self.inner.ledger_heads(ids).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
