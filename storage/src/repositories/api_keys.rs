//! Keys of operators and of tenants' services (platform). Only the hash of a secret is kept.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "api_keys";
/// The kinds as stored. Whether a service's key is publishable is a column of its own, so that builds which know two
/// kinds can read the rows.
const PLATFORM: &str = "platform";
const SERVICE: &str = "service";

statements! {
    INSERT = "INSERT INTO api_keys (key_id, tenant_id, kind, publishable, name, scopes, secret_hash, hash_key_version, \
              service_account_id, created_at, expires_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    LIST_ACTIVE = "SELECT k.key_id, k.tenant_id, k.kind, k.publishable, k.name, k.scopes, k.secret_hash, k.hash_key_version, \
                   k.previous_hash, k.previous_key_version, k.previous_until, k.service_account_id, coalesce(s.disabled, 0), \
                   k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.version \
                   FROM api_keys k LEFT JOIN service_accounts s ON s.account_id = k.service_account_id \
                   WHERE k.revoked_at IS NULL ORDER BY k.key_id";
    LIST_OF_TENANT = "SELECT k.key_id, k.tenant_id, k.kind, k.publishable, k.name, k.scopes, k.secret_hash, k.hash_key_version, \
                      k.previous_hash, k.previous_key_version, k.previous_until, k.service_account_id, coalesce(s.disabled, 0), \
                      k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.version \
                      FROM api_keys k LEFT JOIN service_accounts s ON s.account_id = k.service_account_id \
                      WHERE k.tenant_id = $1 AND k.key_id > $2 ORDER BY k.key_id LIMIT $3";
    LIST_PLATFORM = "SELECT k.key_id, k.tenant_id, k.kind, k.publishable, k.name, k.scopes, k.secret_hash, k.hash_key_version, \
                     k.previous_hash, k.previous_key_version, k.previous_until, k.service_account_id, coalesce(s.disabled, 0), \
                     k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.version \
                     FROM api_keys k LEFT JOIN service_accounts s ON s.account_id = k.service_account_id \
                     WHERE k.kind = 'platform' AND k.key_id > $1 ORDER BY k.key_id LIMIT $2";
    GET = "SELECT k.key_id, k.tenant_id, k.kind, k.publishable, k.name, k.scopes, k.secret_hash, k.hash_key_version, \
           k.previous_hash, k.previous_key_version, k.previous_until, k.service_account_id, coalesce(s.disabled, 0), \
           k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.version \
           FROM api_keys k LEFT JOIN service_accounts s ON s.account_id = k.service_account_id \
           WHERE k.key_id = $1";
    RENAME = "UPDATE api_keys SET name = $1, version = version + 1 WHERE key_id = $2 AND version = $3";
    ROTATE = "UPDATE api_keys SET previous_hash = secret_hash, previous_key_version = hash_key_version, \
              previous_until = $1, secret_hash = $2, hash_key_version = $3, version = version + 1 \
              WHERE key_id = $4 AND version = $5 AND revoked_at IS NULL";
    NOTE_USE = "UPDATE api_keys SET last_used_at = $1 \
                WHERE key_id = $2 AND (last_used_at IS NULL OR last_used_at <= $3)";
    REVOKE = "UPDATE api_keys SET revoked_at = $1, version = version + 1 WHERE key_id = $2 AND revoked_at IS NULL";
    REVOKE_UNLESS_LAST = "UPDATE api_keys SET revoked_at = $1, version = version + 1 \
                          WHERE key_id = $2 AND kind = 'platform' AND revoked_at IS NULL AND EXISTS \
                          (SELECT 1 FROM api_keys o WHERE o.kind = 'platform' AND o.revoked_at IS NULL AND o.key_id <> $2)";
    REVOKE_OF_ACCOUNT = "UPDATE api_keys SET revoked_at = $1, version = version + 1 \
                         WHERE service_account_id = $2 AND revoked_at IS NULL";
    REVOKE_OF_TENANT = "UPDATE api_keys SET revoked_at = $1 WHERE tenant_id = $2 AND revoked_at IS NULL";
}

/// What an API key is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ApiKeyKind {
    /// Administers the platform.
    Platform,
    /// A tenant's, for its services.
    Secret,
    /// A tenant's, for what its users run.
    Publishable,
}

impl ApiKeyKind {
    fn stored(self) -> (&'static str, bool) {
        match self {
            Self::Platform => (PLATFORM, false),
            Self::Secret => (SERVICE, false),
            Self::Publishable => (SERVICE, true),
        }
    }

    fn of_stored(kind: &str, publishable: bool) -> Option<Self> {
        let kinds = [Self::Platform, Self::Secret, Self::Publishable];
        kinds.into_iter().find(|known| known.stored() == (kind, publishable))
    }
}

/// A stored secret.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct HashedSecret {
    /// Its hash.
    pub hash: [u8; 32],
    /// Version of the data key from which the hash's key is derived; 0 for a bare SHA-256.
    pub key_version: u32,
}

/// An API key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Public part of the key.
    pub key_id: Uuid,
    /// The tenant it is confined to, if any.
    pub tenant: Option<Uuid>,
    /// What it is for.
    pub kind: ApiKeyKind,
    /// Name for people.
    pub name: String,
    /// What it may do, separated by spaces.
    pub scopes: String,
    /// Its secret.
    pub secret: HashedSecret,
    /// The secret before the last rotation, and until when it works (Unix milliseconds).
    pub previous: Option<(HashedSecret, i64)>,
    /// The service account it belongs to.
    pub account: Option<Uuid>,
    /// Whether that account is disabled; read, never written.
    pub account_disabled: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds; refused from then on.
    pub expires_at: Option<i64>,
    /// Unix milliseconds, about a minute behind; read, never written by [`insert`].
    pub last_used_at: Option<i64>,
    /// Unix milliseconds; refused from then on.
    pub revoked_at: Option<i64>,
    /// Grows by one with each change but use.
    pub version: i64,
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

/// Adds a key, which is neither rotated nor revoked yet.
pub fn insert(row: &ApiKeyRow) -> Statement {
    let (kind, publishable) = row.kind.stored();
    Statement::new(
        INSERT,
        vec![
            row.key_id.into(),
            row.tenant.into(),
            kind.into(),
            publishable.into(),
            row.name.as_str().into(),
            row.scopes.as_str().into(),
            row.secret.hash.into(),
            row.secret.key_version.into(),
            row.account.into(),
            row.created_at.into(),
            row.expires_at.into(),
            row.version.into(),
        ],
    )
}

/// Renames a key whose version is still this one; otherwise the conflict `api_key_version`.
pub fn rename(key_id: Uuid, name: &str, expected_version: i64) -> Statement {
    let values = vec![name.into(), key_id.into(), expected_version.into()];
    Statement::new(RENAME, values).expecting(1, "api_key_version")
}

/// Gives a key that is not revoked, and whose version is still this one, a new secret; otherwise the conflict
/// `api_key_version`. The secret it has works until an instant.
pub fn rotate(key_id: Uuid, secret: HashedSecret, previous_until: i64, expected_version: i64) -> Statement {
    let values = vec![
        previous_until.into(),
        secret.hash.into(),
        secret.key_version.into(),
        key_id.into(),
        expected_version.into(),
    ];
    Statement::new(ROTATE, values).expecting(1, "api_key_version")
}

/// Notes that a key was used, unless a use after `since` is noted.
pub fn note_use(key_id: Uuid, at: i64, since: i64) -> Statement {
    Statement::new(NOTE_USE, vec![at.into(), key_id.into(), since.into()])
}

/// Revokes a key that is not revoked yet; otherwise the conflict `api_key_state`.
pub fn revoke(key_id: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE, vec![at.into(), key_id.into()]).expecting(1, "api_key_state")
}

/// Revokes a platform key that is not revoked yet, if there is another one; otherwise the conflict `api_key_state`.
pub fn revoke_unless_last(key_id: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE_UNLESS_LAST, vec![at.into(), key_id.into()]).expecting(1, "api_key_state")
}

/// Revokes every key of a service account.
pub fn revoke_of_account(account: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE_OF_ACCOUNT, vec![at.into(), account.into()])
}

pub(crate) fn revoke_of_tenant(tenant: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE_OF_TENANT, vec![at.into(), tenant.into()])
}

/// Every key that is not revoked, in order of id.
pub async fn list_active(engine: &dyn Engine) -> Result<Vec<ApiKeyRow>, StorageError> {
    read(engine, Statement::new(LIST_ACTIVE, vec![])).await
}

/// Keys of a tenant, revoked ones too, in order of id, after `after`, at most `limit`.
pub async fn list_of_tenant(
    engine: &dyn Engine,
    tenant: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ApiKeyRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    read(engine, Statement::new(LIST_OF_TENANT, vec![tenant.into(), after.into(), limit.into()])).await
}

/// Platform keys, revoked ones too, in order of id, after `after`, at most `limit`.
pub async fn list_platform(
    engine: &dyn Engine,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ApiKeyRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    read(engine, Statement::new(LIST_PLATFORM, vec![after.into(), limit.into()])).await
}

/// One key, revoked or not.
pub async fn get(engine: &dyn Engine, key_id: Uuid) -> Result<Option<ApiKeyRow>, StorageError> {
    Ok(read(engine, Statement::new(GET, vec![key_id.into()])).await?.into_iter().next())
}

async fn read(engine: &dyn Engine, statement: Statement) -> Result<Vec<ApiKeyRow>, StorageError> {
    let rows = engine.read(Scope::Platform, statement).await?;
    rows.into_iter().map(decode).collect()
}

fn decode(row: Row) -> Result<ApiKeyRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let (key_id, tenant) = (columns.uuid("key_id")?, columns.maybe_uuid("tenant_id")?);
    let (kind, publishable) = (columns.text("kind")?, columns.int("publishable")? != 0);
    Ok(ApiKeyRow {
        key_id,
        tenant,
        kind: ApiKeyKind::of_stored(&kind, publishable)
            .ok_or_else(|| StorageError::decode("api_keys.kind"))?,
        name: columns.text("name")?,
        scopes: columns.text("scopes")?,
        secret: HashedSecret {
            hash: columns.bytes32("secret_hash")?,
            key_version: columns.key_version("hash_key_version")?,
        },
        previous: previous(&mut columns)?,
        account: columns.maybe_uuid("service_account_id")?,
        account_disabled: columns.int("disabled")? != 0,
        created_at: columns.int("created_at")?,
        expires_at: columns.maybe_int("expires_at")?,
        last_used_at: columns.maybe_int("last_used_at")?,
        revoked_at: columns.maybe_int("revoked_at")?,
        version: columns.int("version")?,
    })
}

fn previous(columns: &mut Columns) -> Result<Option<(HashedSecret, i64)>, StorageError> {
    let hash = columns.maybe_bytes32("previous_hash")?;
    let (key_version, until) = (columns.key_version("previous_key_version")?, columns.int("previous_until")?);
    Ok(hash.map(|hash| (HashedSecret { hash, key_version }, until)))
}
