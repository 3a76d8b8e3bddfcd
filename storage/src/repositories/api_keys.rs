//! Keys of operators and of internal services (platform). Only the hash of a secret is kept.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "api_keys";

statements! {
    INSERT = "INSERT INTO api_keys (key_id, tenant_id, kind, name, secret_hash, created_at, revoked_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST_ACTIVE = "SELECT key_id, tenant_id, kind, name, secret_hash, created_at, revoked_at \
                   FROM api_keys WHERE revoked_at IS NULL ORDER BY key_id";
    GET = "SELECT key_id, tenant_id, kind, name, secret_hash, created_at, revoked_at \
           FROM api_keys WHERE key_id = $1";
    REVOKE = "UPDATE api_keys SET revoked_at = $1 WHERE key_id = $2 AND revoked_at IS NULL";
    REVOKE_OF_TENANT = "UPDATE api_keys SET revoked_at = $1 WHERE tenant_id = $2 AND revoked_at IS NULL";
}

/// What an API key may do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ApiKeyKind {
    /// Administers the platform.
    Platform,
    /// Calls the internal listeners.
    Service,
}

impl ApiKeyKind {
    /// The name as stored: `platform` or `service`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Service => "service",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Platform, Self::Service].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An API key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Public part of the key.
    pub key_id: Uuid,
    /// The tenant it is confined to, if any.
    pub tenant: Option<Uuid>,
    /// What it may do.
    pub kind: ApiKeyKind,
    /// Name for people.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: [u8; 32],
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds; refused from then on.
    pub revoked_at: Option<i64>,
}

impl std::fmt::Debug for ApiKeyRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ApiKeyRow")
            .field("key_id", &self.key_id)
            .field("tenant", &self.tenant)
            .field("kind", &self.kind)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

/// Adds a key.
pub fn insert(row: &ApiKeyRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            row.key_id.into(),
            row.tenant.into(),
            row.kind.as_str().into(),
            row.name.as_str().into(),
            row.secret_hash.into(),
            row.created_at.into(),
            row.revoked_at.into(),
        ],
    )
}

/// Revokes a key that is not revoked yet; otherwise the conflict `api_key_state`.
pub fn revoke(key_id: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE, vec![at.into(), key_id.into()]).expecting(1, "api_key_state")
}

pub(crate) fn revoke_of_tenant(tenant: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE_OF_TENANT, vec![at.into(), tenant.into()])
}

/// Every key that is not revoked, in order of id.
pub async fn list_active(engine: &dyn Engine) -> Result<Vec<ApiKeyRow>, StorageError> {
    read(engine, Statement::new(LIST_ACTIVE, vec![])).await
}

/// One key, revoked or not.
pub async fn get(engine: &dyn Engine, key_id: Uuid) -> Result<Option<ApiKeyRow>, StorageError> {
    Ok(read(engine, Statement::new(GET, vec![key_id.into()])).await?.into_iter().next())
}

async fn read(engine: &dyn Engine, statement: Statement) -> Result<Vec<ApiKeyRow>, StorageError> {
    let rows = engine.read(Scope::Platform, statement).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of(TABLE, row);
            Ok(ApiKeyRow {
                key_id: columns.uuid("key_id")?,
                tenant: columns.maybe_uuid("tenant_id")?,
                kind: columns.named("kind", ApiKeyKind::parse)?,
                name: columns.text("name")?,
                secret_hash: columns.bytes32("secret_hash")?,
                created_at: columns.int("created_at")?,
                revoked_at: columns.maybe_int("revoked_at")?,
            })
        })
        .collect()
}
