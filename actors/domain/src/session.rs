//! One session: its life, its refresh tokens, its end.

mod changes;
mod concurrency;
mod ending;
mod policy;
mod reauthentication;

pub use changes::{SessionEvent, SessionWrite};
pub use concurrency::{SESSION_LIMIT, begin};
pub use ending::{RevocationReason, revoke, revoke_all};
pub use policy::{AtLimit, SessionPolicy};
pub use reauthentication::reauthenticate;

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{SessionId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
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

    /// Whether it has to be written down that the session is seen at `now`.
    pub fn is_sighting_due(&self, now: Timestamp) -> bool {
        now.since(self.last_seen_at) >= SEEN_TO_WITHIN
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

/// Decides what a genuine refresh token gets; `next_hash` is the SHA-256 of the token prepared to follow it.
pub fn refresh(
    session: &Session,
    presented: PresentedRefresh,
    next_hash: [u8; 32],
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<RefreshOutcome> {
    if let Err(ended) = session.check_live(now) {
        return Decision::reply_only(RefreshOutcome::Ended(ended));
    }
    if presented.generation > session.generation {
        // Genuine, yet from the future: the database was restored to an older state.
        return Decision::reply_only(RefreshOutcome::Invalid);
    }
    if presented.generation < session.generation {
        return match session.is_retry(&presented, policy, now) {
            true => repeat(session),
            false => reuse(session, presented, now),
        };
    }
    if !bool::from(presented.hash.ct_eq(&session.refresh_hash)) {
        return Decision::reply_only(RefreshOutcome::Invalid);
    }
    let generation = session.generation + 1;
    Decision {
        writes: vec![Write::RotateRefresh {
            session: session.id,
            generation,
            token_hash: next_hash,
            idle_expires_at: policy.idle_expires_at(now),
            at: now,
            client: presented.client,
            expected_version: session.version,
        }],
        events: vec![Event::SessionRefreshed { session: session.id, generation }],
        reply: RefreshOutcome::Rotated,
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
