//! What users granted OAuth clients: one row from the code to the last refresh. The terms are sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "authorizations";
/// Rows nobody needs any more that one [`sweep`] removes at most.
const SWEPT: i64 = 64;

statements! {
    INSERT = "INSERT INTO authorizations (tenant_id, authorization_id, client_id, user_id, session_id, terms, \
              code_expires_at, redeemed_at, generation, rotated_at, refresh_expires_at, proof_key, revoked_at, created_at, \
              version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    GET = "SELECT authorization_id, client_id, user_id, session_id, terms, code_expires_at, redeemed_at, generation, \
           rotated_at, refresh_expires_at, proof_key, revoked_at, created_at, version FROM authorizations \
           WHERE tenant_id = $1 AND authorization_id = $2";
    ADVANCE = "UPDATE authorizations SET redeemed_at = $2, generation = $3, rotated_at = $4, refresh_expires_at = $5, \
               proof_key = $6, version = version + 1 \
               WHERE tenant_id = $1 AND authorization_id = $7 AND version = $8 \
               AND revoked_at IS NULL";
    REVOKE = "UPDATE authorizations SET revoked_at = $2, version = version + 1 \
              WHERE tenant_id = $1 AND authorization_id = $3 AND revoked_at IS NULL";
    REVOKE_ALL = "UPDATE authorizations SET revoked_at = $2, version = version + 1 \
                  WHERE tenant_id = $1 AND user_id = $3 AND client_id = $4 AND revoked_at IS NULL";
    CLIENTS_OF_SESSION = "SELECT DISTINCT client_id FROM authorizations \
                          WHERE tenant_id = $1 AND session_id = $2 AND redeemed_at IS NOT NULL ORDER BY client_id LIMIT $3";
    SWEEP = "DELETE FROM authorizations WHERE tenant_id = $1 AND authorization_id IN \
             (SELECT authorization_id FROM authorizations WHERE tenant_id = $1 AND refresh_expires_at <= $2 \
              ORDER BY refresh_expires_at LIMIT $3)";
}

/// What a user granted a client.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRow {
    /// Its id.
    pub authorization_id: Uuid,
    /// To whom.
    pub client_id: Uuid,
    /// By whom.
    pub user_id: Uuid,
    /// In which session.
    pub session_id: Uuid,
    /// What, as JSON; sealed at rest.
    pub terms: String,
    /// Unix milliseconds.
    pub code_expires_at: i64,
    /// When the code was used, unix milliseconds.
    pub redeemed_at: Option<i64>,
    /// Generation of the current refresh token; 0 where there is none.
    pub generation: u32,
    /// When that one replaced another, unix milliseconds.
    pub rotated_at: Option<i64>,
    /// Until when that one is good, unix milliseconds.
    pub refresh_expires_at: i64,
    /// Thumbprint of the key that one is bound to.
    pub proof_key: Option<String>,
    /// When it ended, unix milliseconds.
    pub revoked_at: Option<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for AuthorizationRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AuthorizationRow")
            .field("authorization_id", &self.authorization_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Adds one.
pub fn insert(vault: &TenantVault, row: &AuthorizationRow) -> Statement {
    let terms = vault.seal(TABLE, row.authorization_id.as_bytes(), "terms", row.terms.as_bytes());
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.authorization_id.into(),
            row.client_id.into(),
            row.user_id.into(),
            row.session_id.into(),
            terms.into(),
            row.code_expires_at.into(),
            row.redeemed_at.into(),
            row.generation.into(),
            row.rotated_at.into(),
            row.refresh_expires_at.into(),
            row.proof_key.as_deref().into(),
            row.revoked_at.into(),
            row.created_at.into(),
            row.version.into(),
        ],
    )
}

/// Where an authorization stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advance<'a> {
    /// When its code was used, unix milliseconds.
    pub redeemed_at: i64,
    /// Generation of the current refresh token.
    pub generation: u32,
    /// When that one replaced another, unix milliseconds.
    pub rotated_at: Option<i64>,
    /// Until when that one is good, unix milliseconds.
    pub refresh_expires_at: i64,
    /// Thumbprint of the key that one is bound to.
    pub proof_key: Option<&'a str>,
}

/// Moves one on that has not ended and whose version is still `expected_version`; otherwise the conflict
/// `authorization_version`.
pub fn advance(tenant: Uuid, authorization: Uuid, to: Advance<'_>, expected_version: i64) -> Statement {
    Statement::new(
        ADVANCE,
        vec![
            tenant.into(),
            to.redeemed_at.into(),
            to.generation.into(),
            to.rotated_at.into(),
            to.refresh_expires_at.into(),
            to.proof_key.into(),
            authorization.into(),
            expected_version.into(),
        ],
    )
    .expecting(1, "authorization_version")
}

/// Ends one that has not ended; otherwise the conflict `authorization_state`.
pub fn revoke(tenant: Uuid, authorization: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE, vec![tenant.into(), at.into(), authorization.into()])
        .expecting(1, "authorization_state")
}

/// Ends all that a user granted a client.
pub fn revoke_all(tenant: Uuid, user: Uuid, client: Uuid, at: i64) -> Statement {
    Statement::new(REVOKE_ALL, vec![tenant.into(), at.into(), user.into(), client.into()])
}

/// Removes some of those whose tokens have all expired by then.
pub fn sweep(tenant: Uuid, before: i64) -> Statement {
    Statement::new(SWEEP, vec![tenant.into(), before.into(), SWEPT.into()])
}

/// One of them.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    authorization: Uuid,
) -> Result<Option<AuthorizationRow>, StorageError> {
    let params = vec![vault.tenant().into(), authorization.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(GET, params)).await?;
    rows.into_iter().next().map(|row| decode(vault, row)).transpose()
}

/// Clients that got tokens in a session, in order of id, at most `limit`.
pub async fn clients_of_session(
    engine: &dyn Engine,
    tenant: Uuid,
    session: Uuid,
    limit: u32,
) -> Result<Vec<Uuid>, StorageError> {
    let statement = Statement::new(CLIENTS_OF_SESSION, vec![tenant.into(), session.into(), limit.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().map(|row| Columns::of(TABLE, row).uuid("client_id")).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<AuthorizationRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let authorization_id = columns.uuid("authorization_id")?;
    Ok(AuthorizationRow {
        authorization_id,
        client_id: columns.uuid("client_id")?,
        user_id: columns.uuid("user_id")?,
        session_id: columns.uuid("session_id")?,
        terms: columns.sealed_text(vault, authorization_id.as_bytes(), "terms")?,
        code_expires_at: columns.int("code_expires_at")?,
        redeemed_at: columns.maybe_int("redeemed_at")?,
        generation: columns.key_version("generation")?,
        rotated_at: columns.maybe_int("rotated_at")?,
        refresh_expires_at: columns.int("refresh_expires_at")?,
        proof_key: columns.maybe_text("proof_key")?,
        revoked_at: columns.maybe_int("revoked_at")?,
        created_at: columns.int("created_at")?,
        version: columns.int("version")?,
    })
}
