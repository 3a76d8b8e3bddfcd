//! Proving oneself again in a session that goes on.

use super::changes::{SessionEvent, SessionWrite};
use super::following::{Next, staying};
use super::policy::SessionPolicy;
use super::{RefreshOutcome, Session};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::organization::Candidate;
use crate::time::Timestamp;

/// Renews the time of authentication; what the session was reached with is replaced, so that whoever took it before
/// has nothing of it. `next_hash` is the SHA-256 of the token prepared to follow; `candidate` the organization the
/// session is active in, if its user still belongs to it.
pub fn reauthenticate(
    session: &Session,
    next_hash: [u8; 32],
    client: Option<[u8; 32]>,
    candidate: Option<&Candidate>,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<RefreshOutcome> {
    if let Err(ended) = session.check_live(now) {
        return Decision::reply_only(RefreshOutcome::Ended(ended));
    }
    let generation = session.generation.saturating_add(1);
    let event = Event::Session(SessionEvent::Reauthenticated { session: session.id, generation });
    if session.organization.is_some() {
        let next = Next { generation, hash: next_hash, client, authenticated_at: now };
        return staying(session, next, candidate, event, policy, now);
    }
    let write = SessionWrite::Reauthenticate {
        session: session.id,
        generation,
        token_hash: next_hash,
        idle_expires_at: policy.idle_expires_at(now),
        at: now,
        client,
        expected_version: session.version,
    };
    Decision { writes: vec![Write::Session(write)], events: vec![event], reply: RefreshOutcome::Rotated }
}
