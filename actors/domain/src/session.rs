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
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self { access_token_seconds: 600, idle_seconds: 14 * 86_400, absolute_seconds: 90 * 86_400 }
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
}

/// A refresh token whose MAC was already found genuine.
#[derive(Clone, Copy, Debug)]
pub struct PresentedRefresh {
    /// Generation it names.
    pub generation: u32,
    /// SHA-256 of its text.
    pub hash: [u8; 32],
}

/// What became of a refresh.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefreshOutcome {
    /// The next token is good; the session continues.
    Rotated,
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
        return reuse(session, presented, now);
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
            expected_version: session.version,
        }],
        events: vec![Event::SessionRefreshed { session: session.id, generation }],
        reply: RefreshOutcome::Rotated,
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn session(generation: u32) -> Session {
        Session {
            id: SessionId::from_uuid(Uuid::from_u128(1)),
            user: UserId::from_uuid(Uuid::from_u128(2)),
            authenticated_at: NOW,
            expires_at: SessionPolicy::default().expires_at(NOW),
            idle_expires_at: SessionPolicy::default().idle_expires_at(NOW),
            amr: vec!["pwd".into()],
            generation,
            refresh_hash: [7; 32],
            revoked: false,
            version: 4,
        }
    }

    fn present(
        session: &Session,
        generation: u32,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Decision<RefreshOutcome> {
        refresh(session, PresentedRefresh { generation, hash }, [8; 32], &SessionPolicy::default(), now)
    }

    #[test]
    fn the_current_token_rotates_fenced_by_the_version() {
        let decision = present(&session(3), 3, [7; 32], NOW);
        assert_eq!(decision.reply, RefreshOutcome::Rotated);
        assert!(matches!(
            decision.writes[..],
            [Write::RotateRefresh { generation: 4, expected_version: 4, token_hash: [8, ..], .. }]
        ));
    }

    #[test]
    fn a_wrong_hash_of_the_current_generation_is_invalid_and_harmless() {
        let decision = present(&session(3), 3, [9; 32], NOW);
        assert_eq!(decision.reply, RefreshOutcome::Invalid);
        assert!(decision.writes.is_empty());
    }

    #[test]
    fn an_ended_session_neither_rotates_nor_reports_reuse() {
        let mut ended = session(3);
        ended.revoked = true;
        assert_eq!(present(&ended, 1, [7; 32], NOW).reply, RefreshOutcome::Ended(SessionEnded::Revoked));
        let later = session(3).idle_expires_at;
        assert_eq!(
            present(&session(3), 3, [7; 32], later).reply,
            RefreshOutcome::Ended(SessionEnded::Expired)
        );
        assert!(revoke(&ended, RevocationReason::SignOut, NOW).writes.is_empty());
    }

    proptest! {
        #[test]
        fn any_older_generation_revokes_the_family(current in 2_u32..1000, back in 1_u32..1000) {
            prop_assume!(back < current);
            let decision = present(&session(current), current - back, [7; 32], NOW);
            prop_assert_eq!(decision.reply, RefreshOutcome::ReuseDetected);
            let revokes = matches!(decision.writes[..], [Write::RevokeSession { reason: RevocationReason::RefreshReuse, .. }]);
            prop_assert!(revokes);
        }
    }
}
