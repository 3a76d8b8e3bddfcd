//! Which tenants there are: create, find, list, delete.

use crate::environment::Environment;
use crate::error::ServiceError;
use crate::persist::entries;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use plinto_domain::audit::{Actor, Event};
use plinto_domain::name::DisplayName;
use plinto_domain::tenant::{TenantSettings, TenantSlug};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::{Moment, Refusal, TokioClock};
use plinto_storage::{NewTenant, StorageError, Store, TenantRow, TenantState, UnitError};
use quick_cache::sync::Cache;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Look-ups of names and ids not remembered, per second and at once, for the whole node: a flood of made-up ones must
/// not occupy the platform's reader.
const LOOK_UPS_PER_SECOND: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");
const LOOK_UPS_AT_ONCE: NonZeroU32 = NonZeroU32::new(2_000).expect("2000 is not zero");

type LookUpLimiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>;

/// Slugs remembered, known and unknown ones alike, so that made-up names cost no disk.
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
}

pub(crate) struct Registry {
    store: Arc<Store>,
    environment: Environment,
    slugs: Cache<String, Option<TenantId>>,
    ids: Cache<TenantId, bool>,
    look_ups: LookUpLimiter,
}

impl Registry {
    pub(crate) fn new(store: Arc<Store>, environment: Environment) -> Self {
        let quota = Quota::per_second(LOOK_UPS_PER_SECOND).allow_burst(LOOK_UPS_AT_ONCE);
        let look_ups = LookUpLimiter::direct_with_clock(quota, TokioClock);
        Self { store, environment, slugs: Cache::new(REMEMBERED), ids: Cache::new(REMEMBERED), look_ups }
    }

    /// The tenant of a slug. Only well-formed names reach the disk or the cache.
    pub(crate) async fn resolve(&self, slug: &str) -> Result<TenantId, ServiceError> {
        if let Some(known) = self.slugs.get(slug) {
            return known.ok_or(ServiceError::UnknownTenant);
        }
        TenantSlug::parse("tenant", slug).map_err(|_| ServiceError::UnknownTenant)?;
        // One look-up at a time per slug; a slug that is created or deleted meanwhile is not remembered wrongly,
        // because removing it also removes the look-up's place.
        let found = self.slugs.get_or_insert_async(slug, self.look_up(slug)).await?;
        found.ok_or(ServiceError::UnknownTenant)
    }

    /// Refuses ids that are no tenant's, before anything is activated for them: they come from tokens that have not
    /// been believed yet.
    pub(crate) async fn require(&self, id: TenantId) -> Result<(), ServiceError> {
        let known = match self.ids.get(&id) {
            Some(known) => known,
            None => self.ids.get_or_insert_async(&id, self.exists(id)).await?,
        };
        if known { Ok(()) } else { Err(ServiceError::UnknownTenant) }
    }

    async fn exists(&self, id: TenantId) -> Result<bool, ServiceError> {
        self.admit_look_up()?;
        Ok(self.store.tenants().get(id.uuid()).await?.is_some_and(|row| is_active(&row)))
    }

    fn admit_look_up(&self) -> Result<(), ServiceError> {
        let wait = |until: NotUntil<Moment>| until.wait_time_from(TokioClock.now());
        let refused = self.look_ups.check().map_err(wait);
        refused.map_err(|retry_after| ServiceError::Refused(Refusal::RateLimited { retry_after }))
    }

    async fn look_up(&self, slug: &str) -> Result<Option<TenantId>, ServiceError> {
        self.admit_look_up()?;
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
            settings: serde_json::to_value(settings).map_err(|_| ServiceError::Damaged("tenant settings"))?,
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
    pub(crate) async fn delete(&self, id: TenantId, actor: Actor) -> Result<(), ServiceError> {
        let tenant = self.get(id).await?;
        let now = self.environment.now();
        let entries = entries(&[Event::TenantDeleted { tenant: id }], actor, now);
        self.store.tenants().delete(id.uuid(), now.as_millis(), entries).await?;
        self.slugs.remove(&tenant.slug);
        self.ids.remove(&id);
        Ok(())
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
    })
}
