//! The end of sessions.

use super::Session;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::id::{SessionId, UserId};
use crate::time::Timestamp;

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevocationReason {
    /// Its user signed out of it.
    SignOut,
    /// Its user signed out everywhere.
    SignOutEverywhere,
    /// A replaced refresh token was presented again.
    RefreshReuse,
    /// Its user ended it from another session.
    EndedByUser,
    /// A service or an operator ended it.
    EndedByOperator,
    /// The password was changed.
    PasswordChanged,
    /// Its user began another, and may have no more.
    SessionLimit,
    /// Its user was erased.
    UserErased,
    /// Its user was blocked.
    UserBlocked,
    /// Its user was deleted.
    UserDeleted,
}

impl RevocationReason {
    /// Stable text, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignOut => "sign_out",
            Self::SignOutEverywhere => "sign_out_everywhere",
            Self::RefreshReuse => "refresh_reuse",
            Self::EndedByUser => "ended_by_user",
            Self::EndedByOperator => "ended_by_operator",
            Self::PasswordChanged => "password_changed",
            Self::SessionLimit => "session_limit",
            Self::UserErased => "user_erased",
            Self::UserBlocked => "user_blocked",
            Self::UserDeleted => "user_deleted",
        }
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

/// Ends every session of a user, but for the one that is kept.
pub fn revoke_all(
    user: UserId,
    kept: Option<SessionId>,
    reason: RevocationReason,
    now: Timestamp,
) -> Decision<()> {
    Decision {
        writes: vec![Write::RevokeUserSessions { user, kept, reason, at: now }],
        events: vec![Event::UserSessionsRevoked { user, kept, reason }],
        reply: (),
    }
}
