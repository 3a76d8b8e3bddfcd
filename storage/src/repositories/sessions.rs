//! Sessions of users. Where they came from is sealed; refresh tokens are kept as hashes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::LAST;
use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "sessions";

statements! {
    INSERT = "INSERT INTO sessions (tenant_id, session_id, user_id, created_at, authenticated_at, expires_at, \
              idle_expires_at, amr, client, refresh_generation, refresh_hash, rotated_at, refresh_client, \
              key_version, revoked_at, revoked_reason, version, last_seen_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    GET = "SELECT session_id, user_id, created_at, authenticated_at, expires_at, idle_expires_at, amr, client, \
           refresh_generation, refresh_hash, rotated_at, refresh_client, key_version, revoked_at, revoked_reason, \
           version, last_seen_at, organization_id, organization_role, organization_until \
           FROM sessions WHERE tenant_id = $1 AND session_id = $2";
    LIST_FOR_USER = "SELECT session_id, user_id, created_at, authenticated_at, expires_at, idle_expires_at, amr, \
                     client, refresh_generation, refresh_hash, rotated_at, refresh_client, key_version, revoked_at, \
                     revoked_reason, version, last_seen_at, organization_id, organization_role, organization_until \
                     FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND session_id < $3 \
                     ORDER BY session_id DESC LIMIT $4";
    LIST_LIVE_FOR_USER = "SELECT session_id, user_id, created_at, authenticated_at, expires_at, idle_expires_at, amr, \
                          client, refresh_generation, refresh_hash, rotated_at, refresh_client, key_version, \
                          revoked_at, revoked_reason, version, last_seen_at, organization_id, organization_role, \
                          organization_until \
                          FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND session_id < $3 \
                          AND revoked_at IS NULL AND expires_at > $4 AND idle_expires_at > $4 \
                          ORDER BY session_id DESC LIMIT $5";
    LIVE_OF_USER = "SELECT session_id FROM sessions WHERE tenant_id = $1 AND user_id = $2 \
                    AND revoked_at IS NULL AND expires_at > $3 AND idle_expires_at > $3 ORDER BY session_id";
    ROTATE_REFRESH = "UPDATE sessions SET refresh_generation = $2, refresh_hash = $3, idle_expires_at = $4, \
                      rotated_at = $5, last_seen_at = $5, refresh_client = $6, version = version + 1 \
                      WHERE tenant_id = $1 AND session_id = $7 AND version = $8 AND revoked_at IS NULL";
    REAUTHENTICATE = "UPDATE sessions SET refresh_generation = $2, refresh_hash = $3, idle_expires_at = $4, \
                      rotated_at = $5, last_seen_at = $5, authenticated_at = $5, refresh_client = $6, \
                      version = version + 1 \
                      WHERE tenant_id = $1 AND session_id = $7 AND version = $8 AND revoked_at IS NULL";
    WITHIN_LIMIT = "UPDATE sessions SET version = version WHERE tenant_id = $1 AND session_id = $2 \
                    AND (SELECT count(*) FROM sessions AS live WHERE live.tenant_id = $1 AND live.user_id = $3 \
                    AND live.revoked_at IS NULL AND live.expires_at > $4 AND live.idle_expires_at > $4) <= $5";
    REVOKE = "UPDATE sessions SET revoked_at = $2, revoked_reason = $3, version = version + 1 \
              WHERE tenant_id = $1 AND session_id = $4 AND revoked_at IS NULL";
    REVOKE_AT = "UPDATE sessions SET revoked_at = $2, revoked_reason = $3, version = version + 1 \
                 WHERE tenant_id = $1 AND session_id = $4 AND version = $5 AND revoked_at IS NULL";
    REVOKE_ALL_FOR_USER = "UPDATE sessions SET revoked_at = $2, revoked_reason = $3, version = version + 1 \
                           WHERE tenant_id = $1 AND user_id = $4 AND revoked_at IS NULL";
    REVOKE_OTHERS_OF_USER = "UPDATE sessions SET revoked_at = $2, revoked_reason = $3, version = version + 1 \
                             WHERE tenant_id = $1 AND user_id = $4 AND session_id <> $5 AND revoked_at IS NULL";
    NOTE_SEEN = "UPDATE sessions SET last_seen_at = $2 \
                 WHERE tenant_id = $1 AND session_id = $3 AND last_seen_at < $2";
}

/// Where a session was begun.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Network address.
    pub address: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for ClientInfo {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ClientInfo(..)")
    }
}

/// A session.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id (UUIDv7: lists are newest first by id).
    pub session_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// Unix milliseconds.
    pub created_at: i64,
    /// When the user last proved itself, unix milliseconds.
    pub authenticated_at: i64,
    /// Ends then whatever happens, unix milliseconds.
    pub expires_at: i64,
    /// Ends then unless refreshed, unix milliseconds.
    pub idle_expires_at: i64,
    /// How the user proved itself (RFC 8176).
    pub amr: Vec<String>,
    /// Where it was begun; sealed at rest.
    pub client: Option<ClientInfo>,
    /// How often the refresh token was rotated.
    pub refresh_generation: i64,
    /// Hash of the current refresh token.
    pub refresh_hash: [u8; 32],
    /// When the refresh token was last rotated, unix milliseconds; 0 if never.
    pub rotated_at: i64,
    /// Blind index of the client that asked for that rotation, if it is known.
    pub refresh_client: Option<[u8; 32]>,
    /// Data-key version its keys are derived at.
    pub key_version: u32,
    /// Unix milliseconds; dead from then on.
    pub revoked_at: Option<i64>,
    /// Why, as a short code.
    pub revoked_reason: Option<String>,
    /// Grows by one with each change but that of `last_seen_at`, which no decision depends on.
    pub version: i64,
    /// When it was last seen, unix milliseconds; not later than it really was.
    pub last_seen_at: i64,
    /// The organization it is active in; see [`super::session_organizations`], which writes it.
    pub organization: Option<ActiveOrganization>,
}

/// The organization a session is active in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActiveOrganization {
    /// Which.
    pub organization_id: Uuid,
    /// Role of the user in it.
    pub role: String,
    /// Until when, unix milliseconds; none as long as the session lives.
    pub until: Option<i64>,
}

impl std::fmt::Debug for SessionRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SessionRow")
            .field("session_id", &self.session_id)
            .field("user_id", &self.user_id)
            .field("refresh_generation", &self.refresh_generation)
            .field("revoked_at", &self.revoked_at)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Adds a session, active in no organization yet.
pub fn insert(vault: &TenantVault, row: &SessionRow) -> Statement {
    let client = row.client.as_ref().map(|client| {
        let json = serde_json::to_vec(client).expect("two optional strings always serialize");
        vault.seal(TABLE, row.session_id.as_bytes(), "client", &json)
    });
    let amr = serde_json::to_string(&row.amr).expect("a list of strings always serializes");
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.session_id.into(),
            row.user_id.into(),
            row.created_at.into(),
            row.authenticated_at.into(),
            row.expires_at.into(),
            row.idle_expires_at.into(),
            amr.into(),
            client.into(),
            row.refresh_generation.into(),
            row.refresh_hash.into(),
            row.rotated_at.into(),
            row.refresh_client.into(),
            row.key_version.into(),
            row.revoked_at.into(),
            row.revoked_reason.clone().into(),
            row.version.into(),
            row.last_seen_at.into(),
        ],
    )
}

/// The next refresh token of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Which session.
    pub session_id: Uuid,
    /// Its version as last seen.
    pub expected_version: i64,
    /// The new generation.
    pub generation: i64,
    /// Hash of the new token.
    pub hash: [u8; 32],
    /// New idle expiry, unix milliseconds.
    pub idle_expires_at: i64,
    /// When, unix milliseconds.
    pub rotated_at: i64,
    /// Blind index of the client that asked for it, if it is known.
    pub client: Option<[u8; 32]>,
}

/// Rotates the refresh token of a live session of that version; otherwise the conflict `session_version`.
pub fn rotate_refresh(tenant: Uuid, rotation: &Rotation) -> Statement {
    rotate(ROTATE_REFRESH, tenant, rotation)
}

/// The same where the user has just proved itself again.
pub fn reauthenticate(tenant: Uuid, rotation: &Rotation) -> Statement {
    rotate(REAUTHENTICATE, tenant, rotation)
}

fn rotate(text: &'static str, tenant: Uuid, rotation: &Rotation) -> Statement {
    Statement::new(
        text,
        vec![
            tenant.into(),
            rotation.generation.into(),
            rotation.hash.into(),
            rotation.idle_expires_at.into(),
            rotation.rotated_at.into(),
            rotation.client.into(),
            rotation.session_id.into(),
            rotation.expected_version.into(),
        ],
    )
    .expecting(1, "session_version")
}

/// Demands that the user of a new session has at most `most` live ones, that one included; otherwise the conflict
/// `session_limit`. It comes after the insert: transactions of a tenant follow one another, so what it counts is all.
pub fn within_limit(tenant: Uuid, new: Uuid, user_id: Uuid, now: i64, most: u32) -> Statement {
    let params = vec![tenant.into(), new.into(), user_id.into(), now.into(), most.into()];
    Statement::new(WITHIN_LIMIT, params).expecting(1, "session_limit")
}

/// Revokes a session that is not revoked, whatever its version; otherwise the conflict `session_state`.
pub fn revoke(tenant: Uuid, session_id: Uuid, at: i64, reason: &str) -> Statement {
    Statement::new(REVOKE, vec![tenant.into(), at.into(), reason.into(), session_id.into()])
        .expecting(1, "session_state")
}

/// Revokes a live session of that version; otherwise the conflict `session_version`.
pub fn revoke_at(tenant: Uuid, session_id: Uuid, at: i64, reason: &str, expected_version: i64) -> Statement {
    Statement::new(
        REVOKE_AT,
        vec![tenant.into(), at.into(), reason.into(), session_id.into(), expected_version.into()],
    )
    .expecting(1, "session_version")
}

/// Revokes every live session of a user, however many.
pub fn revoke_all_for_user(tenant: Uuid, user_id: Uuid, at: i64, reason: &str) -> Statement {
    Statement::new(REVOKE_ALL_FOR_USER, vec![tenant.into(), at.into(), reason.into(), user_id.into()])
}

/// Revokes every live session of a user but one.
pub fn revoke_others_of_user(tenant: Uuid, user_id: Uuid, kept: Uuid, at: i64, reason: &str) -> Statement {
    let params = vec![tenant.into(), at.into(), reason.into(), user_id.into(), kept.into()];
    Statement::new(REVOKE_OTHERS_OF_USER, params)
}

/// Notes that a session was seen, unless it is known to have been seen later.
pub fn note_seen(tenant: Uuid, session_id: Uuid, at: i64) -> Statement {
    Statement::new(NOTE_SEEN, vec![tenant.into(), at.into(), session_id.into()])
}

/// One session, live or not.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    session_id: Uuid,
) -> Result<Option<SessionRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), session_id.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, row)).transpose()
}

/// Sessions of a user, newest first, those before the session `cursor`, at most `limit`.
pub async fn list_for_user(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
    limit: u32,
    cursor: Option<Uuid>,
) -> Result<Vec<SessionRow>, StorageError> {
    let before = cursor.unwrap_or(LAST);
    let statement = Statement::new(
        LIST_FOR_USER,
        vec![vault.tenant().into(), user_id.into(), before.into(), limit.into()],
    );
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

/// Sessions of a user that are live at `now`, newest first, those before the session `cursor`, at most `limit`.
pub async fn list_live_for_user(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
    now: i64,
    limit: u32,
    cursor: Option<Uuid>,
) -> Result<Vec<SessionRow>, StorageError> {
    let before = cursor.unwrap_or(LAST);
    let params = vec![vault.tenant().into(), user_id.into(), before.into(), now.into(), limit.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST_LIVE_FOR_USER, params)).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

/// Ids of all sessions of a user that are live at `now`, oldest first.
pub async fn live_of_user(
    engine: &dyn Engine,
    tenant: Uuid,
    user_id: Uuid,
    now: i64,
) -> Result<Vec<Uuid>, StorageError> {
    let statement = Statement::new(LIVE_OF_USER, vec![tenant.into(), user_id.into(), now.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().map(|row| Columns::of(TABLE, row).uuid("session_id")).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<SessionRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let session_id = columns.uuid("session_id")?;
    Ok(SessionRow {
        session_id,
        user_id: columns.uuid("user_id")?,
        created_at: columns.int("created_at")?,
        authenticated_at: columns.int("authenticated_at")?,
        expires_at: columns.int("expires_at")?,
        idle_expires_at: columns.int("idle_expires_at")?,
        amr: columns.json("amr")?,
        client: columns
            .maybe_sealed(vault, session_id.as_bytes(), "client")?
            .map(|json| serde_json::from_slice(&json).map_err(|_| StorageError::decode("sessions.client")))
            .transpose()?,
        refresh_generation: columns.int("refresh_generation")?,
        refresh_hash: columns.bytes32("refresh_hash")?,
        rotated_at: columns.int("rotated_at")?,
        refresh_client: columns.maybe_bytes32("refresh_client")?,
        key_version: columns.key_version("key_version")?,
        revoked_at: columns.maybe_int("revoked_at")?,
        revoked_reason: columns.maybe_text("revoked_reason")?,
        version: columns.int("version")?,
        last_seen_at: columns.int("last_seen_at")?,
        organization: active_organization(&mut columns)?,
    })
}

fn active_organization(columns: &mut Columns) -> Result<Option<ActiveOrganization>, StorageError> {
    let organization_id = columns.maybe_uuid("organization_id")?;
    let role = columns.maybe_text("organization_role")?;
    let until = columns.maybe_int("organization_until")?;
    match (organization_id, role) {
        (Some(organization_id), Some(role)) => Ok(Some(ActiveOrganization { organization_id, role, until })),
        (None, None) => Ok(None),
        _ => Err(StorageError::decode("sessions.organization_role")),
    }
}
