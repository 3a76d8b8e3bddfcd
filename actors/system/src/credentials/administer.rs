//! Making, listing, changing and withdrawing API keys. Every change is audited in the platform's ledger.

use super::known::{kind_of, scopes_of};
use super::{ApiKeys, Caller, IssuedApiKey};
use crate::error::ServiceError;
use crate::persist;
use plinto_domain::api_key::{
    self, ApiKey, ApiKeyKind, ApiKeyText, LAST_PLATFORM_KEY, NewApiKey, NewKeyText, UNKNOWN_API_KEY,
};
use plinto_domain::api_scope::ApiScopes;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::service_account::UNKNOWN_SERVICE_ACCOUNT;
use plinto_domain::{ApiKeyId, Decision, ServiceAccountId, TenantId, Timestamp};
use plinto_storage::repositories::api_keys::{self as rows, ApiKeyRow};
use plinto_storage::{Scope, UnitError};
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// Who makes or rotates a key: what they may do, so may the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maker {
    pub(crate) actor: Actor,
    pub(crate) scopes: ApiScopes,
}

impl Maker {
    /// Whoever runs the process.
    pub(crate) fn operator(actor: Actor) -> Self {
        Self { actor, scopes: ApiScopes::all() }
    }

    pub(crate) fn of(caller: &Caller) -> Self {
        Self { actor: Actor::ApiKey(caller.key), scopes: caller.scopes }
    }
}

/// A key as those who administer it see it.
#[derive(Clone, Debug)]
pub struct ApiKeyView {
    /// Which.
    pub id: ApiKeyId,
    /// What it is for.
    pub kind: ApiKeyKind,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: ApiScopes,
    /// The service account it belongs to.
    pub account: Option<ServiceAccountId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to work.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, a minute more or less.
    pub last_used_at: Option<Timestamp>,
    /// Until when the secret before the last rotation works, if it does.
    pub previous_until: Option<Timestamp>,
    /// When it was withdrawn.
    pub revoked_at: Option<Timestamp>,
    /// Grows by one with each change.
    pub version: i64,
}

/// Whose keys are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    Platform,
    Tenant(TenantId),
}

impl Owner {
    fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Platform => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }
}

impl ApiKeys {
    /// Makes a key.
    pub(crate) async fn issue(
        &self,
        tenant: Option<TenantId>,
        new: NewApiKey,
        maker: Maker,
    ) -> Result<IssuedApiKey, ServiceError> {
        let now = self.environment.now();
        let id = ApiKeyId::generate(now, self.environment.randomness());
        let made = ApiKeyText::make(new.kind, id, self.environment.randomness());
        let secret = self.hash_new(tenant, &made).await?;
        let decision = api_key::issue(id, tenant, new, secret, maker.scopes, now)?;
        self.carry_out(decision, maker.actor, now).await?;
        self.refresh(id).await?;
        Ok(IssuedApiKey { id, text: made.text.to_string() })
    }

    /// Gives a key a new secret; the one it has works on for `overlap`.
    pub(crate) async fn rotate(
        &self,
        owner: Owner,
        id: ApiKeyId,
        overlap: Duration,
        maker: Maker,
    ) -> Result<IssuedApiKey, ServiceError> {
        let row = self.row(owner, id).await?;
        let now = self.environment.now();
        let made = ApiKeyText::make(kind_of(row.kind), id, self.environment.randomness());
        let secret = self.hash_new(owner.tenant(), &made).await?;
        let decision = api_key::rotate(&to_domain(&row)?, secret, overlap, maker.scopes, now)?;
        self.carry_out(decision, maker.actor, now).await?;
        self.refresh(id).await?;
        Ok(IssuedApiKey { id, text: made.text.to_string() })
    }

    /// Renames a key, if its version is one the precondition admits.
    pub(crate) async fn rename(
        &self,
        owner: Owner,
        id: ApiKeyId,
        name: DisplayName,
        precondition: &Precondition,
        actor: Actor,
    ) -> Result<ApiKeyView, ServiceError> {
        let key = to_domain(&self.row(owner, id).await?)?;
        self.carry_out(api_key::rename(&key, name, precondition)?, actor, self.environment.now()).await?;
        self.view(owner, id).await
    }

    /// Withdraws a key; of platform keys the last one stays.
    pub(crate) async fn revoke(&self, owner: Owner, id: ApiKeyId, actor: Actor) -> Result<(), ServiceError> {
        let now = self.environment.now();
        let decision = api_key::revoke(&to_domain(&self.row(owner, id).await?)?, now);
        let revoked = self.carry_out(decision, actor, now).await;
        self.refresh(id).await?;
        match revoked {
            // Somebody else was faster, and it is what was wanted; or it is the last one.
            Err(ServiceError::Conflict) if self.row(owner, id).await?.revoked_at.is_some() => Ok(()),
            Err(ServiceError::Conflict) if owner == Owner::Platform => Err(LAST_PLATFORM_KEY.into()),
            revoked => revoked,
        }
    }

    /// One key.
    pub(crate) async fn view(&self, owner: Owner, id: ApiKeyId) -> Result<ApiKeyView, ServiceError> {
        self.show(self.row(owner, id).await?)
    }

    /// Keys in the order of their ids, after `after`, at most `limit`.
    pub(crate) async fn list(
        &self,
        owner: Owner,
        after: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKeyView>, ServiceError> {
        let after = after.map(ApiKeyId::uuid);
        let rows = match owner {
            Owner::Platform => rows::list_platform(self.engine(), after, limit).await?,
            Owner::Tenant(tenant) => rows::list_of_tenant(self.engine(), tenant.uuid(), after, limit).await?,
        };
        rows.into_iter().map(|row| self.show(row)).collect()
    }

    async fn hash_new(
        &self,
        tenant: Option<TenantId>,
        made: &NewKeyText,
    ) -> Result<api_key::SecretHash, ServiceError> {
        let owner = tenant.map_or(Uuid::nil(), TenantId::uuid);
        self.mac_keys.hash_new(&self.store, owner, &made.secret).await
    }

    /// A key of this owner; those of others are unknown.
    async fn row(&self, owner: Owner, id: ApiKeyId) -> Result<ApiKeyRow, ServiceError> {
        let row = rows::get(self.engine(), id.uuid()).await?;
        let row = row.filter(|row| row.tenant == owner.tenant().map(TenantId::uuid));
        Ok(row.ok_or(UNKNOWN_API_KEY)?)
    }

    /// Commits a decision about keys.
    pub(super) async fn carry_out(
        &self,
        decision: Decision<()>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        if decision.writes.is_empty() {
            return Ok(());
        }
        let unit = persist::unit(self.store.platform_vault(), decision.writes, &decision.events, actor, now);
        let outcomes = self.engine().commit(Scope::Platform, "api_keys.change", vec![unit]).await?;
        match outcomes.into_iter().find_map(Result::err) {
            None => Ok(()),
            Some(UnitError::Conflict("service_account_state")) => Err(UNKNOWN_SERVICE_ACCOUNT.into()),
            Some(UnitError::Conflict(_) | UnitError::Unique(_)) => Err(ServiceError::Conflict),
            Some(_) => Err(ServiceError::Damaged("a change of API keys was refused by the engine")),
        }
    }

    fn show(&self, row: ApiKeyRow) -> Result<ApiKeyView, ServiceError> {
        let now = self.environment.now();
        let in_memory = self.known.load().get(&row.key_id).map(|key| key.used.load(Ordering::Relaxed));
        let last_used_at = in_memory.filter(|at| *at > i64::MIN).max(row.last_used_at);
        let previous_until = row.previous.map(|(_, until)| Timestamp::from_millis(until));
        Ok(ApiKeyView {
            id: ApiKeyId::from_uuid(row.key_id),
            kind: kind_of(row.kind),
            scopes: scopes_of(&row)?,
            name: row.name,
            account: row.account.map(ServiceAccountId::from_uuid),
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_millis),
            last_used_at: last_used_at.map(Timestamp::from_millis),
            previous_until: previous_until.filter(|until| now < *until),
            revoked_at: row.revoked_at.map(Timestamp::from_millis),
            version: row.version,
        })
    }
}

fn to_domain(row: &ApiKeyRow) -> Result<ApiKey, ServiceError> {
    Ok(ApiKey {
        id: ApiKeyId::from_uuid(row.key_id),
        tenant: row.tenant.map(TenantId::from_uuid),
        scopes: scopes_of(row)?,
        name: DisplayName::parse("name", &row.name)
            .map_err(|_| ServiceError::Damaged("name of an API key"))?,
        expires_at: row.expires_at.map(Timestamp::from_millis),
        revoked_at: row.revoked_at.map(Timestamp::from_millis),
        version: row.version,
    })
}
