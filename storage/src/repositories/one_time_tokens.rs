//! Secrets that are good once, by their keyed hashes. The address a secret was sent to is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "one_time_tokens";

statements! {
    INSERT = "INSERT INTO one_time_tokens (tenant_id, token_hash, purpose, user_id, email, sent_hash, attempts, \
              created_at, expires_at, used_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    GET = "SELECT token_hash, purpose, user_id, email, sent_hash, attempts, created_at, expires_at, used_at, version \
           FROM one_time_tokens WHERE tenant_id = $1 AND token_hash = $2";
    USE = "UPDATE one_time_tokens SET used_at = $2, version = version + 1 \
           WHERE tenant_id = $1 AND token_hash = $3 AND version = $4";
    MISS = "UPDATE one_time_tokens SET attempts = attempts + 1, version = version + 1 \
            WHERE tenant_id = $1 AND token_hash = $2 AND version = $3";
    CONFIRM = "UPDATE one_time_tokens SET sent_hash = NULL, version = version + 1 \
               WHERE tenant_id = $1 AND token_hash = $2 AND version = $3";
    WITHDRAW = "UPDATE one_time_tokens SET used_at = $2, version = version + 1 \
                WHERE tenant_id = $1 AND user_id = $3 AND purpose = $4 AND used_at IS NULL";
    PURGE = "DELETE FROM one_time_tokens WHERE tenant_id = $1 AND expires_at <= $2";
}

/// A secret.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeTokenRow {
    /// Keyed hash by which it is found.
    pub token_hash: [u8; 32],
    /// What it is good for.
    pub purpose: String,
    /// For whom; none where there is no such account.
    pub user_id: Option<Uuid>,
    /// Where it was sent; sealed at rest.
    pub email: String,
    /// Keyed hash of what has to be presented with it.
    pub sent_hash: Option<[u8; 32]>,
    /// Wrong ones presented.
    pub attempts: u32,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// When it was used or withdrawn, unix milliseconds.
    pub used_at: Option<i64>,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for OneTimeTokenRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OneTimeTokenRow")
            .field("purpose", &self.purpose)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Adds a secret.
pub fn insert(vault: &TenantVault, row: &OneTimeTokenRow) -> Statement {
    let email = vault.seal(TABLE, &row.token_hash, "email", row.email.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.token_hash.into(),
            row.purpose.as_str().into(),
            row.user_id.into(),
            email.into(),
            row.sent_hash.into(),
            row.attempts.into(),
            row.created_at.into(),
            row.expires_at.into(),
            row.used_at.into(),
            row.version.into(),
        ],
    )
}

/// Uses a secret up while its version is still `expected_version`; otherwise the conflict `token_version`.
pub fn use_up(tenant: Uuid, hash: [u8; 32], at: i64, expected_version: i64) -> Statement {
    let params = vec![tenant.into(), at.into(), hash.into(), expected_version.into()];
    Statement::new(USE, params).expecting(1, "token_version")
}

/// Counts a wrong one, while the version is still `expected_version`; otherwise the conflict `token_version`.
pub fn miss(tenant: Uuid, hash: [u8; 32], expected_version: i64) -> Statement {
    let params = vec![tenant.into(), hash.into(), expected_version.into()];
    Statement::new(MISS, params).expecting(1, "token_version")
}

/// Asks for nothing else any more, while the version is still `expected_version`; otherwise the conflict
/// `token_version`.
pub fn confirm(tenant: Uuid, hash: [u8; 32], expected_version: i64) -> Statement {
    let params = vec![tenant.into(), hash.into(), expected_version.into()];
    Statement::new(CONFIRM, params).expecting(1, "token_version")
}

/// Uses up what a user has left of a purpose.
pub fn withdraw(tenant: Uuid, user_id: Uuid, purpose: &str, at: i64) -> Statement {
    Statement::new(WITHDRAW, vec![tenant.into(), at.into(), user_id.into(), purpose.into()])
}

/// Removes what expired at or before `before`.
pub fn purge(tenant: Uuid, before: i64) -> Statement {
    Statement::new(PURGE, vec![tenant.into(), before.into()])
}

/// The secret of a hash.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    hash: [u8; 32],
) -> Result<Option<OneTimeTokenRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), hash.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, &mut Columns::of(TABLE, row))).transpose()
}

fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<OneTimeTokenRow, StorageError> {
    let token_hash = columns.bytes32("token_hash")?;
    Ok(OneTimeTokenRow {
        token_hash,
        purpose: columns.text("purpose")?,
        user_id: columns.maybe_uuid("user_id")?,
        email: columns.sealed_text(vault, &token_hash, "email")?,
        sent_hash: columns.maybe_bytes32("sent_hash")?,
        attempts: columns.key_version("attempts")?,
        created_at: columns.int("created_at")?,
        expires_at: columns.int("expires_at")?,
        used_at: columns.maybe_int("used_at")?,
        version: columns.int("version")?,
    })
}
