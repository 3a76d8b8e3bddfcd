use super::queue::MailQueue;
use super::render::render;
use super::transport::{MailFailure, MailTransport};
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::{CommitError, LedgerHandle};
use crate::persist;
use crate::sealed_rows::SealedRows;
use crate::tenant::{TenantCell, TenantHandle};
use futures::FutureExt;
use plinto_domain::audit::Actor;
use plinto_domain::mail::delivery::{Outcome, WaitingMail, attempt, conclude};
use plinto_domain::{Decision, MailId, TenantId, Timestamp};
use plinto_runtime::{ActorSystem, Deadline, Refusal};
use plinto_storage::repositories::outbox::{self, MailRow};
use plinto_storage::{Store, TenantState};
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Tenants whose mail is delivered at a time; each has one attempt under way, so that none holds up the others.
const TENANTS_AT_ONCE: usize = 16;
/// Mails of a tenant until the next one has its turn.
const BATCH: u32 = 20;
/// How long an attempt may take. Shorter than a claim.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a commit may take.
const COMMIT_WAIT: Duration = Duration::from_secs(30);
/// Until a tenant is looked at again whose mail could not be read or attempted at all.
const AFTER_TROUBLE: Duration = Duration::from_secs(10);
/// How often the outboxes of all tenants are looked at where other nodes write to them and may die. Where nobody else
/// does, once after the start.
const ROUND: Duration = Duration::from_secs(60);
/// Tenants looked at in one query.
const PAGE: u32 = 200;

/// Brings mail from the outboxes on its way.
pub(crate) struct Postman {
    pub(crate) queue: Arc<MailQueue>,
    pub(crate) transport: Arc<dyn MailTransport>,
    pub(crate) store: Arc<Store>,
    pub(crate) rows: Arc<SealedRows>,
    pub(crate) environment: Environment,
    pub(crate) tenants: TenantHandle,
    pub(crate) ledger: LedgerHandle,
}

/// What came of looking after one tenant.
type Round = (TenantId, Result<Option<Timestamp>, ServiceError>);

impl Postman {
    /// Delivers until the system stops.
    pub(crate) fn start(self, system: &ActorSystem) {
        let this = Arc::new(self);
        system.service("/services/mail", "service", move || {
            let this = Arc::clone(&this);
            async move {
                tokio::join!(this.deliver_all(), this.look_for_forgotten());
            }
        });
    }

    async fn deliver_all(self: &Arc<Self>) {
        let mut at_work = JoinSet::new();
        let mut busy = HashSet::new();
        loop {
            while at_work.len() < TENANTS_AT_ONCE {
                let now = self.environment.now();
                let Some(tenant) = self.queue.take(now, |tenant| busy.contains(tenant)) else { break };
                busy.insert(tenant);
                let this = Arc::clone(self);
                at_work.spawn(async move { this.round(tenant).await });
            }
            tokio::select! {
                Some(done) = at_work.join_next() => {
                    let (tenant, next) = done.expect("a round neither panics nor is cancelled while it is awaited");
                    busy.remove(&tenant);
                    self.plan(tenant, next);
                }
                () = self.queue.changed(), if at_work.len() < TENANTS_AT_ONCE => {}
            }
        }
    }

    /// One tenant's turn. A panic is a failure of this tenant alone.
    async fn round(&self, tenant: TenantId) -> Round {
        let done = AssertUnwindSafe(self.deliver(tenant)).catch_unwind().await;
        (tenant, done.unwrap_or(Err(ServiceError::Refused(Refusal::Crashed))))
    }

    fn plan(&self, tenant: TenantId, next: Result<Option<Timestamp>, ServiceError>) {
        match next {
            Ok(Some(at)) => self.queue.wake_at(tenant, at),
            // Its outbox is empty, or it was deleted.
            Ok(None) | Err(ServiceError::UnknownTenant) => {}
            Err(error) => {
                tracing::warn!(%tenant, %error, "mail could not be delivered; it is tried again");
                self.queue.wake_at(tenant, self.environment.now().plus(AFTER_TROUBLE));
            }
        }
    }

    /// Attempts what is due; answers when something is due next.
    async fn deliver(&self, tenant: TenantId) -> Result<Option<Timestamp>, ServiceError> {
        let cell = self.tenants.cell(tenant, Deadline::after(COMMIT_WAIT)).await?;
        let engine = self.store.engine();
        let now = self.environment.now();
        let due =
            self.rows.read(tenant, || outbox::due(&**engine, &cell.vault, now.as_millis(), BATCH)).await?;
        let mut skipped = false;
        for row in due {
            skipped |= !self.deliver_one(&cell, row).await?;
        }
        let next = outbox::next(&**engine, tenant.uuid()).await?.map(Timestamp::from_millis);
        // What this version cannot send stays first in line: not at once again.
        let soonest = if skipped { self.environment.now().plus(AFTER_TROUBLE) } else { now };
        Ok(next.map(|next| next.max(soonest)))
    }

    /// `false` for a mail this version does not understand: a node of a newer one will.
    async fn deliver_one(&self, cell: &TenantCell, row: MailRow) -> Result<bool, ServiceError> {
        let Some(mail) = render(cell, &row) else {
            tracing::warn!(tenant = %cell.id, kind = row.kind, "a mail of an unknown kind is left to newer nodes");
            return Ok(false);
        };
        let mut waiting = WaitingMail {
            mail: MailId::from_uuid(row.mail_id),
            kind: mail.kind,
            attempts: row.attempts,
            useful_until: Timestamp::from_millis(row.useful_until),
            version: row.version,
        };
        let decision = attempt(&waiting, self.environment.now());
        if !self.carry_out(cell, decision).await?.unwrap_or(false) {
            return Ok(true);
        }
        (waiting.attempts, waiting.version) = (waiting.attempts + 1, waiting.version + 1);
        let sent = tokio::time::timeout(PATIENCE, self.transport.send(&mail)).await;
        let outcome = match sent.unwrap_or_else(|_| Err(MailFailure::NotNow("no answer in time".to_owned())))
        {
            Ok(()) => Outcome::Sent,
            Err(MailFailure::NotNow(reason)) => {
                tracing::warn!(tenant = %cell.id, mail = %waiting.mail, attempt = waiting.attempts, reason, "mail not taken");
                Outcome::NotNow
            }
            Err(MailFailure::Never(reason)) => {
                tracing::warn!(tenant = %cell.id, mail = %waiting.mail, reason, "mail refused");
                Outcome::Never("refused")
            }
        };
        let mut jitter = [0; 4];
        self.environment.randomness().fill(&mut jitter);
        let decision = conclude(&waiting, outcome, self.environment.now(), u32::from_be_bytes(jitter));
        self.carry_out(cell, decision).await?;
        Ok(true)
    }

    /// `None` if another node was faster.
    async fn carry_out<R>(
        &self,
        cell: &TenantCell,
        decision: Decision<R>,
    ) -> Result<Option<R>, ServiceError> {
        let Decision { writes, events, reply } = decision;
        let unit = persist::unit(&cell.vault, writes, &events, Actor::System, self.environment.now());
        match self.ledger.append(cell.id, unit, Deadline::after(COMMIT_WAIT)).await? {
            Ok(_) => Ok(Some(reply)),
            Err(CommitError::Conflict(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds mail nobody woke this node for: of before its start, and of nodes that died.
    async fn look_for_forgotten(&self) {
        loop {
            if let Err(error) = self.look_at_every_outbox().await {
                tracing::warn!(%error, "the outboxes could not all be looked at");
            } else if !self.store.engine().is_shared() {
                return;
            }
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn look_at_every_outbox(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.tenants().list(after, PAGE).await?;
            for tenant in page.iter().filter(|tenant| tenant.state == TenantState::Active) {
                if let Some(at) = outbox::next(&**self.store.engine(), tenant.id).await? {
                    self.queue.wake_at(TenantId::from_uuid(tenant.id), Timestamp::from_millis(at));
                }
            }
            match page.last() {
                Some(last) => after = Some(last.id),
                None => return Ok(()),
            }
        }
    }
}
