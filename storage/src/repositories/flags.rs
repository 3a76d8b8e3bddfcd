//! Feature flags of a tenant. The definition is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "flags";

statements! {
    INSERT = "INSERT INTO flags (tenant_id, flag_key, definition, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6)";
    LIST = "SELECT flag_key, definition, created_at, updated_at, version FROM flags \
            WHERE tenant_id = $1 AND flag_key > $2 ORDER BY flag_key LIMIT $3";
    UPDATE = "UPDATE flags SET definition = $2, updated_at = $3, version = version + 1 \
              WHERE tenant_id = $1 AND flag_key = $4 AND version = $5";
    DELETE = "DELETE FROM flags WHERE tenant_id = $1 AND flag_key = $2 AND version = $3";
}

/// A flag.
#[derive(Clone, PartialEq, Eq)]
pub struct FlagRow {
    /// Its name in programs; unique in the tenant.
    pub key: String,
    /// What it is, as JSON; sealed at rest.
    pub definition: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for FlagRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FlagRow")
            .field("key", &self.key)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn sealed(vault: &TenantVault, row: &FlagRow) -> Vec<u8> {
    vault.seal(TABLE, row.key.as_bytes(), "definition", row.definition.as_bytes())
}

/// Adds a flag.
pub fn insert(vault: &TenantVault, row: &FlagRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.key.as_str().into(),
            sealed(vault, row).into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Stores the definition of a flag whose version is still the row's; otherwise the conflict `flag_version`.
pub fn update(vault: &TenantVault, row: &FlagRow) -> Statement {
    Statement::new(
        UPDATE,
        vec![
            vault.tenant().into(),
            sealed(vault, row).into(),
            row.updated_at.into(),
            row.key.as_str().into(),
            row.version.into(),
        ],
    )
    .expecting(1, "flag_version")
}

/// Removes a flag whose version is still `expected_version`; otherwise the conflict `flag_version`.
pub fn delete(tenant: Uuid, key: &str, expected_version: i64) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), key.into(), expected_version.into()])
        .expecting(1, "flag_version")
}

/// Flags in order of key, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<FlagRow>, StorageError> {
    let params = vec![vault.tenant().into(), after.unwrap_or_default().into(), limit.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST, params)).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<FlagRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let key = columns.text("flag_key")?;
    Ok(FlagRow {
        definition: columns.sealed_text(vault, key.as_bytes(), "definition")?,
        key,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
