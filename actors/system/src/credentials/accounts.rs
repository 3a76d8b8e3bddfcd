//! Service accounts: made, listed, changed and removed. What happens to one happens to its keys.

use super::ApiKeys;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::service_account::{self, ServiceAccount, ServiceAccountChange, UNKNOWN_SERVICE_ACCOUNT};
use plinto_domain::{ServiceAccountId, TenantId, Timestamp};
use plinto_storage::repositories::service_accounts::{self as rows, ServiceAccountRow};

/// A service account as those who administer it see it.
#[derive(Clone, Debug)]
pub struct ServiceAccountView {
    /// Which.
    pub id: ServiceAccountId,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether its keys are refused.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl From<ServiceAccountRow> for ServiceAccountView {
    fn from(row: ServiceAccountRow) -> Self {
        Self {
            id: ServiceAccountId::from_uuid(row.account_id),
            name: row.name,
            description: row.description,
            disabled: row.disabled,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        }
    }
}

impl ApiKeys {
    pub(crate) async fn create_account(
        &self,
        tenant: TenantId,
        name: DisplayName,
        description: Option<DisplayName>,
        actor: Actor,
    ) -> Result<ServiceAccountView, ServiceError> {
        let now = self.environment.now();
        let id = ServiceAccountId::generate(now, self.environment.randomness());
        let account = ServiceAccount { id, tenant, name, description, disabled: false, version: 1 };
        self.carry_out(service_account::create(account, now), actor, now).await?;
        self.account(tenant, id).await
    }

    pub(crate) async fn account(
        &self,
        tenant: TenantId,
        id: ServiceAccountId,
    ) -> Result<ServiceAccountView, ServiceError> {
        Ok(self.account_row(tenant, id).await?.into())
    }

    pub(crate) async fn accounts(
        &self,
        tenant: TenantId,
        after: Option<ServiceAccountId>,
        limit: u32,
    ) -> Result<Vec<ServiceAccountView>, ServiceError> {
        let after = after.map(ServiceAccountId::uuid);
        let rows = rows::list(self.engine(), tenant.uuid(), after, limit).await?;
        Ok(rows.into_iter().map(ServiceAccountView::from).collect())
    }

    pub(crate) async fn change_account(
        &self,
        tenant: TenantId,
        id: ServiceAccountId,
        wanted: ServiceAccountChange,
        precondition: &Precondition,
        actor: Actor,
    ) -> Result<ServiceAccountView, ServiceError> {
        let row = self.account_row(tenant, id).await?;
        let (now, created_at) = (self.environment.now(), Timestamp::from_millis(row.created_at));
        let decision = service_account::change(&to_domain(row)?, created_at, wanted, precondition, now)?;
        let changed = self.carry_out(decision, actor, now).await;
        self.reload().await?;
        changed?;
        self.account(tenant, id).await
    }

    pub(crate) async fn delete_account(
        &self,
        tenant: TenantId,
        id: ServiceAccountId,
        actor: Actor,
    ) -> Result<(), ServiceError> {
        let now = self.environment.now();
        let account = to_domain(self.account_row(tenant, id).await?)?;
        let deleted = self.carry_out(service_account::delete(&account, now), actor, now).await;
        self.reload().await?;
        deleted
    }

    async fn account_row(
        &self,
        tenant: TenantId,
        id: ServiceAccountId,
    ) -> Result<ServiceAccountRow, ServiceError> {
        let row = rows::get(self.engine(), tenant.uuid(), id.uuid()).await?;
        Ok(row.ok_or(UNKNOWN_SERVICE_ACCOUNT)?)
    }
}

fn to_domain(row: ServiceAccountRow) -> Result<ServiceAccount, ServiceError> {
    let damaged = |_| ServiceError::Damaged("name of a service account");
    Ok(ServiceAccount {
        id: ServiceAccountId::from_uuid(row.account_id),
        tenant: TenantId::from_uuid(row.tenant),
        name: DisplayName::parse("name", &row.name).map_err(damaged)?,
        description: row
            .description
            .as_deref()
            .map(|text| DisplayName::parse("description", text))
            .transpose()
            .map_err(damaged)?,
        disabled: row.disabled,
        version: row.version,
    })
}
