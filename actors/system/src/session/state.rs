use crate::error::ServiceError;
use plinto_domain::session::Session;
use plinto_domain::{SessionId, Timestamp, UserId};
use plinto_storage::repositories::sessions::SessionRow;
use std::time::Duration;
use tokio::time::Instant;

/// What another node may have refreshed is looked up again at most this often.
const LOOK_UP: Duration = Duration::from_secs(1);

/// A session as its actor holds it: the row as last read, and whether it may be out of date.
pub(crate) struct Resident {
    pub(super) session: Session,
    stale: bool,
    read_at: Instant,
}

impl Resident {
    /// Of a row just read.
    pub(super) fn new(session: Session) -> Self {
        Self { session, stale: false, read_at: Instant::now() }
    }

    /// The row may say something else by now: nothing is answered from memory until it was read.
    pub(super) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Takes over the row as just read. A row that is gone was erased with its tenant.
    pub(super) fn renew(&mut self, row: Option<Session>) {
        match row {
            Some(session) => *self = Self::new(session),
            None => self.session.revoked = true,
        }
    }

    /// Whether the row must be read before anything is answered at `now`. What has ended for good stays ended. In a
    /// `shared` database a session that looks idle may have been refreshed through another node.
    pub(super) fn must_read(&self, now: Timestamp, shared: bool) -> bool {
        let session = &self.session;
        if session.revoked || now >= session.expires_at {
            return false;
        }
        let looks_idle = now >= session.idle_expires_at;
        self.stale || (shared && looks_idle && self.is_old())
    }

    /// Like [`Self::must_read`], where a refresh token was presented: another node may have replaced the one memory
    /// takes for the current one, which no node is told of, and a newer one was certainly made elsewhere.
    pub(super) fn must_read_of(&self, generation: u32, now: Timestamp, shared: bool) -> bool {
        let ended = self.session.revoked || now >= self.session.expires_at;
        let elsewhere = generation > self.session.generation || (shared && self.is_old());
        self.must_read(now, shared) || (elsewhere && !ended)
    }

    fn is_old(&self) -> bool {
        self.read_at.elapsed() >= LOOK_UP
    }
}

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
        generation,
        refresh_hash: row.refresh_hash,
        rotated_at: (row.rotated_at > 0).then(|| Timestamp::from_millis(row.rotated_at)),
        refresh_client: row.refresh_client,
        last_seen_at: last_seen(&row),
        revoked: row.revoked_at.is_some(),
        version: row.version,
        amr: row.amr,
    })
}

/// When a session was last seen, as far as its row says: a version that did not note it wrote at least this.
pub(crate) fn last_seen(row: &SessionRow) -> Timestamp {
    Timestamp::from_millis(row.last_seen_at.max(row.rotated_at).max(row.created_at))
}
