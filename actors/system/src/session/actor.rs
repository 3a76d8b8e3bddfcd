use super::handle::Refreshed;
use super::messages::{RefreshRequest, SessionKey, SessionMessage};
use super::refresh_tokens::issue;
use super::state::from_row;
use crate::config::Limits;
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::{CommitError, LedgerHandle};
use crate::persist::unit;
use crate::tenant::{TenantActor, access_token};
use plinto_domain::audit::Actor;
use plinto_domain::session::{self, PresentedRefresh, RefreshOutcome, RevocationReason, Session};
use plinto_domain::{Decision, Timestamp};
use plinto_runtime::{
    Activated, ActivationError, Admission, Context, Deadline, Directory, Fault, Rate, Refusal, Reply,
    VirtualActor,
};
use plinto_storage::Engine;
use plinto_storage::repositories::sessions;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a session waits for its own commit once it has begun: longer than any commit takes. Giving up earlier would
/// let a successor read the row before the commit lands, and answer for a session that is revoked.
const COMMIT_WAIT: Duration = Duration::from_secs(600);

/// How long an activation may wait for its tenant.
const TENANT_WAIT: Duration = Duration::from_secs(5);

/// Name of the expectation that a session is not revoked yet.
const SESSION_STATE: &str = "session_state";

/// One session.
pub(crate) struct SessionActor {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) tenants: Directory<TenantActor>,
    pub(crate) ledger: LedgerHandle,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
}

impl VirtualActor for SessionActor {
    type Key = SessionKey;
    type Message = SessionMessage;
    type State = Session;
    type Shared = ();
    const KIND: &'static str = "session";

    fn path(&self, key: &SessionKey) -> String {
        format!("/tenants/{}/sessions/{}", key.tenant, key.session)
    }

    fn span(&self, key: &SessionKey) -> tracing::Span {
        tracing::debug_span!("handle", tenant = %key.tenant, actor = %self.path(key), kind = Self::KIND)
    }

    fn admission(&self, _: &SessionKey) -> Admission {
        let rate = Rate {
            per_second: NonZeroU32::new(self.limits.session_per_second).unwrap_or(NonZeroU32::MIN),
            burst: NonZeroU32::new(self.limits.session_burst).unwrap_or(NonZeroU32::MIN),
        };
        Admission { in_flight: self.limits.session_in_flight, rate: Some(rate) }
    }

    fn weight(&self, state: &Session) -> usize {
        size_of::<Session>()
            + state.amr.iter().map(|method| method.capacity() + size_of::<String>()).sum::<usize>()
    }

    async fn activate(&self, key: &SessionKey) -> Result<Activated<Self>, ActivationError> {
        let state =
            self.load(key).await.map_err(|error| error.in_activation())?.ok_or(ActivationError::NotFound)?;
        Ok(Activated { state, shared: Arc::new(()) })
    }

    async fn handle(
        &self,
        cx: &mut Context<Self>,
        session: &mut Session,
        message: SessionMessage,
    ) -> Result<(), Fault> {
        match message {
            SessionMessage::Check { now, reply } => reply.send(session.check_live(now)),
            SessionMessage::CheckRefresh { generation, hash, now, reply } => {
                let current =
                    generation == session.generation && bool::from(hash.ct_eq(&session.refresh_hash));
                let usable = current && session.check_live(now).is_ok();
                reply.send(usable.then(|| session.clone()));
            }
            SessionMessage::WasRevoked => session.revoked = true,
            // The rare ones are boxed so that an idle session does not carry the size of their futures.
            SessionMessage::Refresh { request, reply } => {
                let tenant = cx.key().tenant;
                return Box::pin(self.refresh(tenant, cx.deadline(), session, *request, reply)).await;
            }
            SessionMessage::Revoke { reason, now, reply } => {
                let key = *cx.key();
                return Box::pin(self.revoke(key, cx.deadline(), session, reason, now, reply)).await;
            }
        }
        Ok(())
    }
}

impl SessionActor {
    async fn load(&self, key: &SessionKey) -> Result<Option<Session>, ServiceError> {
        let cell = match self.tenants.shared(&key.tenant, Deadline::after(TENANT_WAIT)).await {
            Err(Refusal::NotFound) => return Ok(None),
            cell => cell?,
        };
        let row = sessions::get(&*self.engine, &cell.vault, key.session.uuid()).await?;
        row.map(from_row).transpose()
    }

    async fn refresh(
        &self,
        tenant: plinto_domain::TenantId,
        deadline: Deadline,
        session: &mut Session,
        request: RefreshRequest,
        reply: Reply<Result<Refreshed, ServiceError>>,
    ) -> Result<(), Fault> {
        let RefreshRequest { cell, parts, hash, now } = request;
        let generation = session.generation.saturating_add(1);
        let (token, _) = match issue(&cell.vault, tenant, session.id, generation) {
            Ok(next) => next,
            Err(error) => {
                reply.send(Err(error.into()));
                return Ok(());
            }
        };
        let presented = PresentedRefresh { generation: parts.generation, hash };
        let policy = cell.settings.session;
        let Decision { writes, events, reply: outcome } =
            session::refresh(session, presented, token.sha256(), &policy, now);
        if !writes.is_empty() {
            let unit = unit(&cell.vault, writes, &events, Actor::User(session.user), now);
            match self.commit(tenant, unit, deadline).await {
                Ok(()) => {}
                Err(CommitFailure::AlreadyRevoked) => {
                    session.revoked = true;
                    reply.send(Err(ServiceError::InvalidGrant));
                    return Ok(());
                }
                Err(failure) => return answer_failure(failure, reply),
            }
        }
        let answer = match outcome {
            RefreshOutcome::Rotated => {
                session.generation = generation;
                session.refresh_hash = token.sha256();
                session.idle_expires_at = policy.idle_expires_at(now);
                session.version += 1;
                access_token(&cell, session, now, &self.environment).map(|access| Refreshed {
                    session: session.id,
                    user: session.user,
                    access,
                    refresh: token,
                })
            }
            RefreshOutcome::ReuseDetected => {
                session.revoked = true;
                Err(ServiceError::InvalidGrant)
            }
            RefreshOutcome::Ended(_) | RefreshOutcome::Invalid => Err(ServiceError::InvalidGrant),
        };
        reply.send(answer);
        Ok(())
    }

    async fn revoke(
        &self,
        key: SessionKey,
        deadline: Deadline,
        session: &mut Session,
        reason: RevocationReason,
        now: Timestamp,
        reply: Reply<Result<(), ServiceError>>,
    ) -> Result<(), Fault> {
        let Decision { writes, events, reply: () } = session::revoke(session, reason, now);
        if !writes.is_empty() {
            let cell = match self.tenants.shared(&key.tenant, deadline).await {
                Ok(cell) => cell,
                Err(refusal) => {
                    reply.refuse(refusal);
                    return Ok(());
                }
            };
            let unit = unit(&cell.vault, writes, &events, Actor::User(session.user), now);
            match self.commit(key.tenant, unit, deadline).await {
                Ok(()) | Err(CommitFailure::AlreadyRevoked) => session.revoked = true,
                Err(failure) => return answer_failure(failure, reply),
            }
        }
        reply.send(Ok(()));
        Ok(())
    }

    async fn commit(
        &self,
        tenant: plinto_domain::TenantId,
        unit: plinto_storage::Unit,
        deadline: Deadline,
    ) -> Result<(), CommitFailure> {
        if deadline.has_passed() {
            return Err(CommitFailure::NotStored(Refusal::DeadlineExceeded.into()));
        }
        match self.ledger.append(tenant, unit, Deadline::after(COMMIT_WAIT)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(CommitError::Storage(error))) => {
                Err(CommitFailure::NotStored(ServiceError::Storage(error)))
            }
            Ok(Err(CommitError::Conflict(SESSION_STATE))) => Err(CommitFailure::AlreadyRevoked),
            Ok(Err(error)) => Err(CommitFailure::RowDiffers(error.into())),
            // Refused before it was enqueued: nothing was stored, and nothing is wrong with this session.
            Err(ServiceError::Refused(
                refusal @ (Refusal::Overloaded { .. } | Refusal::Unavailable { .. } | Refusal::NotFound),
            )) => Err(CommitFailure::NotStored(refusal.into())),
            Err(error) => Err(CommitFailure::Unknown(error)),
        }
    }
}

/// What is known about the row after a commit that was not acknowledged.
enum CommitFailure {
    /// The session had been revoked by somebody else: what was wanted, or stronger.
    AlreadyRevoked,
    /// Nothing was stored; memory is right.
    NotStored(ServiceError),
    /// The row is not what memory says.
    RowDiffers(ServiceError),
    /// It may or may not have been stored (the deadline passed or the ledger died meanwhile).
    Unknown(ServiceError),
}

/// Tells the caller; where memory may be wrong, the actor dies and its successor reads the row again.
fn answer_failure<T>(failure: CommitFailure, reply: Reply<Result<T, ServiceError>>) -> Result<(), Fault> {
    match failure {
        CommitFailure::AlreadyRevoked => {
            reply.send(Err(ServiceError::Conflict));
            Err(Fault("session was revoked elsewhere".to_owned()))
        }
        CommitFailure::NotStored(error) => {
            reply.send(Err(error));
            Ok(())
        }
        CommitFailure::RowDiffers(error) => {
            reply.send(Err(error));
            Err(Fault("session row changed elsewhere".to_owned()))
        }
        CommitFailure::Unknown(error) => {
            reply.send(Err(error));
            Err(Fault("session commit was not acknowledged".to_owned()))
        }
    }
}
