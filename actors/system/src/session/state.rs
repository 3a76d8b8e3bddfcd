use crate::error::ServiceError;
use plinto_domain::session::Session;
use plinto_domain::{SessionId, Timestamp, UserId};
use plinto_storage::repositories::sessions::SessionRow;

/// Reads a stored session into the form decisions work on.
pub(crate) fn from_row(row: SessionRow) -> Result<Session, ServiceError> {
    let generation = u32::try_from(row.refresh_generation)
        .map_err(|_| ServiceError::Damaged("session generation out of range"))?;
    Ok(Session {
        id: SessionId::from_uuid(row.session_id),
        user: UserId::from_uuid(row.user_id),
        authenticated_at: Timestamp::from_millis(row.authenticated_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        idle_expires_at: Timestamp::from_millis(row.idle_expires_at),
        amr: row.amr,
        generation,
        refresh_hash: row.refresh_hash,
        revoked: row.revoked_at.is_some(),
        version: row.version,
    })
}
