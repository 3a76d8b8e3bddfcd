//! The next refresh token of a session: with the organization it is active in, and in memory.

use super::changes::{OrganizationChange, Placement, SessionEvent, SessionWrite};
use super::organization::{NotAdmitted, Proved, Seat, idle_end};
use super::policy::SessionPolicy;
use super::{RefreshOutcome, Session};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::organization::Candidate;
use crate::time::Timestamp;

/// A refresh token to come.
pub(super) struct Next {
    pub(super) generation: u32,
    pub(super) hash: [u8; 32],
    pub(super) client: Option<[u8; 32]>,
    /// When the user last authenticated.
    pub(super) authenticated_at: Timestamp,
}

/// Gives a session its next token.
pub(super) fn rotate(
    session: &Session,
    hash: [u8; 32],
    client: Option<[u8; 32]>,
    candidate: Option<&Candidate>,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<RefreshOutcome> {
    let generation = session.generation.saturating_add(1);
    let refreshed = Event::SessionRefreshed { session: session.id, generation };
    if session.organization.is_some() {
        let next = Next { generation, hash, client, authenticated_at: session.authenticated_at };
        return staying(session, next, candidate, refreshed, policy, now);
    }
    Decision {
        writes: vec![Write::RotateRefresh {
            session: session.id,
            generation,
            token_hash: hash,
            idle_expires_at: policy.idle_expires_at(now),
            at: now,
            client,
            expected_version: session.version,
        }],
        events: vec![refreshed],
        reply: RefreshOutcome::Rotated,
    }
}

/// Gives a session that is active in an organization its next token, with `event`. It stays there if it may.
pub(super) fn staying(
    session: &Session,
    next: Next,
    candidate: Option<&Candidate>,
    event: Event,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<RefreshOutcome> {
    let active = session.organization.as_ref().map(|active| active.id);
    let proved = Proved { amr: &session.amr, at: next.authenticated_at };
    let admitted = match candidate.filter(|candidate| Some(candidate.id) == active) {
        Some(candidate) => super::admit(candidate, proved, policy, now).map_err(NotAdmitted::Unmet),
        None => Err(NotAdmitted::Unknown),
    };
    let mut events = vec![event];
    if let Err(why) = admitted {
        events.push(Event::Session(SessionEvent::OrganizationChanged {
            session: session.id,
            organization: None,
            why: OrganizationChange::NotAdmitted(why.as_str()),
        }));
    }
    let seat = admitted.ok();
    let placement = Placement {
        session: session.id,
        generation: next.generation,
        token_hash: next.hash,
        idle_expires_at: idle_end(policy, seat.as_ref(), now),
        rotated_at: Some(now),
        client: next.client,
        authenticated_at: next.authenticated_at,
        at: now,
        seat,
        expected_version: session.version,
    };
    Decision {
        writes: vec![Write::Session(SessionWrite::Place(Box::new(placement)))],
        events,
        reply: RefreshOutcome::Rotated,
    }
}

impl Session {
    /// The session as it is once these writes are committed.
    #[must_use]
    pub fn after(&self, writes: &[Write]) -> Self {
        writes.iter().fold(self.clone(), Self::with)
    }

    fn with(mut self, write: &Write) -> Self {
        match write {
            Write::RotateRefresh { generation, token_hash, idle_expires_at, at, client, .. } => {
                self.rotate(*generation, *token_hash, *idle_expires_at, *at, *client);
            }
            Write::Session(SessionWrite::Reauthenticate {
                generation,
                token_hash,
                idle_expires_at,
                at,
                client,
                ..
            }) => {
                self.rotate(*generation, *token_hash, *idle_expires_at, *at, *client);
                self.authenticated_at = *at;
            }
            Write::Session(SessionWrite::Place(placement)) => {
                let Placement { generation, token_hash, idle_expires_at, at, client, .. } = **placement;
                self.rotate(generation, token_hash, idle_expires_at, at, client);
                self.rotated_at = placement.rotated_at;
                self.authenticated_at = placement.authenticated_at;
                self.organization = placement.seat.as_ref().map(Seat::organization).cloned();
            }
            Write::RevokeSession { .. } => self.revoked = true,
            _ => {}
        }
        self
    }

    fn rotate(
        &mut self,
        generation: u32,
        hash: [u8; 32],
        idle_expires_at: Timestamp,
        at: Timestamp,
        client: Option<[u8; 32]>,
    ) {
        (self.generation, self.refresh_hash, self.refresh_client) = (generation, hash, client);
        (self.idle_expires_at, self.rotated_at, self.last_seen_at) = (idle_expires_at, Some(at), at);
        self.version += 1;
    }
}
