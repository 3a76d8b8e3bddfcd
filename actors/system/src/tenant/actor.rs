use super::AttemptLimits;
use super::activation::load;
use super::cell::TenantCell;
use super::flows;
use super::known_users::UserStamps;
use super::messages::TenantMessage;
use crate::config::PlatformConfig;
use crate::environment::Environment;
use crate::ledger::LedgerHandle;
use crate::metadata_rules::MetadataChecker;
use crate::nodes::{Lessor, Watch};
use crate::passwords::PasswordHasher;
use crate::sealed_rows::SealedRows;
use crate::session::SessionEnds;
use plinto_domain::TenantId;
use plinto_runtime::{Activated, ActivationError, Admission, Allowance, Context, Fault, Rate, VirtualActor};
use plinto_storage::Store;
use std::sync::Arc;

/// One tenant. Its handler only dispatches: every flow runs in a task the actor owns, so a slow one holds up nobody,
/// and the permit that admitted it is held until the reply.
pub(crate) struct TenantActor {
    pub(crate) store: Arc<Store>,
    pub(crate) rows: Arc<SealedRows>,
    pub(crate) config: PlatformConfig,
    pub(crate) environment: Environment,
    pub(crate) hasher: PasswordHasher,
    pub(crate) metadata: MetadataChecker,
    pub(crate) ledger: LedgerHandle,
    pub(crate) attempts: Arc<AttemptLimits>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) ends: SessionEnds,
    pub(crate) user_stamps: Arc<UserStamps>,
    /// Where several nodes share the tenant's rate.
    pub(crate) lessor: Option<Arc<Lessor>>,
}

/// What a tenant's actor remembers between messages.
pub(crate) struct TenantState {
    services: Arc<flows::Services>,
}

impl VirtualActor for TenantActor {
    type Key = TenantId;
    type Message = TenantMessage;
    type State = TenantState;
    type Shared = TenantCell;
    const KIND: &'static str = "tenant";

    fn path(&self, tenant: &TenantId) -> String {
        format!("/tenants/{tenant}")
    }

    fn span(&self, tenant: &TenantId) -> tracing::Span {
        tracing::debug_span!("handle", tenant = %tenant, actor = %self.path(tenant), kind = Self::KIND)
    }

    fn admission(&self, _: &TenantId) -> Admission {
        Admission { in_flight: self.config.limits.tenant_in_flight, rate: Some(self.rate()) }
    }

    fn allowance(&self, tenant: &TenantId) -> Option<Arc<dyn Allowance>> {
        self.lessor.as_ref().map(|lessor| lessor.of_tenant(tenant.uuid(), self.rate()))
    }

    fn weight(&self, state: &TenantState) -> usize {
        let TenantCell { verified, rights, outcomes, users, clients, .. } = &*state.services.cell;
        let rights = rights.bytes() + outcomes.bytes();
        size_of::<TenantCell>() + verified.bytes() + rights + users.bytes() + clients.bytes()
    }

    async fn activate(&self, tenant: &TenantId) -> Result<Activated<Self>, ActivationError> {
        let read = || load(&self.store, &self.config, &self.environment, &self.user_stamps, *tenant);
        match self.watch.reading(tenant.uuid(), read).await {
            Ok(Some(cell)) => {
                let cell = Arc::new(cell);
                let services = Arc::new(flows::Services {
                    cell: Arc::clone(&cell),
                    engine: Arc::clone(self.store.engine()),
                    rows: Arc::clone(&self.rows),
                    environment: self.environment.clone(),
                    hasher: self.hasher.clone(),
                    metadata: self.metadata.clone(),
                    ledger: self.ledger.clone(),
                    attempts: Arc::clone(&self.attempts),
                    ends: self.ends.clone(),
                });
                Ok(Activated { state: TenantState { services }, shared: cell })
            }
            Ok(None) => Err(ActivationError::NotFound),
            Err(error) => Err(error.in_activation()),
        }
    }

    async fn handle(
        &self,
        cx: &mut Context<Self>,
        state: &mut TenantState,
        message: TenantMessage,
    ) -> Result<(), Fault> {
        let services = Arc::clone(&state.services);
        let deadline = cx.deadline();
        match message {
            TenantMessage::SignUp { request, mut reply } => {
                cx.spawn(async move {
                    let signed_up = flows::sign_up(&services, *request, deadline, &mut reply).await;
                    reply.send(signed_up);
                });
            }
            TenantMessage::CreateUser { request, actor, mut reply } => {
                cx.spawn(async move {
                    let created = flows::create_user(&services, *request, actor, deadline, &mut reply).await;
                    reply.send(created);
                });
            }
            TenantMessage::SignIn { request, reply } => {
                cx.spawn(async move { flows::sign_in(&services, *request, deadline, reply).await });
            }
            TenantMessage::SignInByMail { request, reply } => {
                cx.spawn(async move { flows::sign_in_by_mail(&services, *request, deadline, reply).await });
            }
            TenantMessage::CheckPassword { request, reply } => {
                cx.spawn(async move { flows::check_password(&services, *request, deadline, reply).await });
            }
            TenantMessage::EndSessions { request, reply } => {
                cx.spawn(async move { reply.send(flows::end_sessions(&services, request, deadline).await) });
            }
        }
        Ok(())
    }
}

impl TenantActor {
    fn rate(&self) -> Rate {
        Rate::new(self.config.limits.tenant_per_second, self.config.limits.tenant_burst)
    }
}
