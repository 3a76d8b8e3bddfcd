//! Members of organizations, with their roles.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "organization_members";

statements! {
    INSERT = "INSERT INTO organization_members (tenant_id, organization_id, user_id, role, created_at, updated_at, \
              version) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    GET = "SELECT organization_id, user_id, role, created_at, updated_at, version \
           FROM organization_members WHERE tenant_id = $1 AND organization_id = $2 AND user_id = $3";
    LIST = "SELECT organization_id, user_id, role, created_at, updated_at, version FROM organization_members \
            WHERE tenant_id = $1 AND organization_id = $2 AND user_id > $3 ORDER BY user_id LIMIT $4";
    OF_USER = "SELECT organization_id, user_id, role, created_at, updated_at, version FROM organization_members \
               WHERE tenant_id = $1 AND user_id = $2 AND organization_id > $3 ORDER BY organization_id LIMIT $4";
    SET_ROLE = "UPDATE organization_members SET role = $2, updated_at = $3, version = version + 1 \
                WHERE tenant_id = $1 AND organization_id = $4 AND user_id = $5 AND version = $6";
    REMOVE = "DELETE FROM organization_members \
              WHERE tenant_id = $1 AND organization_id = $2 AND user_id = $3 AND version = $4";
    REMOVE_ALL = "DELETE FROM organization_members WHERE tenant_id = $1 AND organization_id = $2";
}

/// A member of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationMemberRow {
    /// Which organization.
    pub organization_id: Uuid,
    /// Who.
    pub user_id: Uuid,
    /// Key of the role.
    pub role: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

/// Adds a member. Owners must be counted in the same unit, see [`super::organizations::count_owners`].
pub fn insert(tenant: Uuid, row: &OrganizationMemberRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            tenant.into(),
            row.organization_id.into(),
            row.user_id.into(),
            row.role.as_str().into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Gives a member whose version is still `expected_version` a role; otherwise the conflict `member_version`. Owners
/// must be counted in the same unit.
pub fn set_role(
    tenant: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
    role: &str,
    at: i64,
    expected_version: i64,
) -> Statement {
    Statement::new(
        SET_ROLE,
        vec![
            tenant.into(),
            role.into(),
            at.into(),
            organization_id.into(),
            user_id.into(),
            expected_version.into(),
        ],
    )
    .expecting(1, "member_version")
}

/// Removes a member whose version is still `expected_version`; otherwise the conflict `member_version`. Owners must
/// be counted in the same unit.
pub fn remove(tenant: Uuid, organization_id: Uuid, user_id: Uuid, expected_version: i64) -> Statement {
    Statement::new(
        REMOVE,
        vec![tenant.into(), organization_id.into(), user_id.into(), expected_version.into()],
    )
    .expecting(1, "member_version")
}

/// Removes all members of an organization that goes too.
pub fn remove_all(tenant: Uuid, organization_id: Uuid) -> Statement {
    Statement::new(REMOVE_ALL, vec![tenant.into(), organization_id.into()])
}

/// Memberships of a user in order of organization, after `after`, at most `limit`.
pub async fn of_user(
    engine: &dyn Engine,
    tenant: Uuid,
    user_id: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<OrganizationMemberRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let statement = Statement::new(OF_USER, vec![tenant.into(), user_id.into(), after.into(), limit.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().map(decode).collect()
}

/// One member.
pub async fn get(
    engine: &dyn Engine,
    tenant: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
) -> Result<Option<OrganizationMemberRow>, StorageError> {
    let statement = Statement::new(GET, vec![tenant.into(), organization_id.into(), user_id.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().next().map(decode).transpose()
}

/// Members in order of user, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    tenant: Uuid,
    organization_id: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<OrganizationMemberRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let params = vec![tenant.into(), organization_id.into(), after.into(), limit.into()];
    let rows = engine.read(Scope::of(tenant), Statement::new(LIST, params)).await?;
    rows.into_iter().map(decode).collect()
}

fn decode(row: Row) -> Result<OrganizationMemberRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    Ok(OrganizationMemberRow {
        organization_id: columns.uuid("organization_id")?,
        user_id: columns.uuid("user_id")?,
        role: columns.text("role")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
