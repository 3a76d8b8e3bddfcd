use super::glance::Glance;
use crate::error::ServiceError;
use crate::persist;
use plinto_domain::id::OrganizationId;
use plinto_domain::session::{ActiveOrganization, NamedOrganization, Session, SessionEnded};
use plinto_domain::{SessionId, Timestamp, UserId};
use plinto_storage::repositories::sessions::SessionRow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What another node may have refreshed is looked up again at most this often.
const LOOK_UP: Duration = Duration::from_secs(1);

/// A session as its actor holds it: the row as last read, and whether it may be out of date.
pub(crate) struct Resident {
    pub(super) session: Session,
    stale: bool,
    read_at: Instant,
    /// The same by the clock that tokens are issued by.
    read_on: Timestamp,
    glance: Arc<Glance>,
}

/// However the actor ends, nothing is seen of it afterwards.
impl Drop for Resident {
    fn drop(&mut self) {
        self.hide();
    }
}

impl Resident {
    /// Of a row just read.
    pub(super) fn new(session: Session, now: Timestamp) -> Self {
        let glance = Arc::default();
        Self { session, stale: false, read_at: Instant::now(), read_on: now, glance }
    }

    /// What callers see of it.
    pub(super) fn glance(&self) -> Arc<Glance> {
        Arc::clone(&self.glance)
    }

    /// Nothing is seen of it until [`Self::show`].
    pub(super) fn hide(&self) {
        self.glance.show(None);
    }

    /// Lets callers see until when it is live and the actor has nothing else to do than to say so.
    pub(super) fn show(&self) {
        let session = &self.session;
        let known = !session.revoked && !self.stale;
        let until = session.expires_at.min(session.idle_expires_at).min(session.sighting_due_at());
        self.glance.show(known.then_some(until));
    }

    /// The row may say something else by now: nothing is answered from memory until it was read.
    pub(super) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Takes over the row as just read. A row that is gone was erased with its tenant.
    pub(super) fn renew(&mut self, row: Option<Session>, now: Timestamp) {
        match row {
            Some(session) => {
                self.session = session;
                self.stale = false;
                self.read_at = Instant::now();
                self.read_on = now;
            }
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

    /// The same where an access token names an organization: another node may have made the session active there after
    /// the row was read, which a token that was issued later says for certain.
    pub(super) fn must_read_in(
        &self,
        named: Option<&NamedOrganization>,
        now: Timestamp,
        shared: bool,
    ) -> bool {
        let elsewhere = shared
            && named.is_some_and(|named| {
                let is_unknown =
                    self.session.check_token(Some(named), now) == Err(SessionEnded::OrganizationLeft);
                is_unknown && (named.issued_at >= self.read_on.as_seconds() || self.is_old())
            });
        self.must_read(now, shared) || elsewhere
    }

    fn is_old(&self) -> bool {
        self.read_at.elapsed() >= LOOK_UP
    }
}

/// Reads a stored session into the form decisions work on.
pub(crate) fn from_row(row: SessionRow) -> Result<Session, ServiceError> {
    let generation = u32::try_from(row.refresh_generation)
        .map_err(|_| ServiceError::Damaged("session generation out of range"))?;
    let last_seen_at = last_seen(&row);
    let organization = row.organization.map(|active| {
        Ok::<_, ServiceError>(ActiveOrganization {
            id: OrganizationId::from_uuid(active.organization_id),
            role: persist::organizations::role(&active.role)?,
            until: active.until.map(Timestamp::from_millis),
        })
    });
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
        last_seen_at,
        revoked: row.revoked_at.is_some(),
        organization: organization.transpose()?,
        version: row.version,
        amr: row.amr,
    })
}

/// When a session was last seen, as far as its row says: a version that did not note it wrote at least this.
pub(crate) fn last_seen(row: &SessionRow) -> Timestamp {
    Timestamp::from_millis(row.last_seen_at.max(row.rotated_at).max(row.created_at))
}
