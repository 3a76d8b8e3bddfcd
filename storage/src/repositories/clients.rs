//! OAuth clients of a tenant. What they are and what is kept of their secrets is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "clients";

statements! {
    INSERT = "INSERT INTO clients (tenant_id, client_id, definition, secrets, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    GET = "SELECT client_id, definition, secrets, created_at, updated_at, version FROM clients \
           WHERE tenant_id = $1 AND client_id = $2";
    LIST = "SELECT client_id, definition, secrets, created_at, updated_at, version FROM clients \
            WHERE tenant_id = $1 AND client_id > $2 ORDER BY client_id LIMIT $3";
    COUNT = "SELECT count(*) AS present FROM clients WHERE tenant_id = $1";
    UPDATE = "UPDATE clients SET definition = $2, secrets = $3, updated_at = $4, version = version + 1 \
              WHERE tenant_id = $1 AND client_id = $5 AND version = $6";
    DELETE = "DELETE FROM clients WHERE tenant_id = $1 AND client_id = $2 AND version = $3";
}

/// A client.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// Its id.
    pub client_id: Uuid,
    /// What it is, as JSON; sealed at rest.
    pub definition: String,
    /// What is kept of its secrets, as JSON; sealed at rest.
    pub secrets: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for ClientRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ClientRow")
            .field("client_id", &self.client_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn sealed(vault: &TenantVault, row: &ClientRow) -> [Vec<u8>; 2] {
    [("definition", &row.definition), ("secrets", &row.secrets)]
        .map(|(column, text)| vault.seal(TABLE, row.client_id.as_bytes(), column, text.as_bytes()))
}

/// Adds a client.
pub fn insert(vault: &TenantVault, row: &ClientRow) -> Statement {
    let [definition, secrets] = sealed(vault, row);
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.client_id.into(),
            definition.into(),
            secrets.into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Stores a client whose version is still the row's; otherwise the conflict `client_version`.
pub fn update(vault: &TenantVault, row: &ClientRow) -> Statement {
    let [definition, secrets] = sealed(vault, row);
    Statement::new(
        UPDATE,
        vec![
            vault.tenant().into(),
            definition.into(),
            secrets.into(),
            row.updated_at.into(),
            row.client_id.into(),
            row.version.into(),
        ],
    )
    .expecting(1, "client_version")
}

/// Removes a client whose version is still `expected_version`; otherwise the conflict `client_version`.
pub fn delete(tenant: Uuid, client: Uuid, expected_version: i64) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), client.into(), expected_version.into()])
        .expecting(1, "client_version")
}

/// One client.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    client: Uuid,
) -> Result<Option<ClientRow>, StorageError> {
    let params = vec![vault.tenant().into(), client.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(GET, params)).await?;
    rows.into_iter().next().map(|row| decode(vault, row)).transpose()
}

/// Clients in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ClientRow>, StorageError> {
    let params = vec![vault.tenant().into(), after.unwrap_or(Uuid::nil()).into(), limit.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST, params)).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

/// How many there are.
pub async fn count(engine: &dyn Engine, tenant: Uuid) -> Result<i64, StorageError> {
    let rows = engine.read(Scope::of(tenant), Statement::new(COUNT, vec![tenant.into()])).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(0) };
    Columns::of(TABLE, row).int("present")
}

fn decode(vault: &TenantVault, row: Row) -> Result<ClientRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let client_id = columns.uuid("client_id")?;
    Ok(ClientRow {
        client_id,
        definition: columns.sealed_text(vault, client_id.as_bytes(), "definition")?,
        secrets: columns.sealed_text(vault, client_id.as_bytes(), "secrets")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}
