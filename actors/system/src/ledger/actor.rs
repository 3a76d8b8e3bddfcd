use super::messages::{Appended, CommitError, LedgerMessage};
use super::state::LedgerState;
use crate::config::Limits;
use crate::mail::MailQueue;
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
        Ok(Activated { state: LedgerState::default(), shared: Arc::new(()) })
    }

    async fn handle(
        &self,
        cx: &mut Context<Self>,
        state: &mut LedgerState,
        message: LedgerMessage,
    ) -> Result<(), Fault> {
        match message {
            LedgerMessage::Append { unit, reply } => state.push(unit, reply),
            LedgerMessage::BatchDone => state.batch_done(),
        }
        if let Some((units, replies)) = state.next_batch(self.limits.ledger_batch) {
            let engine = Arc::clone(&self.engine);
            let tenant = *cx.key();
            let mail = has_mail(&units).then(|| Arc::clone(&self.mail));
            cx.spawn_then(async move {
                let several = units.len() > 1;
                commit(&*engine, Scope::Tenant(tenant.uuid()), units, replies).await;
                // Also where the outcome is not known: it is looked whether there is mail.
                if let Some(mail) = mail {
                    mail.wake(tenant);
                }
                if several {
                    gather().await;
                }
                LedgerMessage::BatchDone
            });
        }
        Ok(())
    }
}

fn has_mail(units: &[Unit]) -> bool {
    units.iter().flat_map(|unit| &unit.statements).any(outbox::is_insert)
}

async fn gather() {
    for _ in 0..TURNS_TO_GATHER {
        tokio::task::yield_now().await;
    }
}

/// One durable transaction; every caller hears its own outcome, and only after the commit.
async fn commit(engine: &dyn Engine, scope: Scope, units: Vec<Unit>, replies: Vec<Reply<Appended>>) {
    match engine.commit(scope, "ledger.append", units).await {
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
}
