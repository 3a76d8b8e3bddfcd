//! How a client proves at the token endpoint who it is.

use super::super::work::Work;
use crate::error::ServiceError;
use crate::tenant::ClientContext;
use plinto_domain::ClientId;
use plinto_domain::address::Network;
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{Client, GrantType, OAuthCode, OAuthError, refuse_client};
use std::sync::Arc;

/// What is said whatever is wrong with a client's credentials.
const NOT_PROVED: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "there is no such client, it is disabled, or it did not prove who it is as it was registered to",
);
const NOT_ITS_GRANT: OAuthError =
    OAuthError::new(OAuthCode::UnauthorizedClient, "this client is not registered for this grant_type");

/// How a client says who it is (RFC 6749 §2.3.1). No `Debug`.
#[derive(Clone, Copy)]
pub struct ClientAuthentication<'a> {
    /// Its id.
    pub client_id: &'a str,
    /// What proves it; none from a public client.
    pub secret: Option<&'a str>,
    /// From where.
    pub context: &'a ClientContext,
}

impl Work {
    /// The client that proves to be one, if it may use the grant. What it tried otherwise is noted.
    pub(super) async fn authenticated_for(
        &self,
        grant: GrantType,
        authentication: ClientAuthentication<'_>,
    ) -> Result<Result<Arc<Client>, OAuthError>, ServiceError> {
        let client = match self.authenticated(authentication).await? {
            Ok(client) => client,
            refused => return Ok(refused),
        };
        if client.definition.may_use(grant) {
            return Ok(Ok(client));
        }
        let refusal = refuse_client(client.id, NOT_ITS_GRANT);
        self.carry_out(refusal, Actor::Client(client.id), self.now()).await.map(Err)
    }

    /// The client that proves to be one. A wrong secret of a client is noted, as often as guesses from a network may be
    /// made.
    pub(super) async fn authenticated(
        &self,
        authentication: ClientAuthentication<'_>,
    ) -> Result<Result<Arc<Client>, OAuthError>, ServiceError> {
        let ClientAuthentication { client_id, secret, context } = authentication;
        let Ok(id) = client_id.parse::<ClientId>() else { return Ok(Err(NOT_PROVED)) };
        let hash = secret.map(|secret| self.secret_hash(id, secret));
        let Some(client) = self.known_client(id).await? else { return Ok(Err(NOT_PROVED)) };
        let now = self.now();
        let is_proved = match &hash {
            Some(hash) => client.is_proved_by(hash, now),
            None => client.is_public(),
        };
        if is_proved && !client.definition.disabled {
            return Ok(Ok(client));
        }
        if let Some(address) = context.address {
            self.attempts().network(self.vault(), Network::of(address)).await?;
        }
        self.carry_out(refuse_client(id, NOT_PROVED), Actor::Anonymous, now).await.map(Err)
    }
}
