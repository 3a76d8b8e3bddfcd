//! What users let OAuth clients have, so that they are asked once.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "client_consents";

statements! {
    PUT = "INSERT INTO client_consents (tenant_id, user_id, client_id, scope, created_at, given_at) \
           VALUES ($1, $2, $3, $4, $5, $5) \
           ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET scope = excluded.scope, given_at = excluded.given_at";
    GET = "SELECT client_id, scope, created_at, given_at FROM client_consents \
           WHERE tenant_id = $1 AND user_id = $2 AND client_id = $3";
    LIST = "SELECT client_id, scope, created_at, given_at FROM client_consents \
            WHERE tenant_id = $1 AND user_id = $2 AND client_id > $3 ORDER BY client_id LIMIT $4";
    DELETE = "DELETE FROM client_consents WHERE tenant_id = $1 AND user_id = $2 AND client_id = $3";
}

/// What a user lets a client have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConsentRow {
    /// The client.
    pub client_id: Uuid,
    /// What, as scopes with a space between them.
    pub scope: String,
    /// When the user was first asked, unix milliseconds.
    pub created_at: i64,
    /// When the user was last asked, unix milliseconds.
    pub given_at: i64,
}

/// It is so from now on, whatever it was.
pub fn put(tenant: Uuid, user: Uuid, client: Uuid, scope: &str, at: i64) -> Statement {
    Statement::new(PUT, vec![tenant.into(), user.into(), client.into(), scope.into(), at.into()])
}

/// It is gone. Otherwise the conflict `unknown_client_consent`.
pub fn delete(tenant: Uuid, user: Uuid, client: Uuid) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), user.into(), client.into()])
        .expecting(1, "unknown_client_consent")
}

/// What a user lets a client have.
pub async fn get(
    engine: &dyn Engine,
    tenant: Uuid,
    user: Uuid,
    client: Uuid,
) -> Result<Option<ClientConsentRow>, StorageError> {
    let statement = Statement::new(GET, vec![tenant.into(), user.into(), client.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().next().map(decode).transpose()
}

/// Clients a user lets have something, in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    tenant: Uuid,
    user: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ClientConsentRow>, StorageError> {
    let params = vec![tenant.into(), user.into(), after.unwrap_or(Uuid::nil()).into(), limit.into()];
    let rows = engine.read(Scope::of(tenant), Statement::new(LIST, params)).await?;
    rows.into_iter().map(decode).collect()
}

fn decode(row: Row) -> Result<ClientConsentRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    Ok(ClientConsentRow {
        client_id: columns.uuid("client_id")?,
        scope: columns.text("scope")?,
        created_at: columns.int("created_at")?,
        given_at: columns.int("given_at")?,
    })
}
