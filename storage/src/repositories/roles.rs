//! Roles of a tenant. Nothing of them is personal, so nothing is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "roles";

statements! {
    INSERT = "INSERT INTO roles (tenant_id, role_id, role_key, name, description, level, permissions, inherits, \
              created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIST = "SELECT role_id, role_key, name, description, level, permissions, inherits, created_at, updated_at, \
            version FROM roles WHERE tenant_id = $1 ORDER BY role_id";
    UPDATE = "UPDATE roles SET name = $2, description = $3, permissions = $4, inherits = $5, updated_at = $6, \
              version = version + 1 WHERE tenant_id = $1 AND role_id = $7 AND version = $8";
    DELETE = "DELETE FROM roles WHERE tenant_id = $1 AND role_id = $2 AND version = $3";
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRow {
    /// Its id.
    pub role_id: Uuid,
    /// Its name in programs; unique in the tenant.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `tenant` or `organization`.
    pub level: String,
    /// What it permits itself.
    pub permissions: Vec<String>,
    /// Keys of the roles it inherits from.
    pub inherits: Vec<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

fn list_text(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

/// Adds a role.
pub fn insert(tenant: Uuid, row: &RoleRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            tenant.into(),
            row.role_id.into(),
            row.key.as_str().into(),
            row.name.as_str().into(),
            row.description.as_str().into(),
            row.level.as_str().into(),
            list_text(&row.permissions).into(),
            list_text(&row.inherits).into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Stores what may change of a role whose version is still the row's; otherwise the conflict `role_version`.
pub fn update(tenant: Uuid, row: &RoleRow) -> Statement {
    Statement::new(
        UPDATE,
        vec![
            tenant.into(),
            row.name.as_str().into(),
            row.description.as_str().into(),
            list_text(&row.permissions).into(),
            list_text(&row.inherits).into(),
            row.updated_at.into(),
            row.role_id.into(),
            row.version.into(),
        ],
    )
    .expecting(1, "role_version")
}

/// Removes a role whose version is still `expected_version`; otherwise the conflict `role_version`. A role that is
/// granted cannot be removed: the engine refuses the statement.
pub fn delete(tenant: Uuid, role_id: Uuid, expected_version: i64) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), role_id.into(), expected_version.into()])
        .expecting(1, "role_version")
}

/// Every role of the tenant, in order of id.
pub async fn list(engine: &dyn Engine, tenant: Uuid) -> Result<Vec<RoleRow>, StorageError> {
    let rows = engine.read(Scope::of(tenant), Statement::new(LIST, vec![tenant.into()])).await?;
    rows.into_iter().map(decode).collect()
}

fn decode(row: Row) -> Result<RoleRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    Ok(RoleRow {
        role_id: columns.uuid("role_id")?,
        key: columns.text("role_key")?,
        name: columns.text("name")?,
        description: columns.text("description")?,
        level: columns.text("level")?,
        permissions: columns.json("permissions")?,
        inherits: columns.json("inherits")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
