//! Clients that register themselves, and what they may do about themselves afterwards (RFC 7592).

use super::super::Platform;
use super::clients::{ClientView, NewClient};
use super::opaque;
use crate::credentials::Caller;
use crate::error::ServiceError;
use crate::tenant::{ClientContext, Published};
use bytes::Bytes;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{Opaque, OpaqueKind, RegistrationPolicy, RegistrationRequest};
use plinto_domain::precondition::Precondition;
use plinto_domain::{ClientId, TenantId};
use plinto_runtime::Deadline;

/// A client that registered itself, and what lets it say more of itself. No `Debug`.
pub struct RegisteredClient {
    /// The client, and its secret where that is new.
    pub client: NewClient,
    /// Its registration access token.
    pub token: Opaque,
}

impl Platform {
    /// What clients are told of a tenant as an authorization server, rendered once: `render` hears whether clients may
    /// register themselves.
    pub async fn server_metadata(
        &self,
        tenant: TenantId,
        deadline: Deadline,
        render: impl FnOnce(bool) -> Bytes,
    ) -> Result<Published, ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let registers = cell.settings.oauth.registration != RegistrationPolicy::Closed;
        Ok(cell.server_metadata.get_or_init(|| Published::of(render(registers))).clone())
    }

    /// Registers a client that asks for it itself, if the tenant lets it.
    pub async fn register_client(
        &self,
        tenant: TenantId,
        request: RegistrationRequest,
        caller: Option<Caller>,
        context: &ClientContext,
        deadline: Deadline,
    ) -> Result<RegisteredClient, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let settings = &work.cell().settings.oauth;
        let actor = match (settings.registration, caller) {
            (RegistrationPolicy::Closed, _) => return Err(ServiceError::Forbidden),
            (RegistrationPolicy::ServiceKey, None) => return Err(ServiceError::Unauthenticated),
            (RegistrationPolicy::ServiceKey, Some(caller)) => {
                caller.require(ApiScope::write(Resource::Clients))?;
                if !caller.reaches(tenant) {
                    return Err(ServiceError::Unauthenticated);
                }
                Actor::ApiKey(caller.key)
            }
            (RegistrationPolicy::Open, _) => {
                work.may_try(context).await?;
                Actor::Anonymous
            }
        };
        let definition = request.definition(settings)?;
        // The keys it needs may have to be made first, which no work of the tenant's may be in the way of.
        drop(work);
        let client = self.create_client(tenant, definition, actor, deadline).await?;
        let work = self.work(tenant, deadline).await?;
        let token = opaque::make(work.vault(), OpaqueKind::Registration, client.view.client.id.uuid(), 0)?;
        Ok(RegisteredClient { client, token })
    }

    /// A client, for whoever has its registration access token.
    pub async fn registered_client(
        &self,
        tenant: TenantId,
        client: ClientId,
        token: &str,
        deadline: Deadline,
    ) -> Result<ClientView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let read = opaque::read(work.vault(), OpaqueKind::Registration, token);
        let is_its_own = read.is_some_and(|parts| parts.of == client.uuid());
        if !is_its_own || work.usable_client(client).await?.is_none() {
            return Err(ServiceError::InvalidToken { reason: "registration_token" });
        }
        drop(work);
        self.client(tenant, client, deadline).await
    }

    /// Makes such a client what it says it is now.
    pub async fn replace_registered_client(
        &self,
        tenant: TenantId,
        client: ClientId,
        token: &str,
        request: RegistrationRequest,
        deadline: Deadline,
    ) -> Result<ClientView, ServiceError> {
        let known = self.registered_client(tenant, client, token, deadline).await?;
        let work = self.work(tenant, deadline).await?;
        let definition = request.definition(&work.cell().settings.oauth)?;
        drop(work);
        let precondition = Precondition::OneOf(vec![known.client.version]);
        self.redefine_client(tenant, client, definition, precondition, Actor::Client(client), deadline).await
    }

    /// Removes such a client.
    pub async fn remove_registered_client(
        &self,
        tenant: TenantId,
        client: ClientId,
        token: &str,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let known = self.registered_client(tenant, client, token, deadline).await?;
        let precondition = Precondition::OneOf(vec![known.client.version]);
        self.delete_client(tenant, client, precondition, Actor::Client(client), deadline).await
    }
}
