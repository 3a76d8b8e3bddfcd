use super::actor::SessionActor;
use super::glance::Glance;
use super::messages::{Ending, RefreshRequest, SessionKey, SessionMessage};
use crate::error::ServiceError;
use crate::tenant::IssuedAccessToken;
use plinto_domain::id::OrganizationId;
use plinto_domain::refresh_token::RefreshToken;
use plinto_domain::session::{NamedOrganization, Session, SessionEnded};
use plinto_domain::{SessionId, TenantId, Timestamp, UserId};
use plinto_runtime::{Budget, Deadline, Directory, Refusal};
use std::sync::{Arc, OnceLock, Weak};

/// A session's next pair of tokens.
#[derive(Debug)]
pub(crate) struct Refreshed {
    pub(crate) session: SessionId,
    pub(crate) user: UserId,
    pub(crate) access: IssuedAccessToken,
    /// None where nobody showed one, or anything as good.
    pub(crate) refresh: Option<RefreshToken>,
    /// When the session ends unless it is refreshed.
    pub(crate) ends_at: Timestamp,
    /// The organization the access token names.
    pub(crate) organization: Option<OrganizationId>,
}

/// Tells resident sessions that a committed write has ended them, for tenants, which are there before sessions are.
#[derive(Clone, Default)]
pub(crate) struct SessionEnds(Arc<OnceLock<Weak<SessionHandle>>>);

impl SessionEnds {
    /// From now on these are told, as long as they are there.
    pub(crate) fn reach(&self, sessions: &Arc<SessionHandle>) {
        // Set once, by whoever starts the platform.
        self.0.get_or_init(|| Arc::downgrade(sessions));
    }

    /// Tells them.
    pub(crate) fn tell(&self, tenant: TenantId, ended: &[SessionId]) {
        let Some(sessions) = self.0.get().and_then(Weak::upgrade) else { return };
        for &session in ended {
            sessions.was_revoked(SessionKey { tenant, session });
        }
    }

    /// Tells them that they may have ended.
    pub(crate) fn doubt(&self, tenant: TenantId, ended: &[SessionId]) {
        let Some(sessions) = self.0.get().and_then(Weak::upgrade) else { return };
        for &session in ended {
            sessions.changed(SessionKey { tenant, session });
        }
    }
}

/// Talks to sessions.
#[derive(Clone)]
pub(crate) struct SessionHandle {
    directory: Directory<SessionActor>,
}

impl SessionHandle {
    pub(crate) fn new(directory: Directory<SessionActor>) -> Self {
        Self { directory }
    }

    /// What is left of the session's rate limit.
    pub(crate) fn budget(&self, key: &SessionKey) -> Option<Budget> {
        self.directory.budget(key)
    }

    /// Whether the session is usable by a token that names this organization; an unknown session is not.
    pub(crate) async fn check(
        &self,
        key: SessionKey,
        named: Option<Arc<NamedOrganization>>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Result<(), SessionEnded>, ServiceError> {
        // In which organization the session is active, only the actor says.
        let is_plain = named.is_none();
        let look = |glance: &Glance| (is_plain && glance.is_live(now)).then_some(Ok(Ok(())));
        let make = |reply| SessionMessage::Check { named, now, reply };
        match self.directory.look_or_call(&key, deadline, look, make).await {
            Err(Refusal::NotFound) => Ok(Err(SessionEnded::Revoked)),
            answer => answer?,
        }
    }

    /// Like [`Self::check`], but not rate limited: for signing out, which nobody must be able to delay.
    pub(crate) async fn check_beyond_limits(
        &self,
        key: SessionKey,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Result<(), SessionEnded>, ServiceError> {
        let make = |reply| SessionMessage::Check { named: None, now, reply };
        match self.directory.call_unlimited(&key, deadline, make).await {
            Err(Refusal::NotFound) => Ok(Err(SessionEnded::Revoked)),
            answer => answer?,
        }
    }

    /// The session, if it is usable.
    pub(crate) async fn look(
        &self,
        key: SessionKey,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Option<Session>, ServiceError> {
        match self.directory.call(&key, deadline, |reply| SessionMessage::Look { now, reply }).await {
            Err(Refusal::NotFound) => Ok(None),
            answer => answer?,
        }
    }

    /// The session, if the genuine refresh token is its current one.
    pub(crate) async fn check_refresh(
        &self,
        key: SessionKey,
        generation: u32,
        hash: [u8; 32],
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Option<Session>, ServiceError> {
        let make = |reply| SessionMessage::CheckRefresh { generation, hash, now, reply };
        match self.directory.call(&key, deadline, make).await {
            Err(Refusal::NotFound) => Ok(None),
            answer => answer?,
        }
    }

    /// Gives out the next tokens.
    pub(crate) async fn refresh(
        &self,
        key: SessionKey,
        request: RefreshRequest,
        deadline: Deadline,
    ) -> Result<Refreshed, ServiceError> {
        let request = Box::new(request);
        match self.directory.call(&key, deadline, |reply| SessionMessage::Refresh { request, reply }).await {
            Err(Refusal::NotFound) => Err(ServiceError::InvalidGrant),
            answer => answer?,
        }
    }

    /// Ends a session. Not rate limited: an attacker must not be able to delay a sign-out.
    pub(crate) async fn revoke(
        &self,
        key: SessionKey,
        ending: Ending,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let make = |reply| SessionMessage::Revoke { ending, reply };
        match self.directory.call_unlimited(&key, deadline, make).await {
            Err(Refusal::NotFound) => Ok(()),
            answer => answer?,
        }
    }

    /// Tells a resident session that a committed write has ended it. A session that is not resident reads the row.
    pub(crate) fn was_revoked(&self, key: SessionKey) {
        self.directory.cast_if_live(&key, SessionMessage::WasRevoked);
    }

    /// Tells a resident session that another node may have changed its row: it reads the row before its next answer.
    pub(crate) fn changed(&self, key: SessionKey) {
        self.directory.cast_if_live(&key, SessionMessage::Changed);
    }

    /// The same for all resident sessions the predicate holds for. Returns how many there were.
    pub(crate) async fn all_changed(&self, which: impl Fn(&SessionKey) -> bool) -> usize {
        self.directory.cast_where_live(which, || SessionMessage::Changed).await
    }

    /// Tells the resident sessions of a tenant that an organization is gone.
    pub(crate) async fn organization_gone(&self, tenant: TenantId, organization: OrganizationId) {
        let make = || SessionMessage::OrganizationGone(organization);
        self.directory.cast_where_live(|key| key.tenant == tenant, make).await;
    }

    /// Drains and forgets every session of a tenant.
    pub(crate) async fn drain_tenant(&self, tenant: TenantId) -> usize {
        self.directory.drain_where(|key| key.tenant == tenant).await
    }

    /// Drains every session of this node.
    pub(crate) async fn drain_all(&self) -> usize {
        self.directory.drain_where(|_| true).await
    }

    pub(crate) fn live(&self) -> usize {
        self.directory.live()
    }
}
