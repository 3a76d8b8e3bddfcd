//! Sessions: tokens checked and exchanged, sessions ended.

use super::{COMMIT_WAIT, Platform, to_the_end, within};
use crate::error::ServiceError;
use crate::session::{Presented, RefreshRequest, SessionKey, client_index};
use crate::tenant::{ClientContext, SignedIn, TenantActor, TenantCell, VerifiedToken};
use plinto_domain::session::RevocationReason;
use plinto_domain::{SessionId, TenantId, Timestamp, UserId};
use plinto_runtime::{Deadline, Entered, Refusal};
use plinto_storage::repositories::sessions;
use plinto_token::TokenError;
use std::sync::Arc;

/// Sessions told at a time that all sessions of a user ended.
const SESSIONS_PER_PAGE: u32 = 256;

impl Platform {
    /// Exchanges a refresh token for the next pair. The token itself names its tenant; if the request names one too,
    /// the two must agree. A client that presents the token it just had replaced gets the current one once more.
    pub async fn refresh(
        &self,
        named: Option<TenantId>,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let presented = Presented::read(token).ok_or(ServiceError::InvalidGrant)?;
        let tenant = presented.parts.tenant;
        if named.is_some_and(|named| named != tenant) {
            return Err(ServiceError::InvalidGrant);
        }
        let entered = self.enter_claimed(tenant, deadline).await.map_err(hide_unknown_tenant)?;
        let cell = Arc::clone(&entered.shared);
        if !self.is_genuine(&presented, &cell, deadline).await? {
            return Err(ServiceError::InvalidGrant);
        }
        let key = SessionKey { tenant, session: presented.parts.session };
        let now = self.0.environment.now();
        let client = client_index(&cell.vault, &client);
        let request = RefreshRequest { cell, parts: presented.parts, hash: presented.hash, client, now };
        let refreshed = self.0.sessions.refresh(key, request, deadline).await?;
        Ok(SignedIn {
            user: refreshed.user,
            session: refreshed.session,
            access: refreshed.access,
            refresh: refreshed.refresh,
        })
    }

    /// Ends the session an access token belongs to; ending an ended one changes nothing. Not rate limited.
    pub async fn sign_out(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<SessionId, ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let now = self.0.environment.now();
        let verified = self.verify(&cell, token, now, deadline).await?;
        let key = SessionKey { tenant, session: verified.session };
        self.0.sessions.revoke(key, RevocationReason::SignOut, now, deadline).await?;
        Ok(verified.session)
    }

    /// Ends every session of the user an access token speaks for. Once begun it goes on to its end, also if the caller
    /// leaves: what is committed must reach the sessions that are resident. Not rate limited.
    pub async fn sign_out_everywhere(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let now = self.0.environment.now();
        let verified = self.verify(&cell, token, now, deadline).await?;
        let key = SessionKey { tenant, session: verified.session };
        if self.0.sessions.check_beyond_limits(key, now, deadline).await?.is_err() {
            return Err(ServiceError::InvalidToken { reason: "session_ended" });
        }
        let platform = self.clone();
        to_the_end(async move { platform.end_all_sessions(&cell, verified.user, now).await }).await
    }

    async fn end_all_sessions(
        &self,
        cell: &TenantCell,
        user: UserId,
        now: Timestamp,
    ) -> Result<UserId, ServiceError> {
        let deadline = Deadline::after(COMMIT_WAIT);
        let committed = self.0.tenants.sign_out_everywhere(cell.id, user, now, deadline).await;
        let told = match &committed {
            Ok(()) => self.tell_sessions(cell, user).await,
            // It may have been committed or not.
            Err(error) if error.leaves_open() => Err(ServiceError::Conflict),
            Err(_) => Ok(()),
        };
        if told.is_err() {
            // Who is concerned is not known: every session of the tenant reads its row again.
            self.0.sessions.drain_tenant(cell.id).await;
        }
        committed.map(|()| user)
    }

    /// Tells the resident sessions of a user that a committed write has ended them: those whose rows say so, as others
    /// may have begun after it.
    async fn tell_sessions(&self, cell: &TenantCell, user: UserId) -> Result<(), ServiceError> {
        let engine = self.0.store.engine();
        let mut cursor = None;
        loop {
            let list =
                || sessions::list_for_user(&**engine, &cell.vault, user.uuid(), SESSIONS_PER_PAGE, cursor);
            let page = self.0.rows.read(cell.id, list).await?;
            for row in page.iter().filter(|row| row.revoked_at.is_some()) {
                let session = SessionId::from_uuid(row.session_id);
                self.0.sessions.was_revoked(SessionKey { tenant: cell.id, session });
            }
            match page.last() {
                Some(last) => cursor = Some(last.session_id),
                None => return Ok(()),
            }
        }
    }

    pub(super) async fn authorize(
        &self,
        cell: &TenantCell,
        token: &str,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        let now = self.0.environment.now();
        let verified = self.verify(cell, token, now, deadline).await?;
        let key = SessionKey { tenant: cell.id, session: verified.session };
        match self.0.sessions.check(key, now, deadline).await? {
            Ok(()) => Ok(verified),
            Err(_) => Err(ServiceError::InvalidToken { reason: "session_ended" }),
        }
    }

    /// What an access token says, if it is good. Its key may have been made by another node a moment ago.
    async fn verify(
        &self,
        cell: &TenantCell,
        token: &str,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        let verified = cell.verify(token, now);
        let (Some(follower), Err(ServiceError::InvalidToken { reason })) = (&self.0.follower, &verified)
        else {
            return verified;
        };
        if *reason != TokenError::UnknownKey.code() {
            return verified;
        }
        // Boxed, so that tokens of known keys do not carry the size of this.
        if Box::pin(within(deadline, follower.learn_signing_key(cell, token, now, deadline))).await? {
            return self.0.tenants.cell(cell.id, deadline).await?.verify(token, now);
        }
        verified
    }

    /// Whether a refresh token is one of ours. Its key may have been made by another node a moment ago.
    pub(super) async fn is_genuine(
        &self,
        presented: &Presented,
        cell: &TenantCell,
        deadline: Deadline,
    ) -> Result<bool, ServiceError> {
        if let Some(follower) = &self.0.follower {
            within(deadline, follower.learn_data_key(&cell.vault, presented.parts.key_version)).await?;
        }
        Ok(presented.is_genuine(&cell.vault))
    }

    /// Enters the tenant a token claims to be of, which is not believed yet: nothing is activated for a made-up one.
    pub(super) async fn enter_claimed(
        &self,
        tenant: TenantId,
        deadline: Deadline,
    ) -> Result<Entered<TenantActor>, ServiceError> {
        within(deadline, self.0.registry.require(tenant)).await?;
        self.0.tenants.enter(tenant, deadline).await
    }
}

/// A refresh token that names no tenant of ours is a bad token, not a missing page.
fn hide_unknown_tenant(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::UnknownTenant | ServiceError::Refused(Refusal::NotFound) => ServiceError::InvalidGrant,
        other => other,
    }
}
