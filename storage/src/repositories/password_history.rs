//! Passwords that were replaced, so that they are not chosen again. The PHC strings are sealed.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "password_history";

statements! {
    INSERT = "INSERT INTO password_history (tenant_id, user_id, version, secret, replaced_at) VALUES ($1, $2, $3, $4, $5)";
    LIST = "SELECT version, secret, replaced_at FROM password_history \
            WHERE tenant_id = $1 AND user_id = $2 ORDER BY version DESC LIMIT $3";
    PRUNE = "DELETE FROM password_history WHERE tenant_id = $1 AND user_id = $2 AND version <= \
             (SELECT e.version FROM password_history e WHERE e.tenant_id = $1 AND e.user_id = $2 \
             ORDER BY e.version DESC LIMIT 1 OFFSET $3)";
}

/// A password that was replaced. `Debug` never prints the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct FormerPasswordRow {
    /// Version of the credential it was; unique for a user, and greater for later ones.
    pub version: i64,
    /// PHC string; sealed at rest.
    pub secret: Zeroizing<String>,
    /// Unix milliseconds.
    pub replaced_at: i64,
}

impl std::fmt::Debug for FormerPasswordRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FormerPasswordRow").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Both parts have a fixed length, so they cannot run into each other.
fn binding(user_id: Uuid, version: i64) -> Vec<u8> {
    [user_id.as_bytes().as_slice(), &version.to_be_bytes()].concat()
}

/// Keeps a password that is being replaced.
pub fn insert(vault: &TenantVault, user_id: Uuid, row: &FormerPasswordRow) -> Statement {
    let sealed = vault.seal(TABLE, &binding(user_id, row.version), "secret", row.secret.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            user_id.into(),
            row.version.into(),
            sealed.into(),
            row.replaced_at.into(),
        ],
    )
}

/// Forgets all of a user's but the newest `kept`.
pub fn prune(tenant: Uuid, user_id: Uuid, kept: u32) -> Statement {
    Statement::new(PRUNE, vec![tenant.into(), user_id.into(), kept.into()])
}

/// Former passwords of a user, newest first, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
    limit: u32,
) -> Result<Vec<FormerPasswordRow>, StorageError> {
    let statement = Statement::new(LIST, vec![vault.tenant().into(), user_id.into(), limit.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    let decode = |row| {
        let mut columns = Columns::of(TABLE, row);
        let version = columns.int("version")?;
        Ok(FormerPasswordRow {
            version,
            secret: Zeroizing::new(columns.sealed_text(vault, &binding(user_id, version), "secret")?),
            replaced_at: columns.int("replaced_at")?,
        })
    };
    rows.into_iter().map(decode).collect()
}
