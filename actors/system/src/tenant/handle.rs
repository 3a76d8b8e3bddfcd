use super::actor::TenantActor;
use super::cell::TenantCell;
use super::messages::{
    CheckPassword, CreateUserRequest, EndSessions, SignInByMailRequest, SignInRequest, SignUpRequest,
    SignedIn, TenantMessage,
};
use crate::budgets::charge_tenant;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::{TenantId, UserId};
use plinto_runtime::{Budget, Deadline, Directory, Entered, Refusal};
use std::sync::Arc;

/// Talks to tenants.
#[derive(Clone)]
pub(crate) struct TenantHandle {
    directory: Directory<TenantActor>,
}

fn unknown(refusal: Refusal) -> ServiceError {
    match refusal {
        Refusal::NotFound => ServiceError::UnknownTenant,
        other => ServiceError::Refused(other),
    }
}

impl TenantHandle {
    pub(crate) fn new(directory: Directory<TenantActor>) -> Self {
        Self { directory }
    }

    /// Passes the tenant's limiter and takes one of its permits; what follows counts as the tenant's work.
    pub(crate) async fn enter(
        &self,
        id: TenantId,
        deadline: Deadline,
    ) -> Result<Entered<TenantActor>, ServiceError> {
        charge_tenant(id);
        self.directory.enter(&id, deadline).await.map_err(unknown)
    }

    /// What is left of the tenant's rate limit.
    pub(crate) fn budget(&self, id: &TenantId) -> Option<Budget> {
        self.directory.budget(id)
    }

    /// The tenant's shared picture, without counting as its work.
    pub(crate) async fn cell(
        &self,
        id: TenantId,
        deadline: Deadline,
    ) -> Result<Arc<TenantCell>, ServiceError> {
        self.directory.shared(&id, deadline).await.map_err(unknown)
    }

    pub(crate) async fn sign_up(
        &self,
        id: TenantId,
        request: SignUpRequest,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let request = Box::new(request);
        let make = |reply| TenantMessage::SignUp { request, reply };
        self.directory.call(&id, deadline, make).await.map_err(unknown)?
    }

    pub(crate) async fn create_user(
        &self,
        id: TenantId,
        request: CreateUserRequest,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let request = Box::new(request);
        charge_tenant(id);
        let make = |reply| TenantMessage::CreateUser { request, actor, reply };
        self.directory.call(&id, deadline, make).await.map_err(unknown)?
    }

    pub(crate) async fn sign_in(
        &self,
        id: TenantId,
        request: SignInRequest,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let request = Box::new(request);
        let make = |reply| TenantMessage::SignIn { request, reply };
        self.directory.call(&id, deadline, make).await.map_err(unknown)?
    }

    pub(crate) async fn sign_in_by_mail(
        &self,
        id: TenantId,
        request: SignInByMailRequest,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let request = Box::new(request);
        let make = |reply| TenantMessage::SignInByMail { request, reply };
        self.directory.call(&id, deadline, make).await.map_err(unknown)?
    }

    /// Whether this is the password of a user.
    pub(crate) async fn check_password(
        &self,
        id: TenantId,
        request: CheckPassword,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let request = Box::new(request);
        let make = |reply| TenantMessage::CheckPassword { request, reply };
        self.directory.call(&id, deadline, make).await.map_err(unknown)?
    }

    /// Not rate limited: an attacker must not be able to delay a sign-out.
    pub(crate) async fn end_sessions(
        &self,
        id: TenantId,
        request: EndSessions,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let make = |reply| TenantMessage::EndSessions { request, reply };
        self.directory.call_unlimited(&id, deadline, make).await.map_err(unknown)?
    }

    /// Tenants that live on this node.
    pub(crate) fn resident(&self) -> Vec<TenantId> {
        self.directory.resident_keys()
    }

    /// Drains the tenant's actor; the next request activates it afresh.
    pub(crate) async fn drain(&self, id: TenantId) {
        self.directory.passivate(&id).await;
    }
}
