//! API keys: credentials of the platform's operators and of tenants' services.

mod accounts;
mod administer;
mod known;
mod mac_keys;
mod uses;

pub use accounts::ServiceAccountView;
pub use administer::ApiKeyView;
pub(crate) use administer::{Maker, Owner};

use crate::environment::Environment;
use crate::error::ServiceError;
use crate::look_ups::LookUps;
use arc_swap::ArcSwap;
use known::{Known, Verdict};
use mac_keys::MacKeys;
use plinto_domain::api_key::{ApiKeyKind, ApiKeyText};
use plinto_domain::api_scope::{ApiScope, ApiScopes};
use plinto_domain::{ApiKeyId, TenantId, Timestamp};
use plinto_runtime::{ActorSystem, Refusal};
use plinto_storage::repositories::api_keys::{self, ApiKeyRow};
use plinto_storage::{Engine, Store};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uses::Uses;
use uuid::Uuid;

/// How long a key that is not in memory is looked for.
const LOOK_UP_WAIT: Duration = Duration::from_secs(5);

/// Whoever presented a good API key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The key.
    pub key: ApiKeyId,
    /// What it is for.
    pub kind: ApiKeyKind,
    /// The one tenant it reaches; `None` for a platform key, which reaches all.
    pub tenant: Option<TenantId>,
    /// What it may do; everything, for a platform key.
    pub scopes: ApiScopes,
}

impl Caller {
    /// Refuses all but platform keys.
    pub fn require_platform(&self) -> Result<(), ServiceError> {
        match self.kind {
            ApiKeyKind::Platform => Ok(()),
            ApiKeyKind::Secret | ApiKeyKind::Publishable => Err(ServiceError::Forbidden),
        }
    }

    /// Refuses a key without this right.
    pub fn require(&self, asked: ApiScope) -> Result<(), ServiceError> {
        if self.scopes.cover(asked) { Ok(()) } else { Err(ServiceError::Forbidden) }
    }

    /// Whether the key reaches a tenant.
    pub fn reaches(&self, tenant: TenantId) -> bool {
        self.tenant.is_none_or(|own| own == tenant)
    }
}

/// A new key; its text is shown this once. `Debug` does not show it.
pub struct IssuedApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// The key's text.
    pub text: String,
}

impl fmt::Debug for IssuedApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedApiKey({})", self.id)
    }
}

type Register = HashMap<Uuid, Arc<Known>>;

/// Every key that is not revoked, in memory: checking one costs a look-up and a hash.
pub(crate) struct ApiKeys {
    store: Arc<Store>,
    environment: Environment,
    known: ArcSwap<Register>,
    /// One change of memory at a time, or an older list could replace a newer one.
    changing: tokio::sync::Mutex<()>,
    /// A key that is stored may be missing in memory, because it could not be read.
    incomplete: AtomicBool,
    mac_keys: MacKeys,
    uses: Uses,
    look_ups: LookUps,
}

impl ApiKeys {
    pub(crate) async fn load(store: Arc<Store>, environment: Environment) -> Result<Self, ServiceError> {
        let keys = Self {
            store,
            environment,
            known: ArcSwap::default(),
            changing: tokio::sync::Mutex::default(),
            incomplete: AtomicBool::new(false),
            mac_keys: MacKeys::default(),
            uses: Uses::default(),
            look_ups: LookUps::default(),
        };
        keys.reload().await?;
        Ok(keys)
    }

    fn engine(&self) -> &dyn Engine {
        &**self.store.engine()
    }

    /// Reads all keys again, after a change.
    pub(crate) async fn reload(&self) -> Result<(), ServiceError> {
        let _one = self.changing.lock().await;
        let rows = api_keys::list_active(self.engine()).await?;
        let before = self.known.load();
        let known = rows.iter().map(|row| Ok((row.key_id, Known::of(row, before.get(&row.key_id))?)));
        let known = known.collect::<Result<Register, ServiceError>>()?;
        self.mac_keys.keep_those_of(known.values().map(|key| key.owner()));
        self.known.store(Arc::new(known));
        self.incomplete.store(false, Ordering::Release);
        Ok(())
    }

    /// Reads one key again. If that fails it is forgotten, so that nothing older than its row is believed.
    async fn refresh(&self, id: ApiKeyId) -> Result<(), ServiceError> {
        let _one = self.changing.lock().await;
        let read = api_keys::get(self.engine(), id.uuid()).await.map_err(ServiceError::from);
        let before = self.known.load_full();
        let key = read.and_then(|row| {
            let active = row.filter(|row| row.revoked_at.is_none());
            active.map(|row| Known::of(&row, before.get(&row.key_id))).transpose()
        });
        let mut known = Register::clone(&before);
        known.remove(&id.uuid());
        if let Ok(Some(key)) = &key {
            known.insert(id.uuid(), Arc::clone(key));
        }
        self.incomplete.fetch_or(key.is_err(), Ordering::AcqRel);
        self.known.store(Arc::new(known));
        key.map(drop)
    }

    /// Who presents this key? Constant time in the secret. A key not in memory may have been made by another node a
    /// moment ago: it is looked up, and so that made-up ones do not occupy the reader, so many a second at most.
    pub(crate) async fn authenticate(&self, text: &str) -> Result<Caller, ServiceError> {
        let given = ApiKeyText::parse(text).ok_or(ServiceError::Unauthenticated)?;
        let now = self.environment.now();
        let found = self.known.load().get(&given.id.uuid()).map(|key| {
            let verdict = key.check(&given, now, &self.mac_keys);
            let unsettled = (verdict == Verdict::MacKeyNeeded).then(|| Arc::clone(key));
            if verdict == Verdict::Good {
                self.uses.note(key, now);
            }
            (verdict, key.caller, unsettled)
        });
        match found {
            Some((Verdict::Good, caller, _)) => return Ok(caller),
            Some((Verdict::Bad, ..)) => return Err(ServiceError::Unauthenticated),
            None if !self.engine().is_shared() && !self.incomplete.load(Ordering::Acquire) => {
                return Err(ServiceError::Unauthenticated);
            }
            None | Some((Verdict::MacKeyNeeded, ..)) => {}
        }
        let known = found.and_then(|(.., key)| key);
        // Boxed, so that requests with a key in memory do not carry the size of this.
        let looking = Box::pin(self.look_up(given, known, now));
        tokio::time::timeout(LOOK_UP_WAIT, looking).await.unwrap_or(Err(Refusal::DeadlineExceeded.into()))
    }

    /// Checks a key that is not in memory, or whose owner's MAC key is not.
    async fn look_up(
        &self,
        given: ApiKeyText<'_>,
        known: Option<Arc<Known>>,
        now: Timestamp,
    ) -> Result<Caller, ServiceError> {
        self.look_ups.admit()?;
        let is_known = known.is_some();
        let key = match known {
            Some(key) => key,
            None => {
                let row: Option<ApiKeyRow> = api_keys::get(self.engine(), given.id.uuid()).await?;
                let row = row.filter(|row| row.revoked_at.is_none()).ok_or(ServiceError::Unauthenticated)?;
                Known::of(&row, None)?
            }
        };
        for version in key.mac_key_versions(now) {
            self.mac_keys.learn(&self.store, key.owner(), version).await?;
        }
        if key.check(&given, now, &self.mac_keys) != Verdict::Good {
            return Err(ServiceError::Unauthenticated);
        }
        self.uses.note(&key, now);
        if !is_known {
            self.refresh(given.id).await?;
        }
        Ok(key.caller)
    }

    /// Whether there is a platform key, which another node may have made.
    pub(crate) async fn has_platform_key(&self) -> Result<bool, ServiceError> {
        let known = || self.known.load().values().any(|key| key.caller.kind == ApiKeyKind::Platform);
        if !known() && self.engine().is_shared() {
            self.reload().await?;
        }
        Ok(known())
    }

    /// Writes down when keys were used, until the system stops.
    pub(crate) fn start(self: &Arc<Self>, system: &ActorSystem) {
        let keys = Arc::clone(self);
        system.service("/services/api-keys", "service", move || Arc::clone(&keys).write_uses());
    }

    async fn write_uses(self: Arc<Self>) {
        loop {
            self.uses.wait().await;
            let noted = self.uses.take();
            // Lossy by design: a use that cannot be written is noted again a minute later.
            let written =
                self.engine().commit(plinto_storage::Scope::Platform, "api_keys.uses", vec![noted]).await;
            if let Err(error) = written {
                tracing::debug!(%error, "uses of API keys are not written");
            }
        }
    }
}
