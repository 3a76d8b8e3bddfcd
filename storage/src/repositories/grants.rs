//! What is granted to whom. Ids of resources may be personal: they are sealed, and found by a blind index.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement, Value};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "grants";

statements! {
    INSERT = "INSERT INTO grants (tenant_id, grant_id, subject_kind, subject_id, role_id, permission, \
              organization_id, resource_index, resource, fingerprint, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    DELETE_EXPIRED = "DELETE FROM grants WHERE tenant_id = $1 AND fingerprint = $2 AND expires_at <= $3";
    DELETE = "DELETE FROM grants WHERE tenant_id = $1 AND grant_id = $2";
    GET = "SELECT grant_id, subject_kind, subject_id, role_id, permission, organization_id, resource_index, \
           resource, created_at, expires_at FROM grants WHERE tenant_id = $1 AND grant_id = $2";
    LIST = "SELECT grant_id, subject_kind, subject_id, role_id, permission, organization_id, resource_index, \
            resource, created_at, expires_at FROM grants \
            WHERE tenant_id = $1 AND grant_id > $2 ORDER BY grant_id LIMIT $3";
    LIST_OF_SUBJECT = "SELECT grant_id, subject_kind, subject_id, role_id, permission, organization_id, \
                       resource_index, resource, created_at, expires_at FROM grants \
                       WHERE tenant_id = $1 AND grant_id > $2 AND subject_id = $4 ORDER BY grant_id LIMIT $3";
    LIST_ON_RESOURCE = "SELECT grant_id, subject_kind, subject_id, role_id, permission, organization_id, \
                        resource_index, resource, created_at, expires_at FROM grants \
                        WHERE tenant_id = $1 AND grant_id > $2 AND resource_index = $4 ORDER BY grant_id LIMIT $3";
    LIST_OF_SUBJECT_ON_RESOURCE = "SELECT grant_id, subject_kind, subject_id, role_id, permission, \
                                   organization_id, resource_index, resource, created_at, expires_at FROM grants \
                                   WHERE tenant_id = $1 AND grant_id > $2 AND subject_id = $4 \
                                   AND resource_index = $5 ORDER BY grant_id LIMIT $3";
    COUNT_OF_SUBJECT = "SELECT count(*) FROM grants WHERE tenant_id = $1 AND subject_id = $2";
    HOLDERS_IN_TENANT = "SELECT DISTINCT subject_id FROM grants WHERE tenant_id = $1 AND subject_kind = $2 \
                         AND subject_id > $3 AND organization_id IS NULL AND resource_index IS NULL \
                         ORDER BY subject_id LIMIT $4";
    HOLDERS_IN_ORGANIZATION = "SELECT DISTINCT subject_id FROM grants WHERE tenant_id = $1 AND subject_kind = $2 \
                               AND subject_id > $3 AND organization_id = $5 ORDER BY subject_id LIMIT $4";
    HOLDERS_ON_RESOURCE = "SELECT DISTINCT subject_id FROM grants WHERE tenant_id = $1 AND subject_kind = $2 \
                           AND subject_id > $3 AND resource_index = $5 ORDER BY subject_id LIMIT $4";
    OF_ROLE = "SELECT grant_id, subject_kind, subject_id, role_id, permission, organization_id, resource_index, \
               resource, created_at, expires_at FROM grants WHERE tenant_id = $1 AND role_id = $2 LIMIT 1";
}

/// A grant: exactly one of role and permission; at most one of organization and resource, neither is the tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub grant_id: Uuid,
    /// `user` or `service_account`.
    pub subject_kind: String,
    /// To whom.
    pub subject_id: Uuid,
    /// What: a role.
    pub role_id: Option<Uuid>,
    /// What: a permission.
    pub permission: Option<String>,
    /// Where: in an organization.
    pub organization_id: Option<Uuid>,
    /// Where: on a resource, `type:id`; sealed at rest.
    pub resource: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds; counts for nothing from then on.
    pub expires_at: Option<i64>,
}

impl std::fmt::Debug for GrantRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("GrantRow")
            .field("grant_id", &self.grant_id)
            .field("subject_id", &self.subject_id)
            .field("role_id", &self.role_id)
            .field("permission", &self.permission)
            .finish_non_exhaustive()
    }
}

impl GrantRow {
    /// A keyed hash of all it says but its id and times, by which the same is not granted twice.
    fn fingerprint(&self, vault: &TenantVault) -> [u8; 32] {
        let id = |id: Option<Uuid>| id.map(|id| id.simple().to_string()).unwrap_or_default();
        // No part but the last one, the resource, can hold a line break.
        let text = [
            self.subject_id.simple().to_string(),
            id(self.role_id),
            self.permission.clone().unwrap_or_default(),
            id(self.organization_id),
            self.resource.clone().unwrap_or_default(),
        ]
        .join("\n");
        vault.blind_index("grants.fingerprint", text.as_bytes())
    }
}

/// Which grants.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrantFilter<'f> {
    /// Those of a subject.
    pub subject: Option<Uuid>,
    /// Those on a resource, `type:id`.
    pub resource: Option<&'f str>,
}

fn index(vault: &TenantVault, resource: &str) -> [u8; 32] {
    vault.blind_index("grants.resource", resource.as_bytes())
}

/// The sealed resource is bound to its index and to the grant, so that it can stand nowhere else.
fn binding(index: &[u8], grant_id: Uuid) -> Vec<u8> {
    [index, grant_id.as_bytes()].concat()
}

/// Adds a grant, in place of the same one if that has expired at the row's creation. If it has not, the constraint
/// [`super::constraint::GRANT_FINGERPRINT`].
pub fn insert(vault: &TenantVault, row: &GrantRow) -> [Statement; 2] {
    let fingerprint = row.fingerprint(vault);
    let index = row.resource.as_deref().map(|resource| index(vault, resource));
    let sealed = row.resource.as_deref().zip(index).map(|(resource, index)| {
        vault.seal(TABLE, &binding(&index, row.grant_id), "resource", resource.as_bytes())
    });
    let expired = vec![vault.tenant().into(), fingerprint.into(), row.created_at.into()];
    let insert = Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.grant_id.into(),
            row.subject_kind.as_str().into(),
            row.subject_id.into(),
            row.role_id.into(),
            row.permission.as_deref().into(),
            row.organization_id.into(),
            index.into(),
            sealed.into(),
            fingerprint.into(),
            row.created_at.into(),
            row.expires_at.into(),
        ],
    );
    [Statement::new(DELETE_EXPIRED, expired), insert]
}

/// Removes a grant; otherwise the conflict `grant_state`.
pub fn delete(tenant: Uuid, grant_id: Uuid) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), grant_id.into()]).expecting(1, "grant_state")
}

/// One grant.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    grant_id: Uuid,
) -> Result<Option<GrantRow>, StorageError> {
    let params = vec![vault.tenant().into(), grant_id.into()];
    Ok(read(engine, vault, GET, params).await?.into_iter().next())
}

/// Grants in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    filter: GrantFilter<'_>,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<GrantRow>, StorageError> {
    let mut params: Vec<Value> =
        vec![vault.tenant().into(), after.unwrap_or(Uuid::nil()).into(), limit.into()];
    let text = match (filter.subject, filter.resource) {
        (None, None) => LIST,
        (Some(_), None) => LIST_OF_SUBJECT,
        (None, Some(_)) => LIST_ON_RESOURCE,
        (Some(_), Some(_)) => LIST_OF_SUBJECT_ON_RESOURCE,
    };
    params.extend(filter.subject.map(Value::from));
    params.extend(filter.resource.map(|resource| Value::from(index(vault, resource))));
    read(engine, vault, text, params).await
}

/// How many grants a subject has, expired ones as well.
pub async fn count(engine: &dyn Engine, tenant: Uuid, subject: Uuid) -> Result<u64, StorageError> {
    let statement = Statement::new(COUNT_OF_SUBJECT, vec![tenant.into(), subject.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    let row = rows.into_iter().next().ok_or_else(|| StorageError::decode("grants.count"))?;
    let count = Columns::of(TABLE, row).int("count")?;
    u64::try_from(count).map_err(|_| StorageError::decode("grants.count"))
}

/// Whether anybody is granted a role.
pub async fn is_granted(
    engine: &dyn Engine,
    vault: &TenantVault,
    role_id: Uuid,
) -> Result<bool, StorageError> {
    let params = vec![vault.tenant().into(), role_id.into()];
    Ok(!read(engine, vault, OF_ROLE, params).await?.is_empty())
}

/// Where a grant holds.
#[derive(Clone, Copy, Debug)]
pub enum GrantPlace<'p> {
    /// In the whole tenant.
    Tenant,
    /// In an organization.
    Organization(Uuid),
    /// On a resource, `type:id`.
    Resource(&'p str),
}

/// Subjects of a kind who hold a grant at a place, expired ones as well, in order of id, after `after`, at most `limit`.
pub async fn holders(
    engine: &dyn Engine,
    vault: &TenantVault,
    place: GrantPlace<'_>,
    kind: &str,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Uuid>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let mut params: Vec<Value> = vec![vault.tenant().into(), kind.into(), after.into(), limit.into()];
    let text = match place {
        GrantPlace::Tenant => HOLDERS_IN_TENANT,
        GrantPlace::Organization(organization) => {
            params.push(organization.into());
            HOLDERS_IN_ORGANIZATION
        }
        GrantPlace::Resource(resource) => {
            params.push(index(vault, resource).into());
            HOLDERS_ON_RESOURCE
        }
    };
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(text, params)).await?;
    rows.into_iter().map(|row| Columns::of(TABLE, row).uuid("subject_id")).collect()
}

async fn read(
    engine: &dyn Engine,
    vault: &TenantVault,
    text: &'static str,
    params: Vec<Value>,
) -> Result<Vec<GrantRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(text, params)).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<GrantRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let grant_id = columns.uuid("grant_id")?;
    Ok(GrantRow {
        grant_id,
        subject_kind: columns.text("subject_kind")?,
        subject_id: columns.uuid("subject_id")?,
        role_id: columns.maybe_uuid("role_id")?,
        permission: columns.maybe_text("permission")?,
        organization_id: columns.maybe_uuid("organization_id")?,
        resource: {
            let index = columns.maybe_blob("resource_index")?.unwrap_or_default();
            columns.maybe_sealed_text(vault, &binding(&index, grant_id), "resource")?
        },
        created_at: columns.int("created_at")?,
        expires_at: columns.maybe_int("expires_at")?,
    })
}
