//! Domains that organizations claim. A domain is sealed and found by a blind index; verified it is one organization's.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "organization_domains";

statements! {
    INSERT = "INSERT INTO organization_domains (tenant_id, organization_id, domain_id, domain_index, domain, challenge, \
              mode, role, verified_at, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    UPDATE = "UPDATE organization_domains SET mode = $2, role = $3, updated_at = $4, version = version + 1 \
              WHERE tenant_id = $1 AND organization_id = $5 AND domain_id = $6 AND version = $7";
    VERIFY = "UPDATE organization_domains SET verified_at = $2, updated_at = $2, version = version + 1 \
              WHERE tenant_id = $1 AND organization_id = $3 AND domain_id = $4 AND version = $5";
    STAND = "UPDATE organization_domains SET updated_at = updated_at \
             WHERE tenant_id = $1 AND organization_id = $2 AND domain_id = $3 AND version = $4";
    REMOVE = "DELETE FROM organization_domains \
              WHERE tenant_id = $1 AND organization_id = $2 AND domain_id = $3 AND version = $4";
    REMOVE_ALL = "DELETE FROM organization_domains WHERE tenant_id = $1 AND organization_id = $2";
    GET = "SELECT organization_id, domain_id, domain_index, domain, challenge, mode, role, verified_at, created_at, \
           updated_at, version FROM organization_domains \
           WHERE tenant_id = $1 AND organization_id = $2 AND domain_id = $3";
    LIST = "SELECT organization_id, domain_id, domain_index, domain, challenge, mode, role, verified_at, created_at, \
            updated_at, version FROM organization_domains \
            WHERE tenant_id = $1 AND organization_id = $2 AND domain_id > $3 ORDER BY domain_id LIMIT $4";
    ADMITTING = "SELECT e.organization_id, e.domain_id, e.domain_index, e.domain, e.challenge, e.mode, e.role, \
                 e.verified_at, e.created_at, e.updated_at, e.version FROM organization_domains e \
                 WHERE e.tenant_id = $1 AND e.domain_index = $2 AND e.verified_at IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM organization_members o WHERE o.tenant_id = $1 \
                  AND o.organization_id = e.organization_id AND o.user_id = $3) AND NOT EXISTS \
                 (SELECT 1 FROM organization_departures o WHERE o.tenant_id = $1 \
                  AND o.organization_id = e.organization_id AND o.user_id = $3)";
    DEPART = "INSERT INTO organization_departures (tenant_id, organization_id, user_id, left_at) VALUES ($1, $2, $3, $4)";
    RETURN = "DELETE FROM organization_departures WHERE tenant_id = $1 AND organization_id = $2 AND user_id = $3";
    FORGET_DEPARTURES = "DELETE FROM organization_departures WHERE tenant_id = $1 AND organization_id = $2";
}

/// What a verified domain does for users with an address in it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DomainMode {
    /// They become members.
    Automatic,
    /// They are told of the organization.
    Suggested,
}

impl DomainMode {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Suggested => "suggested",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Automatic, Self::Suggested].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A domain an organization claims.
#[derive(Clone, PartialEq, Eq)]
pub struct DomainRow {
    /// Whose.
    pub organization_id: Uuid,
    /// Its id.
    pub domain_id: Uuid,
    /// In its ASCII form, lower case; sealed at rest.
    pub domain: String,
    /// What has to stand in the DNS.
    pub challenge: String,
    /// What it does once it is verified.
    pub mode: DomainMode,
    /// Key of the role of those who become members.
    pub role: String,
    /// Unix milliseconds.
    pub verified_at: Option<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for DomainRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("DomainRow")
            .field("domain_id", &self.domain_id)
            .field("mode", &self.mode)
            .field("verified_at", &self.verified_at)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Which domain a change is of, and the version it must still have; otherwise the conflict `domain_version`.
#[derive(Copy, Clone, Debug)]
pub struct DomainAt {
    /// Of which organization.
    pub organization_id: Uuid,
    /// Which.
    pub domain_id: Uuid,
    /// The version the caller saw.
    pub expected_version: i64,
}

fn index(vault: &TenantVault, domain: &str) -> [u8; 32] {
    vault.blind_index("organization_domains.domain", domain.as_bytes())
}

/// The sealed domain is bound to the index by which it is found, too.
fn binding(domain_id: Uuid, index: &[u8; 32]) -> Vec<u8> {
    [domain_id.as_bytes().as_slice(), index].concat()
}

/// Adds a domain. One that the organization claims already is `Unique(constraint::ORGANIZATION_DOMAIN)`.
pub fn insert(vault: &TenantVault, row: &DomainRow) -> Statement {
    let index = index(vault, &row.domain);
    let domain = vault.seal(TABLE, &binding(row.domain_id, &index), "domain", row.domain.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.organization_id.into(),
            row.domain_id.into(),
            index.into(),
            domain.into(),
            row.challenge.as_str().into(),
            row.mode.as_str().into(),
            row.role.as_str().into(),
            row.verified_at.into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

impl DomainAt {
    /// `text` has the three parameters last.
    fn change(self, text: &'static str, mut params: Vec<crate::engine::Value>) -> Statement {
        let Self { organization_id, domain_id, expected_version } = self;
        params.extend([organization_id.into(), domain_id.into(), expected_version.into()]);
        Statement::new(text, params).expecting(1, "domain_version")
    }
}

/// Changes what a domain does.
pub fn update(tenant: Uuid, at: DomainAt, mode: DomainMode, role: &str, now: i64) -> Statement {
    at.change(UPDATE, vec![tenant.into(), mode.as_str().into(), role.into(), now.into()])
}

/// Makes a domain verified; one that is another organization's is `Unique(constraint::VERIFIED_DOMAIN)`.
pub fn verify(tenant: Uuid, at: DomainAt, now: i64) -> Statement {
    at.change(VERIFY, vec![tenant.into(), now.into()])
}

/// Stands only if the domain is as it was.
pub fn stand(tenant: Uuid, at: DomainAt) -> Statement {
    at.change(STAND, vec![tenant.into()])
}

/// Removes a domain.
pub fn remove(tenant: Uuid, at: DomainAt) -> Statement {
    at.change(REMOVE, vec![tenant.into()])
}

/// Removes all domains of an organization that goes too, and forgets who left it.
pub fn remove_all(tenant: Uuid, organization_id: Uuid) -> [Statement; 2] {
    [REMOVE_ALL, FORGET_DEPARTURES]
        .map(|text| Statement::new(text, vec![tenant.into(), organization_id.into()]))
}

/// Notes that somebody left an organization.
pub fn depart(tenant: Uuid, organization_id: Uuid, user_id: Uuid, at: i64) -> Statement {
    Statement::new(DEPART, vec![tenant.into(), organization_id.into(), user_id.into(), at.into()])
}

/// Forgets that somebody had left, who is a member again.
pub fn come_back(tenant: Uuid, organization_id: Uuid, user_id: Uuid) -> Statement {
    Statement::new(RETURN, vec![tenant.into(), organization_id.into(), user_id.into()])
}

/// One domain.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    domain_id: Uuid,
) -> Result<Option<DomainRow>, StorageError> {
    let params = vec![vault.tenant().into(), organization_id.into(), domain_id.into()];
    Ok(read(engine, vault, Statement::new(GET, params)).await?.pop())
}

/// Domains of an organization in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<DomainRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let params = vec![vault.tenant().into(), organization_id.into(), after.into(), limit.into()];
    read(engine, vault, Statement::new(LIST, params)).await
}

/// The verified domain of this name, unless the user is or was a member of its organization.
pub async fn admitting(
    engine: &dyn Engine,
    vault: &TenantVault,
    domain: &str,
    user_id: Uuid,
) -> Result<Option<DomainRow>, StorageError> {
    let params = vec![vault.tenant().into(), index(vault, domain).into(), user_id.into()];
    Ok(read(engine, vault, Statement::new(ADMITTING, params)).await?.pop())
}

async fn read(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Vec<DomainRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<DomainRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let (organization_id, domain_id) = (columns.uuid("organization_id")?, columns.uuid("domain_id")?);
    let index = columns.bytes32("domain_index")?;
    Ok(DomainRow {
        organization_id,
        domain_id,
        domain: columns.sealed_text(vault, &binding(domain_id, &index), "domain")?,
        challenge: columns.text("challenge")?,
        mode: columns.named("mode", DomainMode::parse)?,
        role: columns.text("role")?,
        verified_at: columns.maybe_int("verified_at")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
