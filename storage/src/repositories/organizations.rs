//! Organizations of a tenant. Name and metadata are sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "organizations";

statements! {
    INSERT = "INSERT INTO organizations (tenant_id, organization_id, slug, name, metadata, owners, created_at, \
              updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    GET = "SELECT organization_id, slug, name, metadata, owners, created_at, updated_at, version \
           FROM organizations WHERE tenant_id = $1 AND organization_id = $2";
    FIND_BY_SLUG = "SELECT organization_id, slug, name, metadata, owners, created_at, updated_at, version \
                    FROM organizations WHERE tenant_id = $1 AND slug = $2";
    LIST = "SELECT organization_id, slug, name, metadata, owners, created_at, updated_at, version \
            FROM organizations WHERE tenant_id = $1 AND organization_id > $2 ORDER BY organization_id LIMIT $3";
    LIST_FOR_USER = "SELECT o.organization_id, o.slug, o.name, o.metadata, o.owners, o.created_at, o.updated_at, \
                     o.version, e.role \
                     FROM organization_members e \
                     JOIN organizations o ON o.tenant_id = e.tenant_id AND o.organization_id = e.organization_id \
                     WHERE e.tenant_id = $1 AND e.user_id = $2 AND e.organization_id > $3 \
                     ORDER BY e.organization_id LIMIT $4";
    UPDATE = "UPDATE organizations SET slug = $2, name = $3, metadata = $4, updated_at = $5, version = version + 1 \
              WHERE tenant_id = $1 AND organization_id = $6 AND version = $7";
    COUNT_OWNERS = "UPDATE organizations SET owners = owners + $2 \
                    WHERE tenant_id = $1 AND organization_id = $3 AND owners + $2 > 0";
    DISOWN = "UPDATE organizations SET owners = owners - 1 WHERE tenant_id = $1 AND owners > 1 AND organization_id IN \
              (SELECT organization_id FROM organization_members WHERE tenant_id = $1 AND user_id = $2 \
               AND role = 'owner')";
    REMOVE = "DELETE FROM organizations WHERE tenant_id = $1 AND organization_id = $2 AND version = $3";
}

/// An organization.
#[derive(Clone, PartialEq, Eq)]
pub struct OrganizationRow {
    /// Its id.
    pub organization_id: Uuid,
    /// Unique in the tenant.
    pub slug: String,
    /// Name for people; sealed at rest.
    pub name: String,
    /// What the tenant keeps with it, as JSON; sealed at rest.
    pub metadata: String,
    /// How many of its members are owners.
    pub owners: i64,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change of the organization itself, not of its members.
    pub version: i64,
}

impl std::fmt::Debug for OrganizationRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OrganizationRow")
            .field("organization_id", &self.organization_id)
            .field("owners", &self.owners)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn sealed(vault: &TenantVault, id: Uuid, column: &'static str, text: &str) -> Vec<u8> {
    vault.seal(TABLE, id.as_bytes(), column, text.as_bytes())
}

/// Adds an organization.
pub fn insert(vault: &TenantVault, row: &OrganizationRow) -> Statement {
    let id = row.organization_id;
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            id.into(),
            row.slug.as_str().into(),
            sealed(vault, id, "name", &row.name).into(),
            sealed(vault, id, "metadata", &row.metadata).into(),
            row.owners.into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// What [`update`] sets.
pub struct OrganizationUpdate<'a> {
    /// Whose.
    pub organization_id: Uuid,
    /// Unique in the tenant.
    pub slug: &'a str,
    /// Name for people.
    pub name: &'a str,
    /// What the tenant keeps with it, as JSON.
    pub metadata: &'a str,
    /// Unix milliseconds.
    pub at: i64,
    /// The version it must still have.
    pub expected_version: i64,
}

/// Changes an organization whose version is still the expected one; otherwise the conflict `organization_version`.
pub fn update(vault: &TenantVault, update: &OrganizationUpdate<'_>) -> Statement {
    let id = update.organization_id;
    Statement::new(
        UPDATE,
        vec![
            vault.tenant().into(),
            update.slug.into(),
            sealed(vault, id, "name", update.name).into(),
            sealed(vault, id, "metadata", update.metadata).into(),
            update.at.into(),
            id.into(),
            update.expected_version.into(),
        ],
    )
    .expecting(1, "organization_version")
}

/// Counts owners that come or go; the conflict `organization_owners` if none would be left, or if there is no such
/// organization any more.
pub fn count_owners(tenant: Uuid, organization_id: Uuid, more: i64) -> Statement {
    Statement::new(COUNT_OWNERS, vec![tenant.into(), more.into(), organization_id.into()])
        .expecting(1, "organization_owners")
}

/// Counts a user's ownerships down before its memberships go with it. Whoever decides that a user goes sees to it that
/// none of them is the last.
pub fn disown(tenant: Uuid, user_id: Uuid) -> Statement {
    Statement::new(DISOWN, vec![tenant.into(), user_id.into()])
}

/// Removes an organization whose version is still `expected_version`; otherwise the conflict `organization_version`.
/// What belongs to it must be gone before.
pub fn remove(tenant: Uuid, organization_id: Uuid, expected_version: i64) -> Statement {
    Statement::new(REMOVE, vec![tenant.into(), organization_id.into(), expected_version.into()])
        .expecting(1, "organization_version")
}

/// One organization.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
) -> Result<Option<OrganizationRow>, StorageError> {
    one(engine, vault, Statement::new(GET, vec![vault.tenant().into(), organization_id.into()])).await
}

/// The organization of a slug.
pub async fn find_by_slug(
    engine: &dyn Engine,
    vault: &TenantVault,
    slug: &str,
) -> Result<Option<OrganizationRow>, StorageError> {
    one(engine, vault, Statement::new(FIND_BY_SLUG, vec![vault.tenant().into(), slug.into()])).await
}

async fn one(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Option<OrganizationRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, &mut Columns::of(TABLE, row))).transpose()
}

/// Organizations in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<OrganizationRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let statement = Statement::new(LIST, vec![vault.tenant().into(), after.into(), limit.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

/// Organizations a user is a member of, each with the user's role in it, in order of id.
pub async fn list_for_user(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<(OrganizationRow, String)>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let params = vec![vault.tenant().into(), user_id.into(), after.into(), limit.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST_FOR_USER, params)).await?;
    let decoded = rows.into_iter().map(|row| {
        let mut columns = Columns::of(TABLE, row);
        let organization = decode(vault, &mut columns)?;
        Ok((organization, columns.of_table("organization_members").text("role")?))
    });
    decoded.collect()
}

fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<OrganizationRow, StorageError> {
    let organization_id = columns.uuid("organization_id")?;
    Ok(OrganizationRow {
        organization_id,
        slug: columns.text("slug")?,
        name: columns.sealed_text(vault, organization_id.as_bytes(), "name")?,
        metadata: columns.sealed_text(vault, organization_id.as_bytes(), "metadata")?,
        owners: columns.int("owners")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
