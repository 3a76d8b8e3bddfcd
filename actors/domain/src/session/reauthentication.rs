//! Proving oneself again in a session that goes on.

use super::changes::{SessionEvent, SessionWrite};
use super::policy::SessionPolicy;
use super::{RefreshOutcome, Session};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::time::Timestamp;

/// Renews the time of authentication; what the session was reached with is replaced, so that whoever took it before
/// has nothing of it. `next_hash` is the SHA-256 of the token prepared to follow.
pub fn reauthenticate(
    session: &Session,
    next_hash: [u8; 32],
    client: Option<[u8; 32]>,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<RefreshOutcome> {
    if let Err(ended) = session.check_live(now) {
        return Decision::reply_only(RefreshOutcome::Ended(ended));
    }
    let generation = session.generation.saturating_add(1);
    let write = SessionWrite::Reauthenticate {
        session: session.id,
        generation,
        token_hash: next_hash,
        idle_expires_at: policy.idle_expires_at(now),
        at: now,
        client,
        expected_version: session.version,
    };
    let event = SessionEvent::Reauthenticated { session: session.id, generation };
    Decision {
        writes: vec![Write::Session(write)],
        events: vec![Event::Session(event)],
        reply: RefreshOutcome::Rotated,
    }
}
