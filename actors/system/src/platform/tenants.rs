//! Tenants: made, found, deleted, their keys rotated and published.

use super::{Platform, to_the_end};
use crate::error::ServiceError;
use crate::registry::{TenantChange, TenantView};
use crate::tenant::Published;
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::tenant::{TenantSettings, TenantSlug};
use plinto_runtime::Deadline;
use plinto_storage::Receipt;
use plinto_token::{UnverifiedToken, leading_issuer};

impl Platform {
    /// Creates a tenant with its own database, keys and ledger.
    pub async fn create_tenant(
        &self,
        slug: &str,
        name: &str,
        settings: TenantSettings,
        actor: Actor,
    ) -> Result<TenantView, ServiceError> {
        let slug = TenantSlug::parse_new("slug", slug);
        let name = DisplayName::parse("name", name);
        let (slug, name) = match (slug, name, settings.check()) {
            (Ok(slug), Ok(name), Ok(())) => (slug, name),
            (slug, name, settings) => {
                let errors = [slug.err(), name.err(), settings.err()];
                return Err(ServiceError::Invalid(errors.into_iter().flatten().collect()));
            }
        };
        self.0.registry.create(&slug, &name, settings, actor).await
    }

    /// One tenant.
    pub async fn tenant(&self, id: TenantId) -> Result<TenantView, ServiceError> {
        self.0.registry.get(id).await
    }

    /// A page of tenants.
    pub async fn tenants(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantView>, ServiceError> {
        self.0.registry.list(after, limit).await
    }

    /// Changes name or settings of a tenant, if its version is one the precondition admits. They hold at once here, and
    /// on other nodes when they hear of it. Once begun it goes on to its end, also if the caller leaves.
    pub async fn change_tenant(
        &self,
        id: TenantId,
        wanted: TenantChange,
        precondition: Precondition,
        actor: Actor,
    ) -> Result<TenantView, ServiceError> {
        let platform = self.clone();
        to_the_end(async move {
            let changed = platform.0.registry.change(id, wanted, &precondition, actor).await;
            if !matches!(changed, Ok(false)) {
                // Also where the outcome is not known: the next activation reads what holds.
                platform.0.tenants.drain(id).await;
            }
            changed?;
            platform.0.registry.get(id).await
        })
        .await
    }

    /// Deletes a tenant: destroys its keys, drains its actors, removes its database. Once begun it goes on to its end,
    /// also if the caller leaves.
    pub async fn delete_tenant(&self, id: TenantId, actor: Actor) -> Result<(), ServiceError> {
        let platform = self.clone();
        to_the_end(async move { platform.destroy_tenant(id, actor).await.map(drop) }).await
    }

    pub(super) async fn destroy_tenant(&self, id: TenantId, actor: Actor) -> Result<Receipt, ServiceError> {
        self.refuse_held_tenant(id).await?;
        let deleted = self.0.registry.delete(id, actor).await;
        // Also where the row was deleted before: whatever is still live of it holds keys.
        if matches!(deleted, Ok(_) | Err(ServiceError::UnknownTenant)) {
            self.drain_tenant(id).await;
            self.0.keys.reload().await?;
        }
        deleted
    }

    async fn drain_tenant(&self, id: TenantId) {
        self.0.sessions.drain_tenant(id).await;
        self.0.tenants.drain(id).await;
        self.0.ledger.drain(id).await;
    }

    /// The tenant of a slug.
    pub async fn resolve(&self, slug: &str) -> Result<TenantId, ServiceError> {
        self.0.registry.resolve(slug).await
    }

    /// The tenant whose issuer a token names. Nothing of the token is believed by this.
    pub async fn tenant_named_by(&self, token: &str) -> Result<TenantId, ServiceError> {
        let malformed = |_| ServiceError::InvalidToken { reason: "malformed" };
        let issuer = match leading_issuer(token) {
            Some(issuer) => issuer,
            None => UnverifiedToken::parse(token).and_then(|token| token.issuer()).map_err(malformed)?,
        };
        let slug = issuer.strip_prefix(&self.0.issuer_prefix);
        self.resolve(slug.ok_or(ServiceError::InvalidToken { reason: "wrong_issuer" })?).await
    }

    /// The tenant's public keys as JSON (RFC 7517 §5).
    pub async fn jwks(&self, tenant: TenantId, deadline: Deadline) -> Result<Published, ServiceError> {
        Ok(self.0.tenants.cell(tenant, deadline).await?.jwks.clone())
    }
}
