//! What users let OAuth clients have: listed and taken back, by them and by those who administer the tenant.

use super::super::Platform;
use super::super::work::Work;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{AuthorizationEnd, Client, UNKNOWN_APPLICATION, withdraw};
use plinto_domain::{ClientId, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::client_consents;
use std::sync::Arc;

/// An application that may do something for a user.
#[derive(Clone, Debug)]
pub struct ApplicationView {
    /// The client; none if it is gone.
    pub client: Option<Arc<Client>>,
    /// Its id.
    pub id: ClientId,
    /// What it may have.
    pub scopes: Vec<String>,
    /// When the user was first asked.
    pub created_at: Timestamp,
    /// When the user was last asked.
    pub given_at: Timestamp,
}

impl Platform {
    /// Applications of the user an access token speaks for, in order of id, after `after`, at most `limit`.
    pub async fn my_applications(
        &self,
        tenant: TenantId,
        token: &str,
        after: Option<ClientId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ApplicationView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.applications(user, after, limit).await
    }

    /// Takes back what the user an access token speaks for lets an application have.
    pub async fn withdraw_my_application(
        &self,
        tenant: TenantId,
        token: &str,
        client: ClientId,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.withdraw(user, client, AuthorizationEnd::ByUser, Actor::User(user)).await
    }

    /// The same for any user.
    pub async fn applications_of(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<ClientId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ApplicationView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.require_user(user).await?;
        work.applications(user, after, limit).await
    }

    /// The same for any user.
    pub async fn withdraw_application(
        &self,
        tenant: TenantId,
        user: UserId,
        client: ClientId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.require_user(user).await?;
        work.withdraw(user, client, AuthorizationEnd::ByOperator, actor).await
    }
}

impl Work {
    pub(in crate::platform) async fn applications(
        &self,
        user: UserId,
        after: Option<ClientId>,
        limit: u32,
    ) -> Result<Vec<ApplicationView>, ServiceError> {
        let (tenant, after) = (self.cell().id.uuid(), after.map(ClientId::uuid));
        let rows =
            self.read(|| client_consents::list(self.engine(), tenant, user.uuid(), after, limit)).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let consent = persist::authorizations::consent(user, &row)?;
            views.push(ApplicationView {
                client: self.known_client(consent.client).await?,
                id: consent.client,
                scopes: consent.scope.iter().map(str::to_owned).collect(),
                created_at: Timestamp::from_millis(row.created_at),
                given_at: consent.given_at,
            });
        }
        Ok(views)
    }

    async fn withdraw(
        &self,
        user: UserId,
        client: ClientId,
        by: AuthorizationEnd,
        actor: Actor,
    ) -> Result<(), ServiceError> {
        let consent = self.client_consent(user, client).await?.ok_or(UNKNOWN_APPLICATION)?;
        let now = self.now();
        match self.try_to_carry_out(withdraw(&consent, by, now), actor, now, |_| {}).await? {
            Err(CommitError::Conflict(_)) => Err(UNKNOWN_APPLICATION.into()),
            done => Ok(done?),
        }
    }
}
