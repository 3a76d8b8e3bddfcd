//! Who calls: API keys.

use super::Platform;
use crate::credentials::{Caller, IssuedApiKey, Maker};
use crate::error::ServiceError;
use plinto_domain::TenantId;
use plinto_domain::api_key::{ApiKeyKind, NewApiKey};
use plinto_domain::api_scope::ApiScopes;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;

impl Platform {
    /// Who presents this API key?
    pub async fn authenticate(&self, api_key: &str) -> Result<Caller, ServiceError> {
        self.0.keys.authenticate(api_key).await
    }

    /// Makes a platform key. Only the composition root calls this: on the first start, and for an operator who lost it.
    pub async fn issue_platform_key(&self, name: &str) -> Result<IssuedApiKey, ServiceError> {
        let new = NewApiKey {
            kind: ApiKeyKind::Platform,
            name: DisplayName::parse("name", name)?,
            scopes: ApiScopes::default(),
            expires_at: None,
            account: None,
        };
        self.0.keys.issue(None, new, Maker::operator(Actor::System)).await
    }

    /// Whether any platform key exists.
    pub async fn has_platform_key(&self) -> Result<bool, ServiceError> {
        self.0.keys.has_platform_key().await
    }

    /// Makes a key with which a tenant's services call the auth service.
    pub async fn issue_service_key(
        &self,
        tenant: TenantId,
        name: &str,
        actor: Actor,
    ) -> Result<IssuedApiKey, ServiceError> {
        let new = NewApiKey::for_introspection(name)?;
        self.0.registry.get(tenant).await?;
        self.0.keys.issue(Some(tenant), new, Maker::operator(actor)).await
    }
}
