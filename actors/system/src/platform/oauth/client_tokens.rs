//! Tokens clients have for themselves.

use super::super::Platform;
use super::authentication::ClientAuthentication;
use crate::error::ServiceError;
use crate::tenant::signed_access_token;
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{ClientTokenRequest, GrantType, OAuthError, grant_client_token, refuse_client};
use plinto_runtime::Deadline;

/// An access token as a client gets it. No `Debug`.
pub struct IssuedClientToken {
    /// The JWT.
    pub token: String,
    /// Seconds it is good for.
    pub expires_in: u32,
    /// What it may do; empty if nothing is said of that.
    pub scope: String,
    /// Whether it is bound to the key the client proved to have.
    pub is_bound: bool,
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
        let proved = match work.authenticated_for(GrantType::ClientCredentials, authentication).await? {
            Ok(proved) => proved,
            Err(error) => return Ok(Err(error)),
        };
        let client = &proved.client;
        let request = ClientTokenRequest { key: proved.key.as_deref(), ..request };
        let (now, actor) = (work.now(), Actor::Client(client.id));
        let randomness = work.environment().randomness();
        let decision = match grant_client_token(client, request, &work.cell().issuer, now, randomness) {
            Ok(decision) => decision,
            Err(error) => return work.carry_out(refuse_client(client.id, error), actor, now).await.map(Err),
        };
        let granted = match work.carry_out_for(proved.used(), decision, actor, now).await?? {
            Ok(granted) => granted,
            Err(error) => return Ok(Err(error)),
        };
        let token = signed_access_token(work.cell(), &granted.claims)?;
        let (expires_in, scope) = (granted.expires_in, granted.claims.scope);
        Ok(Ok(IssuedClientToken { token, expires_in, scope, is_bound: proved.key.is_some() }))
    }
}
