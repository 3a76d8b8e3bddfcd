//! Which tenants there are: create, find, list, delete.

use crate::environment::Environment;
use crate::error::ServiceError;
use crate::look_ups::LookUps;
use crate::persist::entries;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::tenant::{Tenant, TenantSettings, TenantSlug, change};
use plinto_domain::{TenantId, Timestamp};
use plinto_storage::{NewTenant, Receipt, StorageError, Store, TenantRow, TenantState, UnitError};
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slugs remembered, known and unknown ones alike, so that made-up names cost no disk. Where other nodes make tenants,
/// unknown ones are looked up again each time: they may be known by now.
const REMEMBERED: usize = 100_000;

/// A tenant as operators see it.
#[derive(Clone, Debug)]
pub struct TenantView {
    /// The tenant.
    pub id: TenantId,
    /// Name in URLs.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Settings.
    pub settings: TenantSettings,
    /// When it was created.
    pub created_at: Timestamp,
    /// Grows by one with each change, that of its keys included.
    pub version: i64,
}

/// A change of a tenant: what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// What it shall be called.
    pub name: Option<DisplayName>,
    /// A merge patch of its settings (RFC 7396).
    pub settings: Option<serde_json::Map<String, serde_json::Value>>,
}

pub(crate) struct Registry {
    store: Arc<Store>,
    environment: Environment,
    slugs: Cache<String, Option<TenantId>>,
    ids: Cache<TenantId, bool>,
    look_ups: LookUps,
    /// Tenants deleted by other nodes that were forgotten here.
    forgotten: AtomicU64,
}

impl Registry {
    pub(crate) fn new(store: Arc<Store>, environment: Environment) -> Self {
        let (slugs, ids) = (Cache::new(REMEMBERED), Cache::new(REMEMBERED));
        Self { store, environment, slugs, ids, look_ups: LookUps::default(), forgotten: AtomicU64::new(0) }
    }

    /// The tenant of a slug. Only well-formed names reach the disk or the cache.
    pub(crate) async fn resolve(&self, slug: &str) -> Result<TenantId, ServiceError> {
        if let Some(known) = self.slugs.get(slug) {
            return known.ok_or(ServiceError::UnknownTenant);
        }
        TenantSlug::parse("tenant", slug).map_err(|_| ServiceError::UnknownTenant)?;
        // One look-up at a time per slug; a slug that is created or deleted meanwhile is not remembered wrongly,
        // because removing it also removes the look-up's place.
        let forgotten = self.forgotten.load(Ordering::Acquire);
        let found = self.slugs.get_or_insert_async(slug, self.look_up(slug)).await?;
        if self.may_be_wrong(found.is_some(), forgotten) {
            self.slugs.remove(slug);
        }
        found.ok_or(ServiceError::UnknownTenant)
    }

    /// Whether what was just looked up must not stay remembered: it was not found, while others may make it; or a tenant
    /// was deleted elsewhere since `forgotten` was read, perhaps this one, and after its row was read here.
    fn may_be_wrong(&self, found: bool, forgotten: u64) -> bool {
        self.store.engine().is_shared() && (!found || self.forgotten.load(Ordering::Acquire) != forgotten)
    }

    /// Forgets a tenant that another node deleted.
    pub(crate) fn forget(&self, id: TenantId) {
        // Counted first: a look-up under way that remembers it after this sees the count.
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.ids.remove(&id);
        self.slugs.retain(|_, known| *known != Some(id));
    }

    /// Forgets all tenants: which of them other nodes deleted could not be read.
    pub(crate) fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.ids.clear();
        self.slugs.clear();
    }

    /// Refuses ids that are no tenant's, before anything is activated for them: they come from tokens that have not
    /// been believed yet.
    pub(crate) async fn require(&self, id: TenantId) -> Result<(), ServiceError> {
        let known = match self.ids.get(&id) {
            Some(known) => known,
            None => {
                let forgotten = self.forgotten.load(Ordering::Acquire);
                let found = self.ids.get_or_insert_async(&id, self.exists(id)).await?;
                if self.may_be_wrong(found, forgotten) {
                    self.ids.remove(&id);
                }
                found
            }
        };
        if known { Ok(()) } else { Err(ServiceError::UnknownTenant) }
    }

    async fn exists(&self, id: TenantId) -> Result<bool, ServiceError> {
        self.look_ups.admit()?;
        Ok(self.store.tenants().get(id.uuid()).await?.is_some_and(|row| is_active(&row)))
    }

    async fn look_up(&self, slug: &str) -> Result<Option<TenantId>, ServiceError> {
        self.look_ups.admit()?;
        let row = self.store.tenants().by_slug(slug).await?;
        Ok(row.filter(is_active).map(|row| TenantId::from_uuid(row.id)))
    }

    pub(crate) async fn create(
        &self,
        slug: &TenantSlug,
        name: &DisplayName,
        settings: TenantSettings,
        actor: Actor,
    ) -> Result<TenantView, ServiceError> {
        let now = self.environment.now();
        let id = TenantId::generate(now, self.environment.randomness());
        let new = NewTenant {
            id: id.uuid(),
            slug: slug.as_str().to_owned(),
            name: name.as_str().to_owned(),
            settings: serde_json::to_value(&settings)
                .map_err(|_| ServiceError::Damaged("tenant settings"))?,
            at: now.as_millis(),
            entries: entries(&[Event::TenantCreated { tenant: id }], actor, now),
        };
        match self.store.tenants().create(new).await {
            Ok(_) => {}
            Err(StorageError::Refused(UnitError::Unique(_))) => return Err(ServiceError::SlugTaken),
            Err(error) => return Err(error.into()),
        }
        self.slugs.remove(slug.as_str());
        self.ids.remove(&id);
        Ok(TenantView {
            id,
            slug: slug.as_str().to_owned(),
            name: name.as_str().to_owned(),
            settings,
            created_at: now,
            version: 1,
        })
    }

    pub(crate) async fn get(&self, id: TenantId) -> Result<TenantView, ServiceError> {
        let row = self.store.tenants().get(id.uuid()).await?.filter(is_active);
        view(row.ok_or(ServiceError::UnknownTenant)?)
    }

    /// Tenants in the order of their ids, after `after`.
    pub(crate) async fn list(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantView>, ServiceError> {
        let rows = self.store.tenants().list(after.map(TenantId::uuid), limit).await?;
        rows.into_iter().map(view).collect()
    }

    /// Marks the tenant deleted and destroys its keys: what is left of it cannot be read.
    pub(crate) async fn delete(&self, id: TenantId, actor: Actor) -> Result<Receipt, ServiceError> {
        let tenant = self.get(id).await?;
        let now = self.environment.now();
        let entries = entries(&[Event::TenantDeleted { tenant: id }], actor, now);
        let receipt = self.store.tenants().delete(id.uuid(), now.as_millis(), entries).await?;
        self.slugs.remove(&tenant.slug);
        self.ids.remove(&id);
        Ok(receipt)
    }

    /// Changes name and settings of a tenant, if its version is one the precondition admits. Whether anything changed.
    pub(crate) async fn change(
        &self,
        id: TenantId,
        wanted: TenantChange,
        precondition: &Precondition,
        actor: Actor,
    ) -> Result<bool, ServiceError> {
        let row = self.store.tenants().get(id.uuid()).await?.filter(is_active);
        let mut row = row.ok_or(ServiceError::UnknownTenant)?;
        let present = view(row.clone())?;
        let name = DisplayName::parse("name", &row.name).map_err(|_| ServiceError::Damaged("tenant name"))?;
        let tenant = Tenant { id, name, settings: present.settings, version: row.version };
        let name = wanted.name.unwrap_or_else(|| tenant.name.clone());
        let settings = match &wanted.settings {
            Some(patch) => tenant.settings.merged(patch)?,
            None => tenant.settings.clone(),
        };
        let Some(event) = change(&tenant, &name, &settings, precondition)? else { return Ok(false) };
        let now = self.environment.now();
        row.name = name.as_str().to_owned();
        row.settings =
            serde_json::to_value(&settings).map_err(|_| ServiceError::Damaged("tenant settings"))?;
        row.updated_at = now.as_millis();
        self.store.tenants().update(&row, tenant.version, entries(&[event], actor, now)).await?;
        Ok(true)
    }

    pub(crate) async fn rotate_data_key(&self, id: TenantId, actor: Actor) -> Result<(), ServiceError> {
        let now = self.environment.now();
        let entries = entries(&[Event::DataKeyRotated { tenant: id }], actor, now);
        self.store.tenants().rotate_key(id.uuid(), now.as_millis(), entries).await?;
        Ok(())
    }
}

fn is_active(row: &TenantRow) -> bool {
    row.state == TenantState::Active
}

fn view(row: TenantRow) -> Result<TenantView, ServiceError> {
    Ok(TenantView {
        id: TenantId::from_uuid(row.id),
        slug: row.slug,
        name: row.name,
        settings: serde_json::from_value(row.settings)
            .map_err(|_| ServiceError::Damaged("tenant settings"))?,
        created_at: Timestamp::from_millis(row.created_at),
        version: row.version,
    })
}
