//! Proving oneself again, and what asks for it.

use super::Platform;
use super::sessions::signed_in;
use crate::error::ServiceError;
use crate::session::{Proof, RefreshRequest, SessionKey, client_index};
use crate::tenant::{CheckPassword, ClientContext, SignedIn, TenantCell, VerifiedToken};
use plinto_domain::password::Password;
use plinto_domain::{SessionId, TenantId};
use plinto_runtime::Deadline;
use std::sync::Arc;

impl Platform {
    /// Checks the password of the user an access token speaks for, and renews when the session's user authenticated.
    /// The session goes on with new tokens.
    pub async fn reauthenticate(
        &self,
        tenant: TenantId,
        token: &str,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let password = Password::entered("password", password)?;
        let entered = self.0.tenants.enter(tenant, deadline).await?;
        let cell = Arc::clone(&entered.shared);
        let verified = self.authorize(&cell, token, deadline).await?;
        let check = CheckPassword { user: verified.user, password, client: client.clone() };
        self.0.tenants.check_password(tenant, check, deadline).await?;
        self.renew(cell, verified.session, &client, deadline).await
    }

    /// Changes the password of the user an access token speaks for, like [`Self::change_password`], and gives the session
    /// new tokens: whoever saw the old ones has nothing of what the new password protects. None if that fails: the
    /// password is changed all the same.
    pub async fn change_password_and_renew(
        &self,
        tenant: TenantId,
        token: &str,
        passwords: (&str, &str),
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<Option<SignedIn>, ServiceError> {
        self.change_password(tenant, token, passwords, client.clone(), deadline).await?;
        let renewed = async {
            let cell = self.0.tenants.cell(tenant, deadline).await?;
            let verified = self.authorize(&cell, token, deadline).await?;
            self.renew(cell, verified.session, &client, deadline).await
        };
        let renewed = renewed.await.inspect_err(|error| {
            tracing::warn!(%tenant, %error, "a session keeps its tokens after a change of password");
        });
        Ok(renewed.ok())
    }

    /// The next tokens of a session whose user has just proved itself.
    async fn renew(
        &self,
        cell: Arc<TenantCell>,
        session: SessionId,
        client: &ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let key = SessionKey { tenant: cell.id, session };
        let now = self.0.environment.now();
        let client = client_index(&cell.vault, client);
        let request = RefreshRequest { cell, proof: Proof::Reauthentication, client, now };
        match self.0.sessions.refresh(key, request, deadline).await {
            Ok(refreshed) => Ok(signed_in(refreshed, now)),
            // It ended while the password was checked.
            Err(ServiceError::InvalidGrant) => Err(ServiceError::InvalidToken { reason: "session_ended" }),
            Err(error) => Err(error),
        }
    }

    /// What is sensitive asks for a user who authenticated recently (RFC 9470).
    pub(super) fn require_recent(
        &self,
        cell: &TenantCell,
        verified: &VerifiedToken,
    ) -> Result<(), ServiceError> {
        let policy = &cell.settings.session;
        let authenticated_at = verified.claims.auth_time.unwrap_or(0);
        match policy.is_recent(authenticated_at, self.0.environment.now()) {
            true => Ok(()),
            false => Err(ServiceError::ReauthenticationNeeded { max_age: policy.step_up_max_age_seconds }),
        }
    }
}
