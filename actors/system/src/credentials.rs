//! API keys: credentials of the platform's operators and of calling services.

use crate::environment::Environment;
use crate::error::ServiceError;
use crate::look_ups::LookUps;
use crate::persist::entries;
use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::audit::{Actor, Event};
use plinto_domain::{ApiKeyId, TenantId};
use plinto_runtime::Refusal;
use plinto_storage::repositories::api_keys::{self, ApiKeyRow};
use plinto_storage::{Engine, Scope, Unit};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Text before the id; lets secret scanners find leaked keys.
const PREFIX: &str = "plk_";
const HEX_LENGTH: usize = 32;
/// How long a key that is not in memory is looked for.
const LOOK_UP_WAIT: Duration = Duration::from_secs(5);

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiKeyKind {
    /// Administers tenants and the runtime.
    Platform,
    /// Calls the auth service for one tenant.
    Service,
}

/// Whoever presented a good API key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The key.
    pub key: ApiKeyId,
    /// What it is for.
    pub kind: ApiKeyKind,
    /// The one tenant it reaches; `None` for a platform key, which reaches all.
    pub tenant: Option<TenantId>,
}

impl Caller {
    /// Refuses all but platform keys.
    pub fn require_platform(&self) -> Result<(), ServiceError> {
        match self.kind {
            ApiKeyKind::Platform => Ok(()),
            ApiKeyKind::Service => Err(ServiceError::Forbidden),
        }
    }

    /// Refuses a key without this right. A platform key has all of them.
    pub fn require(&self, asked: ApiScope) -> Result<(), ServiceError> {
        let granted = match self.kind {
            ApiKeyKind::Platform => true,
            ApiKeyKind::Service => ApiScope::read(Resource::Tokens).covers(asked),
        };
        if granted { Ok(()) } else { Err(ServiceError::Forbidden) }
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

struct Known {
    caller: Caller,
    secret_hash: [u8; 32],
}

/// Every key that is not revoked, in memory: checking one costs a look-up and a hash.
pub(crate) struct ApiKeys {
    engine: Arc<dyn Engine>,
    environment: Environment,
    known: ArcSwap<HashMap<Uuid, Known>>,
    /// One reload at a time, or an older list could replace a newer one.
    reloading: tokio::sync::Mutex<()>,
    look_ups: LookUps,
}

impl ApiKeys {
    pub(crate) async fn load(
        engine: Arc<dyn Engine>,
        environment: Environment,
    ) -> Result<Self, ServiceError> {
        let (known, reloading) = (ArcSwap::default(), tokio::sync::Mutex::default());
        let keys = Self { engine, environment, known, reloading, look_ups: LookUps::default() };
        keys.reload().await?;
        Ok(keys)
    }

    /// Reads the keys again, after a change.
    pub(crate) async fn reload(&self) -> Result<(), ServiceError> {
        let _one = self.reloading.lock().await;
        let rows = api_keys::list_active(&*self.engine).await?;
        self.known.store(Arc::new(rows.into_iter().map(|row| (row.key_id, Known::of(&row))).collect()));
        Ok(())
    }

    /// Who presents this key? Constant time in the secret. A key not in memory may have been made by another node a
    /// moment ago: it is looked up, and so that made-up ones do not occupy the reader, so many a second at most.
    pub(crate) async fn authenticate(&self, text: &str) -> Result<Caller, ServiceError> {
        let (id, secret) = split(text).ok_or(ServiceError::Unauthenticated)?;
        if let Some(key) = self.known.load().get(&id) {
            return key.check(secret);
        }
        if !self.engine.is_shared() {
            return Err(ServiceError::Unauthenticated);
        }
        // Boxed, so that requests with a key in memory do not carry the size of this.
        let looking = Box::pin(self.look_up(id, secret));
        tokio::time::timeout(LOOK_UP_WAIT, looking).await.unwrap_or(Err(Refusal::DeadlineExceeded.into()))
    }

    async fn look_up(&self, id: Uuid, secret: &str) -> Result<Caller, ServiceError> {
        self.look_ups.admit()?;
        let row = api_keys::get(&*self.engine, id).await?.filter(|row| row.revoked_at.is_none());
        let caller = Known::of(&row.ok_or(ServiceError::Unauthenticated)?).check(secret)?;
        self.reload().await?;
        Ok(caller)
    }

    /// Makes a key for one tenant's services, or, without a tenant, for the platform's operators.
    pub(crate) async fn issue(
        &self,
        tenant: Option<TenantId>,
        name: &str,
        actor: Actor,
    ) -> Result<IssuedApiKey, ServiceError> {
        let now = self.environment.now();
        let id = ApiKeyId::generate(now, self.environment.randomness());
        let mut secret = [0_u8; 32];
        self.environment.randomness().fill(&mut secret);
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let row = ApiKeyRow {
            key_id: id.uuid(),
            tenant: tenant.map(TenantId::uuid),
            kind: if tenant.is_some() {
                api_keys::ApiKeyKind::Service
            } else {
                api_keys::ApiKeyKind::Platform
            },
            name: name.to_owned(),
            secret_hash: Sha256::digest(secret.as_bytes()).into(),
            created_at: now.as_millis(),
            revoked_at: None,
        };
        let entries = entries(&[Event::ApiKeyIssued { key: id, tenant }], actor, now);
        let unit = Unit { statements: vec![api_keys::insert(&row)], entries };
        let outcomes = self.engine.commit(Scope::Platform, "api_keys.issue", vec![unit]).await?;
        if outcomes.iter().any(Result::is_err) {
            return Err(ServiceError::Conflict);
        }
        self.reload().await?;
        Ok(IssuedApiKey { id, text: format!("{PREFIX}{}_{secret}", id.uuid().simple()) })
    }

    /// Whether there is a platform key, which another node may have made.
    pub(crate) async fn has_platform_key(&self) -> Result<bool, ServiceError> {
        let known = || self.known.load().values().any(|key| key.caller.kind == ApiKeyKind::Platform);
        if !known() && self.engine.is_shared() {
            self.reload().await?;
        }
        Ok(known())
    }
}

impl Known {
    fn of(row: &ApiKeyRow) -> Self {
        let kind = match row.kind {
            api_keys::ApiKeyKind::Platform => ApiKeyKind::Platform,
            api_keys::ApiKeyKind::Service => ApiKeyKind::Service,
        };
        let caller = Caller {
            key: ApiKeyId::from_uuid(row.key_id),
            kind,
            tenant: row.tenant.map(TenantId::from_uuid),
        };
        Self { caller, secret_hash: row.secret_hash }
    }

    fn check(&self, secret: &str) -> Result<Caller, ServiceError> {
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        if bool::from(hash.ct_eq(&self.secret_hash)) {
            Ok(self.caller)
        } else {
            Err(ServiceError::Unauthenticated)
        }
    }
}

fn split(text: &str) -> Option<(Uuid, &str)> {
    let rest = text.strip_prefix(PREFIX)?;
    let (id, rest) = rest.split_at_checked(HEX_LENGTH)?;
    Some((Uuid::try_parse(id).ok()?, rest.strip_prefix('_')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_texts_are_read_strictly() {
        let id = Uuid::from_u128(7);
        let text = format!("plk_{}_secret", id.simple());
        assert_eq!(split(&text), Some((id, "secret")));
        for bad in ["", "plk_", "plk_xyz", "plk_00000000000000000000000000000007secret", "pls_0", "plk_ä"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
