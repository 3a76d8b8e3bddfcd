//! Accounts: signing up, signing in, what a user sees.

use super::{Platform, UserView};
use crate::error::ServiceError;
use crate::tenant::{ClientContext, SignInRequest, SignUpRequest, SignedIn};
use plinto_domain::audit::Actor;
use plinto_domain::sign_in::SignIn;
use plinto_domain::{TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::{user_emails, users};
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

    /// Creates an account on an operator's word, who is told if the address has one.
    pub async fn create_user(
        &self,
        tenant: TenantId,
        email: String,
        password: Zeroizing<String>,
        name: Option<String>,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let request = SignUpRequest { email, password, name, client: ClientContext::default() };
        self.0.tenants.create_user(tenant, request, actor, deadline).await
    }

    /// Signs somebody in.
    pub async fn sign_in(
        &self,
        tenant: TenantId,
        email: &str,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let request = SignInRequest { sign_in: SignIn::parse(email, password)?, client };
        self.0.tenants.sign_in(tenant, request, deadline).await
    }

    /// The user an access token speaks for.
    pub async fn me(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let entered = self.0.tenants.enter(tenant, deadline).await?;
        let cell = &entered.shared;
        let verified = self.authorize(cell, token, deadline).await?;
        let gone = ServiceError::InvalidToken { reason: "unknown_subject" };
        let engine = self.0.store.engine();
        let read = || users::get(&**engine, &cell.vault, verified.user.uuid());
        let user = self.0.rows.read(tenant, read).await?.ok_or(gone)?;
        let list = || user_emails::list_for_user(&**engine, &cell.vault, verified.user.uuid());
        let emails = self.0.rows.read(tenant, list).await?;
        Ok(UserView::of(user, emails.into_iter().find(|email| email.is_primary)))
    }
}
