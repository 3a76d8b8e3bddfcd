//! Sessions ended: by their users, and by those who administer them.

use super::{COMMIT_WAIT, Platform, to_the_end};
use crate::error::ServiceError;
use crate::session::{Ending, SessionKey};
use crate::tenant::{EndSessions, TenantCell};
use plinto_domain::audit::Actor;
use plinto_domain::session::{RevocationReason, UNKNOWN_SESSION};
use plinto_domain::{SessionId, TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::sessions;

/// Sessions told at a time that sessions of a user ended.
const SESSIONS_PER_PAGE: u32 = 256;

impl Platform {
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
        let ending = Ending { reason: RevocationReason::SignOut, by: Actor::User(verified.user), now };
        self.0.sessions.revoke(key, ending, deadline).await?;
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
        let user = verified.user;
        let reason = RevocationReason::SignOutEverywhere;
        self.end_all(tenant, EndSessions { user, kept: None, reason, by: Actor::User(user), now }).await?;
        Ok(user)
    }

    /// Ends another session of the user an access token speaks for; ending an ended one changes nothing.
    pub async fn end_my_session(
        &self,
        tenant: TenantId,
        token: &str,
        session: SessionId,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let verified = self.authorize(work.cell(), token, deadline).await?;
        if verified.session != session {
            // Who has taken one session over must not be able to lock its owner out of the others.
            self.require_recent(work.cell(), &verified)?;
        }
        let row = work.read(|| sessions::get(work.engine(), work.vault(), session.uuid())).await?;
        row.filter(|row| row.user_id == verified.user.uuid()).ok_or(UNKNOWN_SESSION)?;
        let (by, now) = (Actor::User(verified.user), work.now());
        let ending = Ending { reason: RevocationReason::EndedByUser, by, now };
        self.0.sessions.revoke(SessionKey { tenant, session }, ending, deadline).await
    }

    /// Ends every session of the user an access token speaks for but the token's own.
    pub async fn end_my_other_sessions(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let verified = self.authorize(work.cell(), token, deadline).await?;
        self.require_recent(work.cell(), &verified)?;
        let (user, kept) = (verified.user, Some(verified.session));
        let reason = RevocationReason::EndedByUser;
        self.end_all(tenant, EndSessions { user, kept, reason, by: Actor::User(user), now: work.now() }).await
    }

    /// Ends a session on a service's or an operator's word; ending an ended one changes nothing.
    pub async fn end_session(
        &self,
        tenant: TenantId,
        session: SessionId,
        by: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let row = work.read(|| sessions::get(work.engine(), work.vault(), session.uuid())).await?;
        row.ok_or(UNKNOWN_SESSION)?;
        let ending = Ending { reason: RevocationReason::EndedByOperator, by, now: work.now() };
        self.0.sessions.revoke(SessionKey { tenant, session }, ending, deadline).await
    }

    /// Ends every session of a user on a service's or an operator's word.
    pub async fn end_sessions_of(
        &self,
        tenant: TenantId,
        user: UserId,
        by: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_row(user).await?;
        let reason = RevocationReason::EndedByOperator;
        self.end_all(tenant, EndSessions { user, kept: None, reason, by, now: work.now() }).await
    }

    /// Ends sessions of a user. Once begun it goes on to its end, also if the caller leaves.
    pub(super) async fn end_all(&self, tenant: TenantId, ended: EndSessions) -> Result<(), ServiceError> {
        let platform = self.clone();
        to_the_end(async move {
            let cell = platform.0.tenants.cell(tenant, Deadline::after(COMMIT_WAIT)).await?;
            platform.end_and_tell(&cell, ended).await
        })
        .await
    }

    async fn end_and_tell(&self, cell: &TenantCell, ended: EndSessions) -> Result<(), ServiceError> {
        let committed = self.0.tenants.end_sessions(cell.id, ended, Deadline::after(COMMIT_WAIT)).await;
        self.after_sessions_ended(cell, ended.user, &committed).await;
        committed
    }

    /// Tells the resident sessions of a user about a write that ends them, or that may have.
    pub(super) async fn after_sessions_ended<T>(
        &self,
        cell: &TenantCell,
        user: UserId,
        committed: &Result<T, ServiceError>,
    ) {
        let told = match committed {
            Ok(_) => self.tell_sessions(cell, user).await,
            // It may have been committed or not.
            Err(error) if error.leaves_open() => Err(ServiceError::Conflict),
            Err(_) => Ok(()),
        };
        if told.is_err() {
            // Who is concerned is not known: every session of the tenant reads its row again.
            self.0.sessions.drain_tenant(cell.id).await;
        }
    }

    /// Tells the resident sessions of a user that a committed write has ended them: those whose rows say so, as others
    /// may have begun after it.
    pub(super) async fn tell_sessions(&self, cell: &TenantCell, user: UserId) -> Result<(), ServiceError> {
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
}
