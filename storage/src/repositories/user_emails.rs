//! E-mail addresses of users. The address is sealed and found by a blind index.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "user_emails";

// A user's addresses are asked for as a range of one user: SQLite takes any tenant to have few of them, and would read all
// of the tenant's rather than use the index of users for an equality.
statements! {
    INSERT = "INSERT INTO user_emails \
              (tenant_id, email_index, user_id, email, verified_at, is_primary, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND = "SELECT email_index, user_id, email, verified_at, is_primary, created_at \
            FROM user_emails WHERE tenant_id = $1 AND email_index = $2";
    PROVE = "UPDATE user_emails SET verified_at = coalesce(verified_at, $2) \
             WHERE tenant_id = $1 AND email_index = $3 AND user_id = $4";
    LIST_FOR_USER = "SELECT email_index, user_id, email, verified_at, is_primary, created_at \
                     FROM user_emails \
                     WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $2 ORDER BY created_at, email_index";
    LIST_PRIMARY = "SELECT email_index, user_id, email, verified_at, is_primary, created_at \
                    FROM user_emails WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $3 AND is_primary = 1 \
                    ORDER BY user_id";
    LIST_BETWEEN = "SELECT email_index, user_id, email, verified_at, is_primary, created_at \
                    FROM user_emails WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $3 \
                    ORDER BY user_id, created_at, email_index";
    LIST_PROVED = "SELECT email_index, user_id, email, verified_at, is_primary, created_at FROM user_emails \
                   WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $2 AND verified_at IS NOT NULL";
    LIST_PROVED_FOR_DOMAINS = "SELECT email_index, user_id, email, verified_at, is_primary, created_at \
                               FROM user_emails WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $2 AND verified_at IS NOT NULL \
                               AND EXISTS (SELECT 1 FROM organization_domains \
                               WHERE tenant_id = $1 AND verified_at IS NOT NULL)";
    REMOVE = "DELETE FROM user_emails \
              WHERE tenant_id = $1 AND email_index = $2 AND user_id = $3 AND is_primary = 0";
    SET_PRIMARY = "UPDATE user_emails SET is_primary = $2 \
                   WHERE tenant_id = $1 AND email_index = $3 AND user_id = $4";
    VERIFY = "UPDATE user_emails SET verified_at = $2 \
              WHERE tenant_id = $1 AND email_index = $3 AND user_id = $4 AND verified_at IS NULL";
}

/// An e-mail address of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct UserEmailRow {
    /// Whose address it is.
    pub user_id: Uuid,
    /// The address as its owner wrote it; sealed at rest.
    pub email: String,
    /// When its owner proved it, unix milliseconds.
    pub verified_at: Option<i64>,
    /// Whether mail to the user goes here.
    pub is_primary: bool,
    /// Unix milliseconds.
    pub created_at: i64,
}

impl std::fmt::Debug for UserEmailRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UserEmailRow")
            .field("user_id", &self.user_id)
            .field("verified_at", &self.verified_at)
            .field("is_primary", &self.is_primary)
            .finish_non_exhaustive()
    }
}

pub(super) fn index(vault: &TenantVault, normalized: &str) -> [u8; 32] {
    vault.blind_index("user_emails.email", normalized.as_bytes())
}

/// The sealed address is bound to the index and to the user, so that an address cannot be given to
/// another user by editing `user_id`.
fn binding(index: &[u8; 32], user_id: Uuid) -> Vec<u8> {
    [index.as_slice(), user_id.as_bytes()].concat()
}

/// Adds an address. `normalized` is the form by which it is unique and found.
pub fn insert(vault: &TenantVault, normalized: &str, row: &UserEmailRow) -> Statement {
    let index = index(vault, normalized);
    let email = vault.seal(TABLE, &binding(&index, row.user_id), "email", row.email.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            index.into(),
            row.user_id.into(),
            email.into(),
            row.verified_at.into(),
            row.is_primary.into(),
            row.created_at.into(),
        ],
    )
}

/// A name for an address that tells nothing of it: the first half of its blind index.
pub fn id_of(vault: &TenantVault, normalized: &str) -> Uuid {
    let index = index(vault, normalized);
    Uuid::from_slice(&index[..16]).expect("half of 32 bytes are 16")
}

/// Removes an address that is not the primary one; otherwise the conflict `email_state`.
pub fn remove(vault: &TenantVault, normalized: &str, user_id: Uuid) -> Statement {
    let index = index(vault, normalized);
    Statement::new(REMOVE, vec![vault.tenant().into(), index.into(), user_id.into()])
        .expecting(1, "email_state")
}

/// Says whether mail to the user goes to an address; the conflict `email_state` if it is not the user's.
pub fn set_primary(vault: &TenantVault, normalized: &str, user_id: Uuid, is_primary: bool) -> Statement {
    let index = index(vault, normalized);
    Statement::new(SET_PRIMARY, vec![vault.tenant().into(), is_primary.into(), index.into(), user_id.into()])
        .expecting(1, "email_state")
}

/// Marks an address as proved; the conflict `email_state` if it is not the user's or was proved before.
pub fn verify(vault: &TenantVault, normalized: &str, user_id: Uuid, at: i64) -> Statement {
    let index = index(vault, normalized);
    Statement::new(VERIFY, vec![vault.tenant().into(), at.into(), index.into(), user_id.into()])
        .expecting(1, "email_state")
}

/// Marks an address as proved, if it was not and is the user's.
pub fn prove(vault: &TenantVault, normalized: &str, user_id: Uuid, at: i64) -> Statement {
    let index = index(vault, normalized);
    Statement::new(PROVE, vec![vault.tenant().into(), at.into(), index.into(), user_id.into()])
}

/// The address whose normalized form is `normalized`.
pub async fn find_by_email(
    engine: &dyn Engine,
    vault: &TenantVault,
    normalized: &str,
) -> Result<Option<UserEmailRow>, StorageError> {
    let index = index(vault, normalized);
    let statement = Statement::new(FIND, vec![vault.tenant().into(), index.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, &mut Columns::of(TABLE, row))).transpose()
}

/// Every address of a user, oldest first.
pub async fn list_for_user(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Vec<UserEmailRow>, StorageError> {
    read(engine, vault, Statement::new(LIST_FOR_USER, vec![vault.tenant().into(), user_id.into()])).await
}

/// The addresses a user proved.
pub async fn list_proved(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Vec<UserEmailRow>, StorageError> {
    read(engine, vault, Statement::new(LIST_PROVED, vec![vault.tenant().into(), user_id.into()])).await
}

/// The same where some organization has a verified domain; none where the addresses admit to nothing. One look-up: it
/// is made at every sign-in.
pub async fn list_proved_for_domains(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Vec<UserEmailRow>, StorageError> {
    let params = vec![vault.tenant().into(), user_id.into()];
    read(engine, vault, Statement::new(LIST_PROVED_FOR_DOMAINS, params)).await
}

/// The primary addresses of all users from `first` to `last`, in order of user.
pub async fn list_primary(
    engine: &dyn Engine,
    vault: &TenantVault,
    first: Uuid,
    last: Uuid,
) -> Result<Vec<UserEmailRow>, StorageError> {
    let params = vec![vault.tenant().into(), first.into(), last.into()];
    read(engine, vault, Statement::new(LIST_PRIMARY, params)).await
}

async fn read(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Vec<UserEmailRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

/// Every address of all users from `first` to `last`, in order of user and the oldest first.
pub async fn list_between(
    engine: &dyn Engine,
    vault: &TenantVault,
    first: Uuid,
    last: Uuid,
) -> Result<Vec<UserEmailRow>, StorageError> {
    let statement = Statement::new(LIST_BETWEEN, vec![vault.tenant().into(), first.into(), last.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

pub(super) fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<UserEmailRow, StorageError> {
    let columns = columns.of_table(TABLE);
    let index = columns.bytes32("email_index")?;
    let user_id = columns.uuid("user_id")?;
    Ok(UserEmailRow {
        user_id,
        email: columns.sealed_text(vault, &binding(&index, user_id), "email")?,
        verified_at: columns.maybe_int("verified_at")?,
        is_primary: columns.flag("is_primary")?,
        created_at: columns.int("created_at")?,
    })
}
