//! What clients are told about tokens (RFC 7662): of their own, and of those that are meant for them.

use super::super::Platform;
use super::super::work::Work;
use super::authentication::ClientAuthentication;
use super::opaque;
use crate::error::ServiceError;
use crate::introspection::Introspection;
use crate::tenant::{OAuthToken, Verified};
use plinto_domain::TenantId;
use plinto_domain::id::AuthorizationId;
use plinto_domain::oauth::{Client, OAuthCode, OAuthError, OpaqueKind, OpaqueParts};
use plinto_runtime::Deadline;
use serde_json::json;

const PUBLIC: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "a public client cannot ask about tokens: who asks must prove who it is (RFC 7662 section 2.1)",
);

impl Platform {
    /// What a client is told about a token. One that is neither its own nor meant for it is inactive to it. The inner error is
    /// the endpoint's answer.
    pub async fn introspect_as_client(
        &self,
        tenant: TenantId,
        authentication: ClientAuthentication<'_>,
        token: &str,
        deadline: Deadline,
    ) -> Result<Result<Introspection, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let proved = match work.authenticated(authentication).await? {
            Ok(proved) if proved.client.is_public() => return Ok(Err(PUBLIC)),
            Ok(proved) => proved,
            Err(error) => return Ok(Err(error)),
        };
        let (client, now) = (&proved.client, work.now());
        if let Err(error) = work.use_up(proved.used(), client.id, now).await? {
            return Ok(Err(error));
        }
        if let Some(parts) = opaque::read(work.vault(), OpaqueKind::Refresh, token) {
            return work.introspect_refresh_token(client, parts).await.map(Ok);
        }
        match self.verify_any(work.cell(), token, now, deadline).await {
            Ok(Verified::OfClient(verified)) if concerns(client, &verified) => {
                work.introspect_oauth_token(&verified).await.map(Ok)
            }
            Ok(_) | Err(ServiceError::InvalidToken { .. }) => Ok(Ok(Introspection::Inactive)),
            Err(error) => Err(error),
        }
    }
}

/// Whether a token is a client's, or meant for the resource server it is.
fn concerns(client: &Client, verified: &OAuthToken) -> bool {
    let is_meant = |audience: &String| client.definition.resources.contains(audience);
    verified.client == client.id || verified.claims.aud.iter().any(is_meant)
}

impl Work {
    async fn introspect_refresh_token(
        &self,
        client: &Client,
        parts: OpaqueParts,
    ) -> Result<Introspection, ServiceError> {
        let id = AuthorizationId::from_uuid(parts.of);
        let Some(known) = self.authorization(id).await? else { return Ok(Introspection::Inactive) };
        let is_current = known.generation == parts.number && !known.revoked;
        let is_in_time = self.now() < known.refresh_expires_at;
        if known.client != client.id || !is_current || !is_in_time || !self.stands(&known).await? {
            return Ok(Introspection::Inactive);
        }
        let answer = json!({
            "active": true,
            "token_type": "refresh_token",
            "iss": self.cell().issuer,
            "sub": known.user,
            "client_id": client.id,
            "scope": known.terms.scope.to_string(),
            "exp": known.refresh_expires_at.as_seconds(),
            "auth_time": known.terms.authenticated_at.as_seconds(),
        });
        Ok(Introspection::Active(answer.to_string().into()))
    }
}
