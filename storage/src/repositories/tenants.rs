//! The register of tenants (platform). Name and settings are sealed under the platform's keys.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "tenants";

statements! {
    INSERT = "INSERT INTO tenants (tenant_id, slug, name, settings, state, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, 'active', $5, $5, 1)";
    GET = "SELECT tenant_id, slug, name, settings, state, created_at, updated_at, version \
           FROM tenants WHERE tenant_id = $1 AND state = 'active'";
    BY_SLUG = "SELECT tenant_id, slug, name, settings, state, created_at, updated_at, version \
               FROM tenants WHERE slug = $1 AND state = 'active'";
    LIST = "SELECT tenant_id, slug, name, settings, state, created_at, updated_at, version \
            FROM tenants WHERE tenant_id > $1 AND state = 'active' ORDER BY tenant_id LIMIT $2";
    UPDATE = "UPDATE tenants SET name = $1, settings = $2, updated_at = $3, version = version + 1 \
              WHERE tenant_id = $4 AND state = 'active' AND version = $5";
    MARK_DELETED = "UPDATE tenants SET state = 'deleted', name = NULL, settings = NULL, updated_at = $1, \
                    version = version + 1 WHERE tenant_id = $2 AND state = 'active'";
    TOUCH = "UPDATE tenants SET updated_at = $1, version = version + 1 \
             WHERE tenant_id = $2 AND state = 'active'";
    WITHDRAW = "DELETE FROM tenants WHERE tenant_id = $1";
    ACTIVE = "SELECT tenant_id FROM tenants WHERE state = 'active' ORDER BY tenant_id";
    REGISTER = "SELECT tenant_id, slug FROM tenants WHERE state = 'active' ORDER BY tenant_id";
    DELETED = "SELECT tenant_id FROM tenants WHERE state = 'deleted' ORDER BY tenant_id";
}

/// Whether a tenant is served.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TenantState {
    /// It has keys and storage.
    Active,
    /// Its keys are destroyed; readers never return such a row.
    Deleted,
}

impl TenantState {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantRow {
    /// Its id.
    pub id: Uuid,
    /// Unique name in URLs.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Configuration, understood by the domain.
    pub settings: serde_json::Value,
    /// Whether it is served.
    pub state: TenantState,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change; starts at 1.
    pub version: i64,
}

pub(crate) fn insert(
    vault: &TenantVault,
    id: Uuid,
    slug: &str,
    name: &str,
    settings: &serde_json::Value,
    at: i64,
) -> Statement {
    let (name, settings) = sealed(vault, id, name, settings);
    Statement::new(INSERT, vec![id.into(), slug.into(), name.into(), settings.into(), at.into()])
}

pub(crate) fn update(
    vault: &TenantVault,
    id: Uuid,
    name: &str,
    settings: &serde_json::Value,
    at: i64,
    expected_version: i64,
) -> Statement {
    let (name, settings) = sealed(vault, id, name, settings);
    Statement::new(UPDATE, vec![name.into(), settings.into(), at.into(), id.into(), expected_version.into()])
        .expecting(1, "tenant_version")
}

pub(crate) fn sealed(
    vault: &TenantVault,
    id: Uuid,
    name: &str,
    settings: &serde_json::Value,
) -> (Vec<u8>, Vec<u8>) {
    let row = id.as_bytes();
    (
        vault.seal(TABLE, row, "name", name.as_bytes()),
        vault.seal(TABLE, row, "settings", settings.to_string().as_bytes()),
    )
}

/// Removes a row that was written in the same transaction: one that was ever committed stays, so that no id is used twice.
pub(crate) fn withdraw(id: Uuid) -> Statement {
    Statement::new(WITHDRAW, vec![id.into()]).expecting(1, "tenant_state")
}

pub(crate) fn mark_deleted(id: Uuid, at: i64) -> Statement {
    Statement::new(MARK_DELETED, vec![at.into(), id.into()]).expecting(1, "tenant_state")
}

pub(crate) fn touch(id: Uuid, at: i64) -> Statement {
    Statement::new(TOUCH, vec![at.into(), id.into()]).expecting(1, "tenant_state")
}

pub(crate) async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    id: Uuid,
) -> Result<Option<TenantRow>, StorageError> {
    one(engine, vault, Statement::new(GET, vec![id.into()])).await
}

pub(crate) async fn by_slug(
    engine: &dyn Engine,
    vault: &TenantVault,
    slug: &str,
) -> Result<Option<TenantRow>, StorageError> {
    // No stored slug holds a nul byte, and the engines refuse one as a parameter.
    if slug.contains('\0') {
        return Ok(None);
    }
    one(engine, vault, Statement::new(BY_SLUG, vec![slug.into()])).await
}

async fn one(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Option<TenantRow>, StorageError> {
    let rows = engine.read(Scope::Platform, statement).await?;
    rows.into_iter().next().map(|row| decode(vault, row)).transpose()
}

pub(crate) async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<TenantRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let rows = engine.read(Scope::Platform, Statement::new(LIST, vec![after.into(), limit.into()])).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

/// Ids and slugs of all tenants that are served, in order of id. Needs no keys.
pub async fn registered(engine: &dyn Engine) -> Result<Vec<(Uuid, String)>, StorageError> {
    let rows = engine.read(Scope::Platform, register()).await?;
    rows.into_iter().map(id_and_slug).collect()
}

/// Ids of all tenants that are served; one [`id`] a row.
pub(crate) fn active() -> Statement {
    Statement::new(ACTIVE, vec![])
}

/// Ids and slugs of all tenants that are served; one [`id_and_slug`] a row.
pub(crate) fn register() -> Statement {
    Statement::new(REGISTER, vec![])
}

pub(crate) fn id_and_slug(row: Row) -> Result<(Uuid, String), StorageError> {
    let mut columns = Columns::of(TABLE, row);
    Ok((columns.uuid("tenant_id")?, columns.text("slug")?))
}

pub(crate) fn id(row: Row) -> Result<Uuid, StorageError> {
    Columns::of(TABLE, row).uuid("tenant_id")
}

pub(crate) async fn deleted(engine: &dyn Engine) -> Result<Vec<Uuid>, StorageError> {
    let rows = engine.read(Scope::Platform, Statement::new(DELETED, vec![])).await?;
    rows.into_iter().map(id).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<TenantRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let id = columns.uuid("tenant_id")?;
    let slug = columns.text("slug")?;
    let name = columns.sealed_text(vault, id.as_bytes(), "name")?;
    let settings = columns.sealed(vault, id.as_bytes(), "settings")?;
    Ok(TenantRow {
        id,
        slug,
        name,
        settings: serde_json::from_slice(&settings).map_err(|_| StorageError::decode("tenants.settings"))?,
        state: columns.named("state", TenantState::parse)?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
