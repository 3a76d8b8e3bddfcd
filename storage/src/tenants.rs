use uuid::Uuid;

use crate::engine::NewEntry;
use crate::error::{PLATFORM, StorageError};
use crate::repositories::signing_keys::{self, SealedSample};
use crate::repositories::{api_keys, service_accounts, tenant_keys, tenants};
use crate::store::Store;
use crate::vault::{DataKey, Purpose};
use crate::{Receipt, TenantRow};

/// A tenant to be created.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Its id, made by the caller; not nil.
    pub id: Uuid,
    /// Unique name in URLs, valid by the caller's rules.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Configuration, understood by the domain.
    pub settings: serde_json::Value,
    /// Unix milliseconds.
    pub at: i64,
    /// What the platform's ledger shall say of it.
    pub entries: Vec<NewEntry>,
}

/// What could still be read of a deleted tenant.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Wrapped keys that are still there.
    pub wrapped_keys: usize,
    /// Sealed rows that were tried.
    pub rows_tried: usize,
    /// Those of them that opened.
    pub rows_opened: usize,
    /// Whether its storage is gone.
    pub storage_removed: bool,
}

/// Creates, finds and deletes tenants; every change is audited in the platform's ledger.
#[derive(Copy, Clone, Debug)]
pub struct Tenants<'a> {
    store: &'a Store,
}

impl<'a> Tenants<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes the tenant's storage, then registers it with new keys in one platform transaction. Until
    /// the latter commits the tenant does not exist. A slug in use is
    /// `Refused(Unique(constraint::TENANT_SLUG))`.
    pub async fn create(&self, new: NewTenant) -> Result<Receipt, StorageError> {
        if new.id == PLATFORM {
            return Err(StorageError::Misuse { what: "the nil id belongs to the platform" });
        }
        let Store { engine, master, entropy, .. } = self.store;
        if tenant_keys::list(&**engine, new.id).await?.is_empty() {
            engine.create_tenant(new.id).await?;
        }
        let (_, data) = master.new_key(&**entropy, new.id, Purpose::Data, 1);
        let (_, index) = master.new_key(&**entropy, new.id, Purpose::Index, 1);
        let vault = self.store.platform_vault();
        let statements = vec![
            tenants::insert(vault, new.id, &new.slug, &new.name, &new.settings, new.at),
            tenant_keys::insert(&data, new.at),
            tenant_keys::insert(&index, new.at),
        ];
        let done = self.store.commit_platform("create_tenant", statements, new.entries).await;
        // These two say for certain that no tenant came to be; one of this very id may have been there before.
        if matches!(done, Err(StorageError::Refused(_) | StorageError::Full))
            && tenant_keys::list(&**engine, new.id).await?.is_empty()
        {
            engine.destroy_tenant(new.id).await?;
        }
        done
    }

    /// One tenant by id.
    pub async fn get(&self, id: Uuid) -> Result<Option<TenantRow>, StorageError> {
        tenants::get(&*self.store.engine, self.store.platform_vault(), id).await
    }

    /// One tenant by its name in URLs.
    pub async fn by_slug(&self, slug: &str) -> Result<Option<TenantRow>, StorageError> {
        tenants::by_slug(&*self.store.engine, self.store.platform_vault(), slug).await
    }

    /// Tenants in order of id, after `after`, at most `limit`.
    pub async fn list(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<TenantRow>, StorageError> {
        tenants::list(&*self.store.engine, self.store.platform_vault(), after, limit).await
    }

    /// Replaces name and settings of a tenant whose version is still `expected_version`; otherwise
    /// `Refused(Conflict("tenant_version"))`.
    pub async fn update(
        &self,
        row: &TenantRow,
        expected_version: i64,
        entries: Vec<NewEntry>,
    ) -> Result<Receipt, StorageError> {
        let vault = self.store.platform_vault();
        let statement =
            tenants::update(vault, row.id, &row.name, &row.settings, row.updated_at, expected_version);
        self.store.commit_platform("update_tenant", vec![statement], entries).await
    }

    /// Destroys the tenant's wrapped keys, which makes everything of it unreadable for ever, and marks it
    /// deleted, in one platform transaction; then removes its storage. Storage that cannot be removed, or a
    /// crash between the two, is repaired at the next start. An unknown tenant is `Refused(Conflict("tenant_state"))`.
    pub async fn delete(&self, id: Uuid, at: i64, entries: Vec<NewEntry>) -> Result<Receipt, StorageError> {
        let statements = vec![
            tenants::mark_deleted(id, at),
            tenant_keys::destroy(id),
            api_keys::revoke_of_tenant(id, at),
            service_accounts::remove_of_tenant(id),
        ];
        let receipt = self.store.commit_platform("delete_tenant", statements, entries).await?;
        self.store.forget(id);
        // The tenant is gone for good already; what is left is unreadable and goes at the next start.
        if let Err(error) = self.store.engine.destroy_tenant(id).await {
            tracing::warn!(tenant = %id, %error, "the storage of a deleted tenant is not removed yet");
        }
        Ok(receipt)
    }

    /// Some sealed rows of a tenant as they lie in storage, for [`look_for_remains`](Self::look_for_remains).
    pub async fn sealed_sample(&self, id: Uuid) -> Result<Vec<SealedSample>, StorageError> {
        signing_keys::sealed_sample(&*self.store.engine, id).await
    }

    /// Looks whether anything of a deleted tenant could be read: its wrapped keys, its storage, and rows that were read
    /// before it was deleted, tried with whatever key there still is.
    pub async fn look_for_remains(&self, id: Uuid, sealed: &[SealedSample]) -> Result<Remains, StorageError> {
        let engine = &*self.store.engine;
        let wrapped_keys = tenant_keys::list(engine, id).await?.len();
        let left = self.store.unlock(id).await?;
        let keys: Vec<_> = left.iter().chain([self.store.platform_vault()]).collect();
        let opens = |sample: &&SealedSample| keys.iter().any(|vault| sample.opens_with(vault));
        let rows_opened = sealed.iter().filter(opens).count();
        let storage_removed = engine.list_tenants().await?.binary_search(&id).is_err();
        Ok(Remains { wrapped_keys, rows_tried: sealed.len(), rows_opened, storage_removed })
    }

    /// Adds a data-key version, which seals from now on; older versions stay for reading. The nil id
    /// rotates the platform's own key. Returns the new version.
    pub async fn rotate_key(
        &self,
        tenant: Uuid,
        at: i64,
        entries: Vec<NewEntry>,
    ) -> Result<u32, StorageError> {
        let Store { engine, master, entropy, .. } = self.store;
        let known = tenant_keys::list(&**engine, tenant).await?;
        let newest = known.iter().filter(|key| key.purpose == Purpose::Data).map(|key| key.version).max();
        let version = newest.ok_or(StorageError::UnknownTenant)? + 1;
        let (key, wrapped) = master.new_key(&**entropy, tenant, Purpose::Data, version);
        let mut statements = vec![tenant_keys::insert(&wrapped, at)];
        if tenant != PLATFORM {
            statements.push(tenants::touch(tenant, at));
        }
        self.store.commit_platform("rotate_key", statements, entries).await?;
        self.store.adopt(tenant, DataKey { version, key });
        Ok(version)
    }
}
