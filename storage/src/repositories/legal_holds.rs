//! Legal holds: what must be kept, whoever asks for its erasure. The reason is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "legal_holds";

/// Stands for the whole tenant in place of a user.
pub const WHOLE_TENANT: Uuid = Uuid::nil();

statements! {
    INSERT = "INSERT INTO legal_holds (tenant_id, user_id, reason, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5)";
    USER_IS_THERE = "UPDATE users SET updated_at = updated_at WHERE tenant_id = $1 AND user_id = $2";
    DELETE = "DELETE FROM legal_holds WHERE tenant_id = $1 AND user_id = $2";
    GET = "SELECT user_id, reason, placed_by, placed_at FROM legal_holds WHERE tenant_id = $1 AND user_id = $2";
    ANY = "SELECT user_id, reason, placed_by, placed_at FROM legal_holds WHERE tenant_id = $1 \
           ORDER BY user_id LIMIT 1";
    NONE_OF_USER = "UPDATE legal_holds SET placed_at = placed_at WHERE tenant_id = $1 AND user_id IN ($2, $3)";
    NONE_OF_TENANT = "UPDATE legal_holds SET placed_at = placed_at WHERE tenant_id = $1";
}

/// A hold.
#[derive(Clone, PartialEq, Eq)]
pub struct LegalHoldRow {
    /// Whose data must be kept; [`WHOLE_TENANT`] for everybody's.
    pub user_id: Uuid,
    /// Why; sealed at rest.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// Unix milliseconds.
    pub placed_at: i64,
}

impl std::fmt::Debug for LegalHoldRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("LegalHoldRow").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Places a hold; one that stands already is `Unique(constraint::LEGAL_HOLD)`.
pub fn insert(vault: &TenantVault, row: &LegalHoldRow) -> Statement {
    let reason = vault.seal(TABLE, row.user_id.as_bytes(), "reason", row.reason.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.user_id.into(),
            reason.into(),
            row.placed_by.as_str().into(),
            row.placed_at.into(),
        ],
    )
}

/// Stands only if the user is there; otherwise the conflict `unknown_user`. A hold and an erasure at the same time must
/// not both succeed.
pub fn user_is_there(tenant: Uuid, user_id: Uuid) -> Statement {
    Statement::new(USER_IS_THERE, vec![tenant.into(), user_id.into()]).expecting(1, "unknown_user")
}

/// Lifts a hold; without one the conflict `no_legal_hold`.
pub fn delete(tenant: Uuid, user_id: Uuid) -> Statement {
    Statement::new(DELETE, vec![tenant.into(), user_id.into()]).expecting(1, "no_legal_hold")
}

/// Stands only if neither the user nor the whole tenant is under a hold; otherwise the conflict `legal_hold`.
pub fn none_of_user(tenant: Uuid, user_id: Uuid) -> Statement {
    Statement::new(NONE_OF_USER, vec![tenant.into(), user_id.into(), WHOLE_TENANT.into()])
        .expecting(0, "legal_hold")
}

/// Stands only if nothing of the tenant is under a hold; otherwise the conflict `legal_hold`.
pub fn none_of_tenant(tenant: Uuid) -> Statement {
    Statement::new(NONE_OF_TENANT, vec![tenant.into()]).expecting(0, "legal_hold")
}

/// The hold on a user, or on [`WHOLE_TENANT`].
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Option<LegalHoldRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), user_id.into()]);
    read(engine, vault, statement).await
}

/// Some hold in the tenant.
pub async fn any(engine: &dyn Engine, vault: &TenantVault) -> Result<Option<LegalHoldRow>, StorageError> {
    read(engine, vault, Statement::new(ANY, vec![vault.tenant().into()])).await
}

async fn read(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Option<LegalHoldRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    let decode = |row| {
        let mut columns = Columns::of(TABLE, row);
        let user_id = columns.uuid("user_id")?;
        Ok(LegalHoldRow {
            user_id,
            reason: columns.sealed_text(vault, user_id.as_bytes(), "reason")?,
            placed_by: columns.text("placed_by")?,
            placed_at: columns.int("placed_at")?,
        })
    };
    rows.into_iter().next().map(decode).transpose()
}
