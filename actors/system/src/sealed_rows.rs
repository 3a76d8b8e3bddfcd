//! Reading rows that another node may have sealed under a data key it made a moment ago.

use crate::error::ServiceError;
use crate::look_ups::LookUps;
use plinto_domain::TenantId;
use plinto_storage::{StorageError, Store, VaultError};
use std::sync::Arc;

/// Reads sealed rows of tenants.
pub(crate) struct SealedRows {
    store: Arc<Store>,
    look_ups: LookUps,
}

impl SealedRows {
    pub(crate) fn of(store: Arc<Store>) -> Self {
        Self { store, look_ups: LookUps::default() }
    }

    /// Reads with the tenant's live vault. If that does not know the version of the key a row is sealed under, it is
    /// given what versions there are now, and the row is read once more.
    pub(crate) async fn read<T, F>(
        &self,
        tenant: TenantId,
        mut read: impl FnMut() -> F,
    ) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        match read().await {
            Err(StorageError::Vault(VaultError::UnknownVersion { .. }))
                if self.store.engine().is_shared() =>
            {
                self.look_ups.admit()?;
                self.store.unlock(tenant.uuid()).await?;
                Ok(read().await?)
            }
            done => Ok(done?),
        }
    }
}
