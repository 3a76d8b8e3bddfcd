//! The version of the set of a tenant's roles: one row for a tenant, none before its first role.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

statements! {
    GET = "SELECT version FROM role_sets WHERE tenant_id = $1";
    CREATE = "INSERT INTO role_sets (tenant_id, version) VALUES ($1, $2)";
    ADVANCE = "UPDATE role_sets SET version = version + 1 WHERE tenant_id = $1 AND version = $2";
}

/// Version of the set where there is no row.
const NONE: i64 = 0;

/// Moves the set on from `expected_version`, 0 where there was none; otherwise the conflict `role_set_version`, or the
/// constraint [`super::constraint::ROLE_SET`].
pub fn advance(tenant: Uuid, expected_version: i64) -> Statement {
    if expected_version == NONE {
        return Statement::new(CREATE, vec![tenant.into(), (NONE + 1).into()]);
    }
    Statement::new(ADVANCE, vec![tenant.into(), expected_version.into()]).expecting(1, "role_set_version")
}

/// The version of the set; 0 where there is none.
pub async fn version(engine: &dyn Engine, tenant: Uuid) -> Result<i64, StorageError> {
    let rows = engine.read(Scope::of(tenant), Statement::new(GET, vec![tenant.into()])).await?;
    let row = rows.into_iter().next();
    row.map_or(Ok(NONE), |row| Columns::of("role_sets", row).int("version"))
}
