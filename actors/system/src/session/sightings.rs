//! Writing down when a session was seen.
//!
//! Memory knows it from every answer. It is written at most once in a quarter of an hour, behind an answer and not
//! before it, and where a client refreshes as often, by the refresh alone. A crash loses what was not written yet: the
//! time that is shown is then at most that much too early. Nothing is decided by it.

use super::actor::SessionActor;
use super::state::Resident;
use crate::error::ServiceError;
use crate::persist;
use plinto_domain::Timestamp;
use plinto_runtime::{Context, Deadline};
use std::time::Duration;

/// How long writing it down may wait for the ledger.
const NOTE_WAIT: Duration = Duration::from_secs(30);

impl SessionActor {
    /// The session is live at `now` and was asked for.
    pub(super) fn was_seen(&self, cx: &mut Context<Self>, resident: &mut Resident, now: Timestamp) {
        if !resident.session.is_sighting_due(now) {
            return;
        }
        // Also if it fails: while storage is away, not every request should try.
        resident.session.last_seen_at = now;
        let (ledger, key) = (self.ledger.clone(), *cx.key());
        cx.spawn(async move {
            let unit = persist::seen(key.tenant, key.session, now);
            let noted = ledger.append(key.tenant, unit, Deadline::after(NOTE_WAIT)).await;
            if let Err(error) = noted.and_then(|outcome| outcome.map_err(ServiceError::from)) {
                tracing::debug!(tenant = %key.tenant, %error, "when a session was seen was not written down");
            }
        });
    }
}
