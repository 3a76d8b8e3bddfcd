//! Versions of a tenant's policies, and which of them is active. What they are made of is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement, Value};
use crate::error::StorageError;
use crate::vault::TenantVault;

const SETS: &str = "policy_sets";
const VERSIONS: &str = "policy_versions";

statements! {
    GET_SET = "SELECT latest, active, activations, updated_at, version FROM policy_sets WHERE tenant_id = $1";
    CREATE_SET = "INSERT INTO policy_sets (tenant_id, latest, active, activations, updated_at, version) \
                  VALUES ($1, $2, $3, $4, $5, $6)";
    UPDATE_SET = "UPDATE policy_sets SET latest = $2, active = $3, activations = $4, updated_at = $5, \
                  version = version + 1 WHERE tenant_id = $1 AND version = $6";
    INSERT = "INSERT INTO policy_versions (tenant_id, number, source, note, policies, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6)";
    GET = "SELECT number, source, note, policies, created_at FROM policy_versions \
           WHERE tenant_id = $1 AND number = $2";
    LIST = "SELECT number, note, policies, created_at FROM policy_versions \
            WHERE tenant_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    DELETE = "DELETE FROM policy_versions WHERE tenant_id = $1 AND number = $2";
}

/// Version of the set where there is no row.
const NONE: i64 = 0;

/// The policies of a tenant as a whole; all zero where there never were any.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct PolicySetRow {
    /// Number of the newest version there ever was.
    pub latest: i64,
    /// Number of the active one.
    pub active: Option<i64>,
    /// How often another one became active.
    pub activations: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

/// A version without what it is made of.
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyVersionRow {
    /// Its number in the tenant.
    pub number: i64,
    /// What it is for; sealed at rest.
    pub note: String,
    /// How many policies it has.
    pub policies: i64,
    /// Unix milliseconds.
    pub created_at: i64,
}

impl std::fmt::Debug for PolicyVersionRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PolicyVersionRow").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Stores the set if its version is still the row's, 0 where there was none; otherwise the conflict
/// `policy_set_version`, or the constraint [`super::constraint::POLICY_SET`].
pub fn store_set(tenant: Uuid, row: &PolicySetRow) -> Statement {
    let active = row.active.map_or(Value::Null, Value::from);
    let mut params =
        vec![tenant.into(), row.latest.into(), active, row.activations.into(), row.updated_at.into()];
    if row.version == NONE {
        params.push((NONE + 1).into());
        return Statement::new(CREATE_SET, params);
    }
    params.push(row.version.into());
    Statement::new(UPDATE_SET, params).expecting(1, "policy_set_version")
}

/// The set.
pub async fn set(engine: &dyn Engine, tenant: Uuid) -> Result<PolicySetRow, StorageError> {
    let rows = engine.read(Scope::of(tenant), Statement::new(GET_SET, vec![tenant.into()])).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(PolicySetRow::default()) };
    let mut columns = Columns::of(SETS, row);
    Ok(PolicySetRow {
        latest: columns.int("latest")?,
        active: columns.maybe_int("active")?,
        activations: columns.int("activations")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}

fn bound(number: i64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Adds a version with its source.
pub fn insert(vault: &TenantVault, row: &PolicyVersionRow, source: &str) -> Statement {
    let sealed = |column, text: &str| vault.seal(VERSIONS, &bound(row.number), column, text.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.number.into(),
            sealed("source", source).into(),
            sealed("note", &row.note).into(),
            row.policies.into(),
            row.created_at.into(),
        ],
    )
}

/// Removes a version that is there; otherwise the conflict `policy_version`.
pub fn delete(tenant: Uuid, number: i64) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), number.into()]).expecting(1, "policy_version")
}

/// One version with its source.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    number: i64,
) -> Result<Option<(PolicyVersionRow, String)>, StorageError> {
    let params = vec![vault.tenant().into(), number.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(GET, params)).await?;
    let decoded = rows.into_iter().next().map(|row| {
        let mut columns = Columns::of(VERSIONS, row);
        let number = columns.int("number")?;
        let source = columns.sealed_text(vault, &bound(number), "source")?;
        Ok((decode(vault, &mut columns, number)?, source))
    });
    decoded.transpose()
}

/// Versions without their sources, the newest first, before the number `before`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<PolicyVersionRow>, StorageError> {
    let params = vec![vault.tenant().into(), before.unwrap_or(i64::MAX).into(), limit.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST, params)).await?;
    let decoded = rows.into_iter().map(|row: Row| {
        let mut columns = Columns::of(VERSIONS, row);
        let number = columns.int("number")?;
        decode(vault, &mut columns, number)
    });
    decoded.collect()
}

fn decode(vault: &TenantVault, columns: &mut Columns, number: i64) -> Result<PolicyVersionRow, StorageError> {
    Ok(PolicyVersionRow {
        number,
        note: columns.sealed_text(vault, &bound(number), "note")?,
        policies: columns.int("policies")?,
        created_at: columns.int("created_at")?,
    })
}
