//! Engines that pass everything on but for what a test does at a commit.

use std::sync::Arc;

use crate::engine::{Row, Scope, Statement, Unit};
use crate::{Engine, StorageError};

macro_rules! delegate {
    ($name:ident, $self:ident, $scope:ident, $label:ident, $units:ident, $commit:block) => {
        #[async_trait::async_trait]
        impl Engine for $name {
            async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
                self.inner.read(scope, statement).await
            }

            async fn commit(
                &$self,
                $scope: Scope,
                $label: &'static str,
                $units: Vec<Unit>,
            ) -> Result<Vec<Result<crate::Receipt, crate::UnitError>>, StorageError> $commit

            async fn create_tenant(&self, tenant: uuid::Uuid) -> Result<(), StorageError> {
                self.inner.create_tenant(tenant).await
            }

            async fn destroy_tenant(&self, tenant: uuid::Uuid) -> Result<(), StorageError> {
                self.inner.destroy_tenant(tenant).await
            }

            async fn list_tenants(&self) -> Result<Vec<uuid::Uuid>, StorageError> {
                self.inner.list_tenants().await
            }

            async fn health(&self) -> crate::EngineHealth {
                self.inner.health().await
            }

            fn is_shared(&self) -> bool {
                self.inner.is_shared()
            }

            async fn ledger_heads(&self, ids: &[uuid::Uuid]) -> Result<Vec<(uuid::Uuid, i64)>, StorageError> {
                self.inner.ledger_heads(ids).await
            }

            async fn close(&self) {
                self.inner.close().await;
            }
        }
    };
}

/// Commits so many times, then never again.
pub(super) struct Failing {
    inner: Arc<dyn Engine>,
    left: parking_lot::Mutex<u64>,
}

impl Failing {
    pub(super) fn after(commits: u64, inner: Arc<dyn Engine>) -> Self {
        Self { inner, left: parking_lot::Mutex::new(commits) }
    }
}

delegate!(Failing, self, scope, name, units, {
    {
        let mut left = self.left.lock();
        if *left == 0 {
            return Err(StorageError::Full);
        }
        *left -= 1;
    }
    self.inner.commit(scope, name, units).await
});
