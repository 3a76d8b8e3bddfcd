//! One session: its life, its refresh tokens, its end.

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::id::{SessionId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevocationReason {
    /// Its user signed out of it.
    SignOut,
    /// Its user signed out everywhere.
    SignOutEverywhere,
    /// A replaced refresh token was presented again.
    RefreshReuse,
}

impl RevocationReason {
    /// Stable text, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignOut => "sign_out",
            Self::SignOutEverywhere => "sign_out_everywhere",
            Self::RefreshReuse => "refresh_reuse",
        }
    }
}

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

/// How long sessions live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionPolicy {
    /// Seconds an access token is good for.
    pub access_token_seconds: u32,
    /// Seconds after which a session ends if it is not refreshed.
    pub idle_seconds: u32,
    /// Seconds after which a session ends whatever happens.
    pub absolute_seconds: u32,
    /// Seconds in which the client that had its refresh token replaced may present the replaced one again; 0 is never.
    /// They count from the rotation. If a node or the database stops between the commit and the answer, the client can
    /// only retry once another takes over: a grace shorter than the longest fail-over turns that honest retry into
    /// reuse, which ends the session. A longer one is as much longer for a thief who also appears as the same client.
    pub refresh_grace_seconds: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            access_token_seconds: 600,
            idle_seconds: 14 * 86_400,
            absolute_seconds: 90 * 86_400,
            refresh_grace_seconds: 10,
        }
    }
}

impl SessionPolicy {
    /// Absolute end of a session that begins now.
    pub fn expires_at(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.absolute_seconds.into()))
    }

    /// End by idleness of a session used now.
    pub fn idle_expires_at(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.idle_seconds.into()))
    }

    /// How long a replaced refresh token may come again.
    fn refresh_grace(&self) -> Duration {
        Duration::from_secs(self.refresh_grace_seconds.into())
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

/// Ends a session; ending an ended one changes nothing.
pub fn revoke(session: &Session, reason: RevocationReason, now: Timestamp) -> Decision<()> {
    if session.revoked {
        return Decision::reply_only(());
    }
    Decision {
        writes: vec![Write::RevokeSession { session: session.id, reason, at: now }],
        events: vec![Event::SessionRevoked { session: session.id, user: session.user, reason }],
        reply: (),
    }
}

/// Ends every session of a user.
pub fn revoke_all(user: UserId, reason: RevocationReason, now: Timestamp) -> Decision<()> {
    Decision {
        writes: vec![Write::RevokeUserSessions { user, reason, at: now }],
        events: vec![Event::UserSessionsRevoked { user, reason }],
        reply: (),
    }
}

#[cfg(test)]
mod tests;
