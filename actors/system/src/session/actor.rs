use super::commit::CommitFailure;
use super::glance::Glance;
use super::messages::{Ending, SessionKey, SessionMessage};
use super::state::{Resident, from_row};
use crate::config::Limits;
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::LedgerHandle;
use crate::nodes::Watch;
use crate::persist::unit;
use crate::sealed_rows::SealedRows;
use crate::tenant::TenantActor;
use plinto_domain::session::{self, NamedOrganization, Session, SessionEnded};
use plinto_domain::{Decision, Timestamp};
use plinto_runtime::{
    Activated, ActivationError, Admission, Context, Deadline, Directory, Fault, Rate, Refusal, VirtualActor,
};
use plinto_storage::Engine;
use plinto_storage::repositories::sessions;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long reading a session's row may wait for its tenant.
const TENANT_WAIT: Duration = Duration::from_secs(5);

/// One session.
pub(crate) struct SessionActor {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) rows: Arc<SealedRows>,
    pub(crate) tenants: Directory<TenantActor>,
    pub(crate) ledger: LedgerHandle,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
    pub(crate) watch: Arc<Watch>,
}

impl VirtualActor for SessionActor {
    type Key = SessionKey;
    type Message = SessionMessage;
    type State = Resident;
    type Shared = Glance;
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

    fn weight(&self, resident: &Resident) -> usize {
        let methods = resident.session.amr.iter().map(|method| method.capacity() + size_of::<String>());
        size_of::<Resident>() + methods.sum::<usize>()
    }

    async fn activate(&self, key: &SessionKey) -> Result<Activated<Self>, ActivationError> {
        let now = self.environment.now();
        let session =
            self.load(key).await.map_err(|error| error.in_activation())?.ok_or(ActivationError::NotFound)?;
        let resident = Resident::new(session, now);
        Ok(Activated { shared: resident.glance(), state: resident })
    }

    async fn handle(
        &self,
        cx: &mut Context<Self>,
        resident: &mut Resident,
        message: SessionMessage,
    ) -> Result<(), Fault> {
        resident.hide();
        // What reads or writes is boxed, so that an idle session does not carry the size of its future.
        match message {
            SessionMessage::Check { named, now, reply } => {
                let named = named.as_deref();
                let live = match resident.must_read_in(named, now, self.engine.is_shared()) {
                    false => Ok(resident.session.check_token(named, now)),
                    true => Box::pin(self.check_row(cx.key(), resident, named, now)).await,
                };
                let is_live = matches!(live, Ok(Ok(())));
                reply.send(live);
                if is_live {
                    self.was_seen(cx, resident, now);
                }
            }
            SessionMessage::Look { now, reply } => {
                let session = Box::pin(self.look(cx.key(), resident, now)).await;
                let is_live = matches!(session, Ok(Some(_)));
                reply.send(session);
                if is_live {
                    self.was_seen(cx, resident, now);
                }
            }
            SessionMessage::CheckRefresh { generation, hash, now, reply } => {
                let checking = self.check_refresh(cx.key(), resident, generation, hash, now);
                reply.send(Box::pin(checking).await);
            }
            SessionMessage::WasRevoked => resident.session.revoked = true,
            SessionMessage::Changed => resident.doubt(),
            SessionMessage::OrganizationGone(gone) => {
                if resident.session.organization.as_ref().is_some_and(|active| active.id == gone) {
                    resident.doubt();
                }
            }
            SessionMessage::Refresh { request, reply } => {
                let deadline = cx.deadline();
                reply.send(Box::pin(self.refresh(cx.key(), deadline, resident, *request)).await);
            }
            SessionMessage::Revoke { ending, reply } => {
                let deadline = cx.deadline();
                match Box::pin(self.revoke(cx.key(), deadline, resident, ending)).await {
                    Err(ServiceError::Refused(refusal)) => reply.refuse(refusal),
                    done => reply.send(done),
                }
            }
        }
        resident.show();
        Ok(())
    }
}

impl SessionActor {
    async fn load(&self, key: &SessionKey) -> Result<Option<Session>, ServiceError> {
        let cell = match self.tenants.shared(&key.tenant, Deadline::after(TENANT_WAIT)).await {
            Err(Refusal::NotFound) => return Ok(None),
            cell => cell?,
        };
        let read = || sessions::get(&*self.engine, &cell.vault, key.session.uuid());
        let row = self.watch.reading(key.tenant.uuid(), || self.rows.read(key.tenant, read)).await?;
        row.map(from_row).transpose()
    }

    /// Brings memory up to the row. If that fails, memory is as doubtful as before.
    pub(super) async fn read_again(
        &self,
        key: &SessionKey,
        resident: &mut Resident,
    ) -> Result<(), ServiceError> {
        let now = self.environment.now();
        let row = self.load(key).await?;
        resident.renew(row, now);
        Ok(())
    }

    async fn check_row(
        &self,
        key: &SessionKey,
        resident: &mut Resident,
        named: Option<&NamedOrganization>,
        now: Timestamp,
    ) -> Result<Result<(), SessionEnded>, ServiceError> {
        self.read_again(key, resident).await?;
        Ok(resident.session.check_token(named, now))
    }

    async fn look(
        &self,
        key: &SessionKey,
        resident: &mut Resident,
        now: Timestamp,
    ) -> Result<Option<Session>, ServiceError> {
        if resident.must_read(now, self.engine.is_shared()) {
            self.read_again(key, resident).await?;
        }
        let session = &resident.session;
        Ok(session.check_live(now).is_ok().then(|| session.clone()))
    }

    async fn check_refresh(
        &self,
        key: &SessionKey,
        resident: &mut Resident,
        generation: u32,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Session>, ServiceError> {
        if resident.must_read_of(generation, now, self.engine.is_shared()) {
            self.read_again(key, resident).await?;
        }
        let session = &resident.session;
        let current = generation == session.generation && bool::from(hash.ct_eq(&session.refresh_hash));
        let usable = current && session.check_live(now).is_ok();
        Ok(usable.then(|| session.clone()))
    }

    async fn revoke(
        &self,
        key: &SessionKey,
        deadline: Deadline,
        resident: &mut Resident,
        Ending { reason, by, now }: Ending,
    ) -> Result<(), ServiceError> {
        let Decision { writes, events, reply: () } = session::revoke(&resident.session, reason, now);
        if writes.is_empty() {
            return Ok(());
        }
        let cell = self.tenants.shared(&key.tenant, deadline).await?;
        let unit = unit(&cell.vault, writes, &events, by, now);
        match self.commit(key.tenant, unit, deadline).await {
            Ok(()) | Err(CommitFailure::AlreadyRevoked) => {
                resident.session.revoked = true;
                Ok(())
            }
            Err(failure) => Err(failure.answer(resident)),
        }
    }
}
