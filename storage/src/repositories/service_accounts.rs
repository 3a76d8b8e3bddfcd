//! Services of tenants, to which API keys belong (platform).

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "service_accounts";

statements! {
    INSERT = "INSERT INTO service_accounts (account_id, tenant_id, name, description, disabled, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    GET = "SELECT account_id, tenant_id, name, description, disabled, created_at, updated_at, version \
           FROM service_accounts WHERE tenant_id = $1 AND account_id = $2";
    LIST = "SELECT account_id, tenant_id, name, description, disabled, created_at, updated_at, version \
            FROM service_accounts WHERE tenant_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $3";
    UPDATE = "UPDATE service_accounts SET name = $1, description = $2, disabled = $3, updated_at = $4, version = version + 1 \
              WHERE account_id = $5 AND version = $6";
    REQUIRE = "UPDATE service_accounts SET version = version WHERE tenant_id = $1 AND account_id = $2";
    REMOVE = "DELETE FROM service_accounts WHERE account_id = $1 AND version = $2";
    REMOVE_OF_TENANT = "DELETE FROM service_accounts WHERE tenant_id = $1";
}

/// A tenant's service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountRow {
    /// Its id.
    pub account_id: Uuid,
    /// Whose it is.
    pub tenant: Uuid,
    /// Name for people.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether its keys are refused.
    pub disabled: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

/// Adds an account.
pub fn insert(row: &ServiceAccountRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            row.account_id.into(),
            row.tenant.into(),
            row.name.as_str().into(),
            row.description.as_deref().into(),
            row.disabled.into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Changes an account whose version is still that of the row; otherwise the conflict `service_account_version`.
pub fn update(row: &ServiceAccountRow) -> Statement {
    let values = vec![
        row.name.as_str().into(),
        row.description.as_deref().into(),
        row.disabled.into(),
        row.updated_at.into(),
        row.account_id.into(),
        row.version.into(),
    ];
    Statement::new(UPDATE, values).expecting(1, "service_account_version")
}

/// Sees that a tenant has this account when the unit commits; otherwise the conflict `service_account_state`.
pub fn require(tenant: Uuid, account: Uuid) -> Statement {
    Statement::new(REQUIRE, vec![tenant.into(), account.into()]).expecting(1, "service_account_state")
}

/// Removes an account whose version is still this one; otherwise the conflict `service_account_version`.
pub fn remove(account: Uuid, expected_version: i64) -> Statement {
    Statement::new(REMOVE, vec![account.into(), expected_version.into()])
        .expecting(1, "service_account_version")
}

pub(crate) fn remove_of_tenant(tenant: Uuid) -> Statement {
    Statement::new(REMOVE_OF_TENANT, vec![tenant.into()])
}

/// One account of a tenant.
pub async fn get(
    engine: &dyn Engine,
    tenant: Uuid,
    account: Uuid,
) -> Result<Option<ServiceAccountRow>, StorageError> {
    Ok(read(engine, Statement::new(GET, vec![tenant.into(), account.into()])).await?.into_iter().next())
}

/// Accounts of a tenant in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    tenant: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ServiceAccountRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    read(engine, Statement::new(LIST, vec![tenant.into(), after.into(), limit.into()])).await
}

async fn read(engine: &dyn Engine, statement: Statement) -> Result<Vec<ServiceAccountRow>, StorageError> {
    let rows = engine.read(Scope::Platform, statement).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of(TABLE, row);
            Ok(ServiceAccountRow {
                account_id: columns.uuid("account_id")?,
                tenant: columns.uuid("tenant_id")?,
                name: columns.text("name")?,
                description: columns.maybe_text("description")?,
                disabled: columns.int("disabled")? != 0,
                created_at: columns.int("created_at")?,
                updated_at: columns.int("updated_at")?,
                version: columns.int("version")?,
            })
        })
        .collect()
}
