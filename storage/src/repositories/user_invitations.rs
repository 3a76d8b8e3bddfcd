//! Invitations to become a user. The address and what is known besides are sealed.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "user_invitations";

statements! {
    INSERT = "INSERT INTO user_invitations (tenant_id, invitation_id, token_hash, email_index, email, profile, \
              created_at, expires_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    REPLACE = "DELETE FROM user_invitations WHERE tenant_id = $1 AND email_index = $2";
    RENEW = "UPDATE user_invitations SET token_hash = $2, expires_at = $3, version = version + 1 \
             WHERE tenant_id = $1 AND invitation_id = $4 AND version = $5";
    REMOVE = "DELETE FROM user_invitations WHERE tenant_id = $1 AND invitation_id = $2 AND version = $3";
    PURGE = "DELETE FROM user_invitations WHERE tenant_id = $1 AND expires_at <= $2";
    GET = "SELECT invitation_id, token_hash, email, profile, created_at, expires_at, version \
           FROM user_invitations WHERE tenant_id = $1 AND invitation_id = $2";
    BY_TOKEN = "SELECT invitation_id, token_hash, email, profile, created_at, expires_at, version \
                FROM user_invitations WHERE tenant_id = $1 AND token_hash = $2";
    LIST = "SELECT invitation_id, token_hash, email, profile, created_at, expires_at, version \
            FROM user_invitations WHERE tenant_id = $1 AND invitation_id > $2 ORDER BY invitation_id LIMIT $3";
}

/// An invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct UserInvitationRow {
    /// Its id.
    pub invitation_id: Uuid,
    /// Keyed hash of the token in its link.
    pub token_hash: [u8; 32],
    /// Where it was sent; sealed at rest.
    pub email: String,
    /// What is known of who is invited, as JSON; sealed at rest.
    pub profile: Zeroizing<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for UserInvitationRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UserInvitationRow")
            .field("invitation_id", &self.invitation_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn index(vault: &TenantVault, normalized: &str) -> [u8; 32] {
    vault.blind_index("user_invitations.email", normalized.as_bytes())
}

/// Adds an invitation. `normalized` is the form in which addresses are compared.
pub fn insert(vault: &TenantVault, normalized: &str, row: &UserInvitationRow) -> Statement {
    let seal = |column, text: &str| vault.seal(TABLE, row.invitation_id.as_bytes(), column, text.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.invitation_id.into(),
            row.token_hash.into(),
            index(vault, normalized).into(),
            seal("email", &row.email).into(),
            seal("profile", &row.profile).into(),
            row.created_at.into(),
            row.expires_at.into(),
            row.version.into(),
        ],
    )
}

/// Removes every invitation to an address.
pub fn replace(vault: &TenantVault, normalized: &str) -> Statement {
    Statement::new(REPLACE, vec![vault.tenant().into(), index(vault, normalized).into()])
}

/// Gives an invitation another link while its version is still `expected_version`; otherwise the conflict
/// `invitation_version`.
pub fn renew(
    tenant: Uuid,
    invitation_id: Uuid,
    token_hash: [u8; 32],
    expires_at: i64,
    expected_version: i64,
) -> Statement {
    let params = vec![
        tenant.into(),
        token_hash.into(),
        expires_at.into(),
        invitation_id.into(),
        expected_version.into(),
    ];
    Statement::new(RENEW, params).expecting(1, "invitation_version")
}

/// Removes an invitation while its version is still `expected_version`; otherwise the conflict `invitation_version`.
pub fn remove(tenant: Uuid, invitation_id: Uuid, expected_version: i64) -> Statement {
    let params = vec![tenant.into(), invitation_id.into(), expected_version.into()];
    Statement::new(REMOVE, params).expecting(1, "invitation_version")
}

/// Removes what expired at or before `before`.
pub fn purge(tenant: Uuid, before: i64) -> Statement {
    Statement::new(PURGE, vec![tenant.into(), before.into()])
}

/// The invitation of an id.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    invitation_id: Uuid,
) -> Result<Option<UserInvitationRow>, StorageError> {
    let rows =
        read(engine, vault, Statement::new(GET, vec![vault.tenant().into(), invitation_id.into()])).await?;
    Ok(rows.into_iter().next())
}

/// The invitation whose link has this token.
pub async fn by_token(
    engine: &dyn Engine,
    vault: &TenantVault,
    token_hash: [u8; 32],
) -> Result<Option<UserInvitationRow>, StorageError> {
    let rows =
        read(engine, vault, Statement::new(BY_TOKEN, vec![vault.tenant().into(), token_hash.into()])).await?;
    Ok(rows.into_iter().next())
}

/// Invitations in the order in which they were made, after `after`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<UserInvitationRow>, StorageError> {
    let params = vec![vault.tenant().into(), after.unwrap_or(Uuid::nil()).into(), limit.into()];
    read(engine, vault, Statement::new(LIST, params)).await
}

async fn read(
    engine: &dyn Engine,
    vault: &TenantVault,
    statement: Statement,
) -> Result<Vec<UserInvitationRow>, StorageError> {
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<UserInvitationRow, StorageError> {
    let invitation_id = columns.uuid("invitation_id")?;
    let binding = invitation_id.as_bytes();
    Ok(UserInvitationRow {
        invitation_id,
        token_hash: columns.bytes32("token_hash")?,
        email: columns.sealed_text(vault, binding, "email")?,
        profile: Zeroizing::new(columns.sealed_text(vault, binding, "profile")?),
        created_at: columns.int("created_at")?,
        expires_at: columns.int("expires_at")?,
        version: columns.int("version")?,
    })
}
