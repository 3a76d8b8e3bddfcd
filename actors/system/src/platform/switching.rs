//! Sessions made active in another organization, or in none.

use super::Platform;
use super::sessions::signed_in;
use crate::error::ServiceError;
use crate::session::{Presented, Proof, RefreshRequest, Refreshed, SessionKey, Shown, client_index};
use crate::tenant::{ClientContext, IssuedAccessToken, SignedIn, TenantCell, VerifiedToken};
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::OrganizationName;
use plinto_domain::{SessionId, TenantId, UserId};
use plinto_runtime::Deadline;
use std::sync::Arc;

/// What a switch came to.
#[derive(Debug)]
pub enum Switched {
    /// By an access token alone: another one, good no longer than that.
    Access {
        /// The user.
        user: UserId,
        /// The session.
        session: SessionId,
        /// The new access token.
        access: IssuedAccessToken,
        /// The organization it names.
        organization: Option<OrganizationId>,
    },
    /// By a refresh token too: both are replaced.
    Session(SignedIn),
}

impl Platform {
    /// Makes the session of an access token active in an organization its user belongs to, if the policy is met, or in
    /// none. With the session's refresh token both are replaced, as rights change; without it, who has no more than an
    /// access token gets nothing that lasts longer.
    pub async fn switch_organization(
        &self,
        tenant: TenantId,
        token: &str,
        organization: Option<&str>,
        refresh: Option<&str>,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<Switched, ServiceError> {
        let parse = |name| OrganizationName::parse("organization", name);
        let organization = organization.map(parse).transpose()?;
        let entered = self.0.tenants.enter(tenant, deadline).await?;
        let cell = Arc::clone(&entered.shared);
        let verified = self.authorize(&cell, token, deadline).await?;
        let shown = self.shown(&cell, &verified, refresh, deadline).await?;
        let key = SessionKey { tenant, session: verified.session };
        let now = self.0.environment.now();
        let client = client_index(&cell.vault, &client);
        let request = RefreshRequest { cell, proof: Proof::Switch { organization, shown }, client, now };
        match (self.0.sessions.refresh(key, request, deadline).await, shown) {
            (Ok(refreshed), Shown::RefreshToken(..)) => Ok(Switched::Session(signed_in(refreshed, now))),
            (Ok(Refreshed { session, user, access, organization, .. }), Shown::AccessToken { .. }) => {
                Ok(Switched::Access { user, session, access, organization })
            }
            // It ended a moment ago.
            (Err(ServiceError::InvalidGrant), Shown::AccessToken { .. }) => {
                Err(ServiceError::InvalidToken { reason: "session_ended" })
            }
            (Err(error), _) => Err(error),
        }
    }

    /// What is shown with an access token. A refresh token has to be genuine, and of the same session.
    async fn shown(
        &self,
        cell: &TenantCell,
        verified: &VerifiedToken,
        refresh: Option<&str>,
        deadline: Deadline,
    ) -> Result<Shown, ServiceError> {
        let Some(refresh) = refresh else {
            return Ok(Shown::AccessToken { expires_at: verified.claims.exp });
        };
        let presented = Presented::read(refresh).ok_or(ServiceError::InvalidGrant)?;
        let (tenant, session) = (presented.parts.tenant, presented.parts.session);
        let is_ours = tenant == cell.id && session == verified.session;
        if !is_ours || !self.is_genuine(&presented, cell, deadline).await? {
            return Err(ServiceError::InvalidGrant);
        }
        Ok(Shown::RefreshToken(presented.parts, presented.hash))
    }
}
