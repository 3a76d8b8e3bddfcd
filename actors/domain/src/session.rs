//! One session: its life, its refresh tokens, its end.

mod changes;
mod concurrency;
mod ending;
mod following;
mod organization;
mod policy;
mod reauthentication;
mod switching;

pub use changes::{OrganizationChange, Placement, SessionEvent, SessionWrite};
pub use concurrency::{SESSION_LIMIT, begin};
pub use ending::{RevocationReason, revoke, revoke_all};
pub(crate) use organization::idle_end;
pub use organization::{
    ActiveOrganization, NamedOrganization, NotAdmitted, Proved, Seat, Sought, Unmet, admit,
};
pub use policy::{AtLimit, SessionPolicy};
pub use reauthentication::reauthenticate;
pub use switching::{SwitchProof, switch};

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{SessionId, UserId};
use crate::organization::Candidate;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// There is no such session, or it is somebody else's.
pub const UNKNOWN_SESSION: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_session",
    "Unknown session",
    "there is no session of this id, or it is not yours",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_SESSION, SESSION_LIMIT];

/// How far behind the truth the time a session was last seen may be. Longer than an access token lives by default: of
/// a client that refreshes, the refresh says it, and nothing else is ever written.
const SEEN_TO_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Where a session was started from. Personal data: sealed at rest, not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientDescription {
    /// Peer address.
    pub address: Option<String>,
    /// User-Agent header, at most 512 bytes.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for ClientDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientDescription(redacted)")
    }
}

/// A session as its actor holds it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// When the user authenticated.
    pub authenticated_at: Timestamp,
    /// Absolute end.
    pub expires_at: Timestamp,
    /// End by idleness.
    pub idle_expires_at: Timestamp,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// Generation of the current refresh token.
    pub generation: u32,
    /// SHA-256 of the current refresh token.
    pub refresh_hash: [u8; 32],
    /// When the refresh token was last rotated, if ever.
    pub rotated_at: Option<Timestamp>,
    /// Blind index of the client that asked for that rotation, if it is known.
    pub refresh_client: Option<[u8; 32]>,
    /// When it was last seen, as far as is written down.
    pub last_seen_at: Timestamp,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The organization it is active in.
    pub organization: Option<ActiveOrganization>,
    /// Version of the stored row, for fencing.
    pub version: i64,
}

/// Why a session is not usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SessionEnded {
    /// It was revoked.
    #[error("session revoked")]
    Revoked,
    /// Its absolute or idle lifetime is over.
    #[error("session expired")]
    Expired,
    /// It is not active (any more) in the organization an access token names, or not in that role.
    #[error("session not active in this organization")]
    OrganizationLeft,
}

impl Session {
    /// Whether the session is usable at `now`.
    pub fn check_live(&self, now: Timestamp) -> Result<(), SessionEnded> {
        if self.revoked {
            Err(SessionEnded::Revoked)
        } else if now >= self.expires_at || now >= self.idle_expires_at {
            Err(SessionEnded::Expired)
        } else {
            Ok(())
        }
    }

    /// Whether an access token of it that names this organization is good at `now`. One that names none is, whatever
    /// organization the session is active in: it gives no right in any.
    pub fn check_token(&self, named: Option<&NamedOrganization>, now: Timestamp) -> Result<(), SessionEnded> {
        self.check_live(now)?;
        match named {
            Some(named) if !self.active_at(now).is_some_and(|active| named.is(active)) => {
                Err(SessionEnded::OrganizationLeft)
            }
            _ => Ok(()),
        }
    }

    /// The organization it is active in at `now`.
    pub fn active_at(&self, now: Timestamp) -> Option<&ActiveOrganization> {
        self.organization.as_ref().filter(|active| active.lasts_at(now))
    }

    /// How its user proved itself.
    pub fn proved(&self) -> Proved<'_> {
        Proved { amr: &self.amr, at: self.authenticated_at }
    }

    /// What the next access token names: the organization it is active in, if its user belongs to it in that role and
    /// its policy is met, as read just now.
    pub fn named<'c>(
        &self,
        candidate: Option<&'c Candidate>,
        policy: &SessionPolicy,
        now: Timestamp,
    ) -> Option<&'c Candidate> {
        let active = self.active_at(now)?;
        let is_it = |candidate: &&Candidate| candidate.id == active.id && candidate.role == active.role;
        candidate.filter(is_it).filter(|candidate| admit(candidate, self.proved(), policy, now).is_ok())
    }

    /// Whether it has to be written down that the session is seen at `now`.
    pub fn is_sighting_due(&self, now: Timestamp) -> bool {
        now >= self.sighting_due_at()
    }

    /// From when on that has to be written down.
    pub fn sighting_due_at(&self) -> Timestamp {
        self.last_seen_at.plus(SEEN_TO_WITHIN)
    }

    /// Whether a genuine token of an older generation is an honest retry: the immediate predecessor, soon after it was
    /// replaced, from the client that had it replaced. The clocks of two nodes may differ either way.
    fn is_retry(&self, presented: &PresentedRefresh, policy: &SessionPolicy, now: Timestamp) -> bool {
        let Some(rotated_at) = self.rotated_at else { return false };
        let apart = now.since(rotated_at).max(rotated_at.since(now));
        let same_client = presented.client.is_some() && presented.client == self.refresh_client;
        let is_predecessor = presented.generation.checked_add(1) == Some(self.generation);
        is_predecessor && same_client && apart < policy.refresh_grace()
    }

    /// What a genuine token of this session is at `now`.
    fn presentation(
        &self,
        presented: &PresentedRefresh,
        policy: &SessionPolicy,
        now: Timestamp,
    ) -> Presentation {
        match presented.generation.cmp(&self.generation) {
            // Genuine, yet from the future: the database was restored to an older state.
            Ordering::Greater => Presentation::Invalid,
            Ordering::Less if self.is_retry(presented, policy, now) => Presentation::Predecessor,
            Ordering::Less => Presentation::Reuse,
            Ordering::Equal if bool::from(presented.hash.ct_eq(&self.refresh_hash)) => Presentation::Current,
            Ordering::Equal => Presentation::Invalid,
        }
    }
}

/// What a genuine refresh token is.
enum Presentation {
    /// The current one.
    Current,
    /// The one before it, in an honest retry.
    Predecessor,
    /// One that was replaced.
    Reuse,
    /// Not one of this session's.
    Invalid,
}

/// A refresh token whose MAC was already found genuine.
#[derive(Clone, Copy, Debug)]
pub struct PresentedRefresh {
    /// Generation it names.
    pub generation: u32,
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    /// Blind index of the client that presents it, if it is known.
    pub client: Option<[u8; 32]>,
}

/// What became of a refresh.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefreshOutcome {
    /// The next token is good; the session continues.
    Rotated,
    /// An honest retry: the current token is given out once more, nothing rotates.
    Repeated,
    /// A replaced token came back: the whole family is revoked (RFC 9700 §4.14.2).
    ReuseDetected,
    /// The session had ended.
    Ended(SessionEnded),
    /// The token is not one of this session's.
    Invalid,
}

/// Decides what a genuine refresh token gets; `next_hash` is the SHA-256 of the token prepared to follow it. A session
/// that is active in an organization stays so if `candidate` says that its user still belongs to it, and if its policy is
/// met; otherwise it goes on without.
pub fn refresh(
    session: &Session,
    presented: PresentedRefresh,
    next_hash: [u8; 32],
    candidate: Option<&Candidate>,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<RefreshOutcome> {
    if let Err(ended) = session.check_live(now) {
        return Decision::reply_only(RefreshOutcome::Ended(ended));
    }
    match session.presentation(&presented, policy, now) {
        Presentation::Invalid => Decision::reply_only(RefreshOutcome::Invalid),
        Presentation::Predecessor => repeat(session),
        Presentation::Reuse => reuse(session, presented, now),
        Presentation::Current => {
            let (hash, client) = (next_hash, presented.client);
            following::rotate(session, hash, client, candidate, policy, now)
        }
    }
}

fn repeat(session: &Session) -> Decision<RefreshOutcome> {
    let (session, generation) = (session.id, session.generation);
    Decision {
        writes: Vec::new(),
        events: vec![Event::SessionRefreshRepeated { session, generation }],
        reply: RefreshOutcome::Repeated,
    }
}

fn reuse(session: &Session, presented: PresentedRefresh, now: Timestamp) -> Decision<RefreshOutcome> {
    let reason = RevocationReason::RefreshReuse;
    Decision {
        writes: vec![Write::RevokeSession { session: session.id, reason, at: now }],
        events: vec![
            Event::RefreshReuseDetected {
                session: session.id,
                presented: presented.generation,
                current: session.generation,
            },
            Event::SessionRevoked { session: session.id, user: session.user, reason },
        ],
        reply: RefreshOutcome::ReuseDetected,
    }
}

#[cfg(test)]
mod tests;
