use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::engine::{Engine, NewEntry, Receipt, Scope, Statement, Unit};
use crate::entropy::Entropy;
use crate::error::{PLATFORM, StorageError, UnitError};
use crate::repositories::{master_checks, tenant_keys, tenants};
use crate::tenants::Tenants;
use crate::vault::{DataKey, Keys, MasterKey, Purpose, TenantVault, WrappedKey};

/// An opened store: an engine, the platform's keys, and the vaults that are in use.
pub struct Store {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) master: Arc<MasterKey>,
    pub(crate) entropy: Arc<dyn Entropy>,
    platform: Arc<TenantVault>,
    /// One live vault per tenant, so that a rotation reaches every holder; emptied by their drop.
    vaults: Arc<Mutex<HashMap<Uuid, Weak<TenantVault>>>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Store(..)")
    }
}

impl Store {
    /// Checks the master key, makes the platform's keys at the very first start, and finishes
    /// deletions that a crash interrupted. `now` is unix milliseconds.
    pub async fn open(
        engine: Arc<dyn Engine>,
        master: MasterKey,
        entropy: Arc<dyn Entropy>,
        now: i64,
    ) -> Result<Self, StorageError> {
        match master_checks::get(&*engine).await? {
            Some(check) => admit(&master, check)?,
            None => first_start(&*engine, &master, &*entropy, now).await?,
        }
        let wrapped = tenant_keys::list(&*engine, PLATFORM).await?;
        let keys = unwrap_keys(&master, &wrapped)?;
        let platform = TenantVault::new(PLATFORM, keys, Arc::clone(&entropy))
            .ok_or_else(|| StorageError::corrupt("the platform's wrapped keys"))?;
        let vaults = Arc::default();
        let store = Self { engine, master: Arc::new(master), entropy, platform: Arc::new(platform), vaults };
        store.finish_deletions().await?;
        Ok(store)
    }

    /// The same store with the same vaults, reached through `engine`: a decorator of [`engine`](Self::engine) that sees
    /// every commit.
    #[must_use]
    pub fn over(&self, engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            master: Arc::clone(&self.master),
            entropy: Arc::clone(&self.entropy),
            platform: Arc::clone(&self.platform),
            vaults: Arc::clone(&self.vaults),
        }
    }

    /// The engine, for reads and for the group commit.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// The platform's own keys.
    pub fn platform_vault(&self) -> &Arc<TenantVault> {
        &self.platform
    }

    /// The tenants.
    pub fn tenants(&self) -> Tenants<'_> {
        Tenants::new(self)
    }

    /// The keys of a tenant, `None` when it has none: never created, or deleted. One instance per
    /// tenant is shared by all holders; unlocking again loads versions made on other nodes.
    pub async fn unlock(&self, tenant: Uuid) -> Result<Option<Arc<TenantVault>>, StorageError> {
        if tenant == PLATFORM {
            return Ok(Some(Arc::clone(&self.platform)));
        }
        let wrapped = tenant_keys::list(&*self.engine, tenant).await?;
        if wrapped.is_empty() {
            return Ok(None);
        }
        let keys = unwrap_keys(&self.master, &wrapped)?;
        let mut vaults = self.vaults.lock();
        if let Some(live) = vaults.get(&tenant).and_then(Weak::upgrade) {
            keys.data.into_iter().for_each(|key| live.adopt(key));
            return Ok(Some(live));
        }
        let vault = TenantVault::new(tenant, keys, Arc::clone(&self.entropy))
            .map(Arc::new)
            .ok_or_else(|| StorageError::corrupt(format!("the wrapped data key of tenant {tenant}")))?;
        vaults.retain(|_, vault| vault.strong_count() > 0);
        vaults.insert(tenant, Arc::downgrade(&vault));
        Ok(Some(vault))
    }

    /// Gives a key version made just now to the live vault of a tenant.
    pub(crate) fn adopt(&self, tenant: Uuid, key: DataKey) {
        if tenant == PLATFORM {
            self.platform.adopt(key);
        } else if let Some(live) = self.vaults.lock().get(&tenant).and_then(Weak::upgrade) {
            live.adopt(key);
        }
    }

    pub(crate) fn forget(&self, tenant: Uuid) {
        self.vaults.lock().remove(&tenant);
    }

    /// Commits one unit in the platform's scope.
    pub(crate) async fn commit_platform(
        &self,
        name: &'static str,
        statements: Vec<Statement>,
        entries: Vec<NewEntry>,
    ) -> Result<Receipt, StorageError> {
        Ok(commit_one(&*self.engine, name, Unit { statements, entries }).await??)
    }

    /// A crash between destroying a tenant's keys and removing its storage leaves unreadable storage behind.
    async fn finish_deletions(&self) -> Result<(), StorageError> {
        let deleted = tenants::deleted(&*self.engine).await?;
        if deleted.is_empty() {
            return Ok(());
        }
        for tenant in self.engine.list_tenants().await? {
            if deleted.binary_search(&tenant).is_ok() {
                tracing::info!(%tenant, "removing storage left behind by an interrupted deletion");
                self.engine.destroy_tenant(tenant).await?;
            }
        }
        Ok(())
    }
}

async fn commit_one(
    engine: &dyn Engine,
    name: &'static str,
    unit: Unit,
) -> Result<Result<Receipt, UnitError>, StorageError> {
    let answers = engine.commit(Scope::Platform, name, vec![unit]).await?;
    answers.into_iter().next().ok_or_else(|| StorageError::unavailable("the engine answered no unit"))
}

pub(crate) fn admit(master: &MasterKey, check: [u8; 32]) -> Result<(), StorageError> {
    use subtle::ConstantTimeEq;
    if bool::from(master.check_value().ct_eq(&check)) { Ok(()) } else { Err(StorageError::WrongMasterKey) }
}

async fn first_start(
    engine: &dyn Engine,
    master: &MasterKey,
    entropy: &dyn Entropy,
    now: i64,
) -> Result<(), StorageError> {
    let (_, data) = master.new_key(entropy, PLATFORM, Purpose::Data, 1);
    let (_, index) = master.new_key(entropy, PLATFORM, Purpose::Index, 1);
    let unit = Unit {
        statements: vec![
            master_checks::insert(master.check_value()),
            tenant_keys::insert(&data, now),
            tenant_keys::insert(&index, now),
        ],
        entries: vec![NewEntry {
            at: now,
            event: "platform.initialized".into(),
            actor: "system".to_owned(),
            subject: "platform".to_owned(),
            data: serde_json::json!({}),
        }],
    };
    match commit_one(engine, "first_start", unit).await? {
        Ok(_) => Ok(()),
        // Another node was first: its master key must be ours.
        Err(UnitError::Unique(_)) => match master_checks::get(engine).await? {
            Some(check) => admit(master, check),
            None => Err(StorageError::Unsuitable {
                reason: "an import into it is under way or was interrupted: let it finish, or run it again"
                    .to_owned(),
            }),
        },
        Err(refused) => Err(refused.into()),
    }
}

/// Unwraps all keys of a tenant. The master key was checked before, so a key that does not open is damaged.
fn unwrap_keys(master: &MasterKey, wrapped: &[WrappedKey]) -> Result<Keys, StorageError> {
    let mut data = Vec::with_capacity(wrapped.len());
    let mut index = None;
    for key in wrapped {
        let opened = master.unwrap_key(key).ok_or_else(|| damaged(key))?;
        match key.purpose {
            Purpose::Data => data.push(DataKey { version: key.version, key: opened }),
            Purpose::Index => index = Some(opened),
        }
    }
    let index = index.ok_or_else(|| StorageError::corrupt("the set of wrapped keys (no index key)"))?;
    Ok(Keys { data, index })
}

fn damaged(key: &WrappedKey) -> StorageError {
    let (purpose, version, tenant) = (key.purpose.as_str(), key.version, key.tenant);
    StorageError::corrupt(format!("the wrapped {purpose} key {version} of {tenant} in the platform database"))
}
