//! API keys, as a tenant's services and operators administer them.
//!
//! A change goes on to its end also if the caller leaves: memory must follow what was committed.

use super::{Platform, to_the_end, within};
use crate::credentials::{ApiKeyView, Caller, IssuedApiKey, Maker, Owner};
use crate::error::ServiceError;
use plinto_domain::api_key::{ApiKeyKind, NewApiKey, parse_overlap};
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::{ApiKeyId, ServiceAccountId, TenantId, Timestamp};
use plinto_runtime::Deadline;

/// What a new key of a tenant shall be.
#[derive(Clone, Debug)]
pub struct ApiKeyWish {
    /// What it is for.
    pub kind: ApiKeyKind,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it stops to work.
    pub expires_at: Option<Timestamp>,
    /// The service account it belongs to.
    pub account: Option<ServiceAccountId>,
}

impl Platform {
    /// Keys of a tenant in the order of their ids, after `after`, at most `limit`.
    pub async fn api_keys(
        &self,
        tenant: TenantId,
        after: Option<ApiKeyId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ApiKeyView>, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        within(deadline, self.0.keys.list(Owner::Tenant(tenant), after, limit)).await
    }

    /// One key of a tenant.
    pub async fn api_key(
        &self,
        tenant: TenantId,
        key: ApiKeyId,
        deadline: Deadline,
    ) -> Result<ApiKeyView, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        within(deadline, self.0.keys.view(Owner::Tenant(tenant), key)).await
    }

    /// Makes a key of a tenant. It may do at most what its maker may.
    pub async fn issue_api_key(
        &self,
        tenant: TenantId,
        wish: ApiKeyWish,
        maker: &Caller,
        deadline: Deadline,
    ) -> Result<IssuedApiKey, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let ApiKeyWish { kind, name, scopes, expires_at, account } = wish;
        let new = NewApiKey::parse(kind, &name, &scopes, expires_at, account, work.now())?;
        let (platform, maker) = (self.clone(), Maker::of(maker));
        to_the_end(async move { platform.0.keys.issue(Some(tenant), new, maker).await }).await
    }

    /// Renames a key, if its version is one the precondition admits.
    pub async fn rename_api_key(
        &self,
        tenant: TenantId,
        key: ApiKeyId,
        name: &str,
        precondition: &Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ApiKeyView, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        let name = DisplayName::parse("name", name)?;
        within(deadline, self.0.keys.rename(Owner::Tenant(tenant), key, name, precondition, actor)).await
    }

    /// Gives a key a new secret; the one it has works on for a while.
    pub async fn rotate_api_key(
        &self,
        tenant: TenantId,
        key: ApiKeyId,
        overlap_seconds: u32,
        maker: &Caller,
        deadline: Deadline,
    ) -> Result<IssuedApiKey, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        let overlap = parse_overlap(overlap_seconds)?;
        let (platform, maker) = (self.clone(), Maker::of(maker));
        let rotate = async move { platform.0.keys.rotate(Owner::Tenant(tenant), key, overlap, maker).await };
        to_the_end(rotate).await
    }

    /// Withdraws a key of a tenant, on every node.
    pub async fn revoke_api_key(
        &self,
        tenant: TenantId,
        key: ApiKeyId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        self.revoke_key(Owner::Tenant(tenant), key, actor).await
    }

    /// Platform keys in the order of their ids, after `after`, at most `limit`.
    pub async fn platform_api_keys(
        &self,
        after: Option<ApiKeyId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ApiKeyView>, ServiceError> {
        within(deadline, self.0.keys.list(Owner::Platform, after, limit)).await
    }

    /// Withdraws a platform key, on every node; the last one stays.
    pub async fn revoke_platform_api_key(&self, key: ApiKeyId, actor: Actor) -> Result<(), ServiceError> {
        self.revoke_key(Owner::Platform, key, actor).await
    }

    async fn revoke_key(&self, owner: Owner, key: ApiKeyId, actor: Actor) -> Result<(), ServiceError> {
        let platform = self.clone();
        to_the_end(async move { platform.0.keys.revoke(owner, key, actor).await }).await
    }
}
