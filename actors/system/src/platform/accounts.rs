//! Accounts: signing up, signing in, what a user sees.

use super::{Platform, UserView};
use crate::error::ServiceError;
use crate::tenant::{ClientContext, SignInRequest, SignUpRequest, SignedIn};
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::precondition::Precondition;
use plinto_domain::sign_in::{EnteredName, SignIn};
use plinto_domain::user::profile::UserChange;
use plinto_runtime::Deadline;
use std::sync::Arc;
use zeroize::Zeroizing;

impl Platform {
    /// Creates an account; says nothing about whether the address had one.
    pub async fn sign_up(
        &self,
        tenant: TenantId,
        email: String,
        password: Zeroizing<String>,
        name: Option<String>,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let request = SignUpRequest { email, password, name, client };
        self.0.tenants.sign_up(tenant, request, deadline).await
    }

    /// Signs somebody in.
    pub async fn sign_in<'t>(
        &self,
        tenant: TenantId,
        name: impl Into<EnteredName<'t>>,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        self.sign_in_to(tenant, None, name, password, client, deadline).await
    }

    /// Signs somebody in to an organization, named by id or slug, if its policy is met. Whoever knows the password and
    /// does not belong to it hears the same as if there were none.
    pub async fn sign_in_to<'t>(
        &self,
        tenant: TenantId,
        organization: Option<&str>,
        name: impl Into<EnteredName<'t>>,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let sign_in = SignIn::parse(name.into(), password, organization)?;
        self.0.tenants.sign_in(tenant, SignInRequest { sign_in, client }, deadline).await
    }

    /// The user an access token speaks for.
    pub async fn me(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<Arc<UserView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        let gone = ServiceError::InvalidToken { reason: "unknown_subject" };
        work.find_user_view(user).await?.ok_or(gone)
    }

    /// Changes what users may change of themselves.
    pub async fn change_me(
        &self,
        tenant: TenantId,
        token: &str,
        wanted: &UserChange,
        precondition: &Precondition,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.change_user(user, wanted, precondition, Actor::User(user)).await
    }
}
