use super::super::Platform;
use super::super::work::Work;
use crate::error::ServiceError;
use crate::introspection::{Introspection, active_access_token};
use crate::tenant::{ClientContext, client_access_token};
use plinto_domain::address::Network;
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{
    Client, ClientTokenRequest, OAuthCode, OAuthError, grant_client_token, refuse_client,
};
use plinto_domain::{ClientId, TenantId};
use plinto_runtime::Deadline;
use std::sync::Arc;

/// What is said whatever is wrong with a client's credentials.
const NOT_PROVED: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "there is no such client, it is disabled, or its secret is another",
);

/// How a client says who it is (RFC 6749 §2.3.1). No `Debug`.
#[derive(Clone, Copy)]
pub struct ClientAuthentication<'a> {
    /// Its id.
    pub client_id: &'a str,
    /// What proves it.
    pub secret: &'a str,
    /// From where.
    pub context: &'a ClientContext,
}

/// An access token as a client gets it. No `Debug`.
pub struct IssuedClientToken {
    /// The JWT.
    pub token: String,
    /// Seconds it is good for.
    pub expires_in: u32,
    /// What it may do; empty if nothing is said of that.
    pub scope: String,
}

impl Platform {
    /// An access token a client asks for itself (RFC 6749 §4.4). The inner error is the token endpoint's answer.
    pub async fn client_token(
        &self,
        tenant: TenantId,
        authentication: ClientAuthentication<'_>,
        request: ClientTokenRequest<'_>,
        deadline: Deadline,
    ) -> Result<Result<IssuedClientToken, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let client = match work.authenticated(authentication).await? {
            Ok(client) => client,
            Err(error) => return Ok(Err(error)),
        };
        let (now, actor) = (work.now(), Actor::Client(client.id));
        let randomness = work.environment().randomness();
        let decision = match grant_client_token(&client, request, &work.cell().issuer, now, randomness) {
            Ok(decision) => decision,
            Err(error) => return work.carry_out(refuse_client(client.id, error), actor, now).await.map(Err),
        };
        let granted = work.carry_out(decision, actor, now).await?;
        let token = client_access_token(work.cell(), &granted.claims)?;
        let (expires_in, scope) = (granted.expires_in, granted.claims.scope);
        Ok(Ok(IssuedClientToken { token, expires_in, scope }))
    }

    /// What a resource server is told about a token that no session has. It is good as long as its client is.
    pub(in crate::platform) async fn introspect_client_token(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<Introspection, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let Ok((client, claims)) = work.cell().verify_client_token(token, work.now()) else {
            return Ok(Introspection::Inactive);
        };
        let is_good = work.known_client(client).await?.is_some_and(|client| !client.definition.disabled);
        let active = || Introspection::Active(active_access_token(&claims).into());
        Ok(if is_good { active() } else { Introspection::Inactive })
    }
}

impl Work {
    /// The client that proves to be one. A wrong secret of a client is noted, as often as guesses from a network may be
    /// made.
    async fn authenticated(
        &self,
        authentication: ClientAuthentication<'_>,
    ) -> Result<Result<Arc<Client>, OAuthError>, ServiceError> {
        let ClientAuthentication { client_id, secret, context } = authentication;
        let Ok(id) = client_id.parse::<ClientId>() else { return Ok(Err(NOT_PROVED)) };
        let hash = self.secret_hash(id, secret);
        let Some(client) = self.known_client(id).await? else { return Ok(Err(NOT_PROVED)) };
        let now = self.now();
        if client.is_proved_by(&hash, now) && !client.definition.disabled {
            return Ok(Ok(client));
        }
        if let Some(address) = context.address {
            self.attempts().network(self.vault(), Network::of(address)).await?;
        }
        self.carry_out(refuse_client(id, NOT_PROVED), Actor::Anonymous, now).await.map(Err)
    }
}
