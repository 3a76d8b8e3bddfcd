//! Service accounts, as a tenant's services and operators administer them.

use super::{Platform, to_the_end, within};
use crate::credentials::ServiceAccountView;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::service_account::ServiceAccountChange;
use plinto_domain::{ServiceAccountId, TenantId};
use plinto_runtime::Deadline;

impl Platform {
    /// Makes a service account.
    pub async fn create_service_account(
        &self,
        tenant: TenantId,
        name: DisplayName,
        description: Option<DisplayName>,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ServiceAccountView, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        within(deadline, self.0.keys.create_account(tenant, name, description, actor)).await
    }

    /// One service account.
    pub async fn service_account(
        &self,
        tenant: TenantId,
        account: ServiceAccountId,
        deadline: Deadline,
    ) -> Result<ServiceAccountView, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        within(deadline, self.0.keys.account(tenant, account)).await
    }

    /// Service accounts in the order of their ids, after `after`, at most `limit`.
    pub async fn service_accounts(
        &self,
        tenant: TenantId,
        after: Option<ServiceAccountId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ServiceAccountView>, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        within(deadline, self.0.keys.accounts(tenant, after, limit)).await
    }

    /// Changes a service account, if its version is one the precondition admits. Disabling it disables its keys, on
    /// every node.
    pub async fn change_service_account(
        &self,
        tenant: TenantId,
        account: ServiceAccountId,
        wanted: ServiceAccountChange,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ServiceAccountView, ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        let platform = self.clone();
        to_the_end(async move {
            platform.0.keys.change_account(tenant, account, wanted, &precondition, actor).await
        })
        .await
    }

    /// Removes a service account and withdraws its keys, on every node.
    pub async fn delete_service_account(
        &self,
        tenant: TenantId,
        account: ServiceAccountId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let _work = self.work(tenant, deadline).await?;
        let platform = self.clone();
        to_the_end(async move { platform.0.keys.delete_account(tenant, account, actor).await }).await
    }
}
