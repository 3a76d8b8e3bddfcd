use super::messages::{Appended, CommitError, LedgerMessage};
use super::state::LedgerState;
use crate::config::Limits;
use crate::mail::MailQueue;
use crate::tenant::{ConcernedUsers, UserStamps};
use plinto_domain::TenantId;
use plinto_runtime::{Activated, ActivationError, Admission, Context, Fault, Reply, VirtualActor};
use plinto_storage::repositories::outbox;
use plinto_storage::{Engine, Scope, Unit};
use std::sync::Arc;

/// How often the end of a transaction of several lets others run before the next begins. Callers who were just
/// answered, and write again at once, then come along; without it transactions of busy callers alternate between
/// nearly all of them and the one who was first to return. A turn costs about a microsecond where nobody is waiting,
/// a transaction hundreds.
const TURNS_TO_GATHER: u32 = 8;

/// One tenant's writer.
pub(crate) struct LedgerActor {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) limits: Limits,
    /// Told of tenants whose outbox got mail.
    pub(crate) mail: Arc<MailQueue>,
    /// Told of users who change.
    pub(crate) users: Arc<UserStamps>,
}

impl VirtualActor for LedgerActor {
    type Key = TenantId;
    type Message = LedgerMessage;
    type State = LedgerState;
    type Shared = ();
    const KIND: &'static str = "ledger";

    fn path(&self, tenant: &TenantId) -> String {
        format!("/tenants/{tenant}/ledger")
    }

    fn span(&self, tenant: &TenantId) -> tracing::Span {
        tracing::debug_span!("handle", tenant = %tenant, actor = %self.path(tenant), kind = Self::KIND)
    }

    fn admission(&self, _: &TenantId) -> Admission {
        Admission { in_flight: self.limits.ledger_in_flight, rate: None }
    }

    async fn activate(&self, _: &TenantId) -> Result<Activated<Self>, ActivationError> {
        Ok(Activated { state: LedgerState::new(self.limits.ledger_batch), shared: Arc::new(()) })
    }

    async fn handle(
        &self,
        cx: &mut Context<Self>,
        state: &mut LedgerState,
        message: LedgerMessage,
    ) -> Result<(), Fault> {
        match message {
            LedgerMessage::Append { unit, reply } => state.push(unit, reply),
            LedgerMessage::BatchDone { several } => {
                if state.ended(several) {
                    cx.spawn_then(gather());
                }
            }
            LedgerMessage::Gathered => state.gathered(),
        }
        if let Some((units, replies)) = state.next_batch() {
            let transaction = Transaction {
                engine: Arc::clone(&self.engine),
                tenant: *cx.key(),
                mail: has_mail(&units).then(|| Arc::clone(&self.mail)),
                concerned: ConcernedUsers::of(&units),
                users: Arc::clone(&self.users),
            };
            let several = units.len() > 1;
            cx.spawn_then(async move {
                // In a task of its own: it is told what became of a transaction that has begun, even if this actor dies.
                if let Err(ended) = tokio::spawn(transaction.commit(units, replies)).await
                    && let Ok(panic) = ended.try_into_panic()
                {
                    std::panic::resume_unwind(panic);
                }
                LedgerMessage::BatchDone { several }
            });
        }
        Ok(())
    }
}

fn has_mail(units: &[Unit]) -> bool {
    units.iter().flat_map(|unit| &unit.statements).any(outbox::is_insert)
}

async fn gather() -> LedgerMessage {
    for _ in 0..TURNS_TO_GATHER {
        tokio::task::yield_now().await;
    }
    LedgerMessage::Gathered
}

/// One durable transaction, and whom it has to be told to.
struct Transaction {
    engine: Arc<dyn Engine>,
    tenant: TenantId,
    /// Where there is mail among what is written.
    mail: Option<Arc<MailQueue>>,
    concerned: ConcernedUsers,
    users: Arc<UserStamps>,
}

impl Transaction {
    /// Every caller hears its own outcome, and only after the commit. Where the outcome is not known, what was to be
    /// written is looked at as if it had been.
    async fn commit(self, units: Vec<Unit>, replies: Vec<Reply<Appended>>) {
        let done = self.engine.commit(Scope::Tenant(self.tenant.uuid()), "ledger.append", units).await;
        self.users.changed(self.tenant, &self.concerned);
        match done {
            Ok(outcomes) => {
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    reply.send(outcome.map_err(CommitError::from));
                }
            }
            Err(error) => {
                tracing::error!(error = %error, "transaction failed");
                let error = Arc::new(error);
                for reply in replies {
                    reply.send(Err(CommitError::Storage(Arc::clone(&error))));
                }
            }
        }
        if let Some(mail) = self.mail {
            mail.wake(self.tenant);
        }
    }
}
