//! Who may sign in: blocking, locking, deleting with a grace period.

use super::event::{Happening, UserEvent};
use super::write::UserWrite;
use super::{UNKNOWN_USER, User};
use crate::account::Standing;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::input::InvalidInput;
use crate::precondition::Precondition;
use crate::session::RevocationReason;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest lock: beyond it a block is meant.
const LONGEST_LOCK: Duration = Duration::from_secs(366 * 86_400);

/// What a tenant may configure of the life of its users.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserPolicy {
    /// Seconds in which a deleted user can be restored; after them it is purged.
    pub deletion_grace_seconds: u32,
}

impl Default for UserPolicy {
    fn default() -> Self {
        Self { deletion_grace_seconds: 30 * 86_400 }
    }
}

/// A change of a user's standing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StandingChange {
    /// No sign-in from now on, and no session left.
    Block,
    /// Ends a block.
    Unblock,
    /// No sign-in for a time; sessions go on.
    Lock {
        /// Until when.
        until: Timestamp,
    },
    /// Ends a lock.
    Unlock,
    /// To be purged after the grace period; no sign-in from now on, and no session left.
    Delete,
    /// Ends a deletion that is not done yet.
    Restore,
}

impl StandingChange {
    /// Checks a lock.
    pub fn lock(until: Timestamp, now: Timestamp) -> Result<Self, InvalidInput> {
        if until <= now || until > now.plus(LONGEST_LOCK) {
            let detail = "choose a time in the future, at most a year ahead; block the user for longer";
            return Err(InvalidInput::new("until", "out_of_range", detail));
        }
        Ok(Self::Lock { until })
    }

    const fn happening(self) -> Happening {
        match self {
            Self::Block => Happening::Blocked,
            Self::Unblock => Happening::Unblocked,
            Self::Lock { .. } => Happening::Locked,
            Self::Unlock => Happening::Unlocked,
            Self::Delete => Happening::Deleted,
            Self::Restore => Happening::Restored,
        }
    }

    /// Why sessions end, if they do.
    const fn ends_sessions(self) -> Option<RevocationReason> {
        match self {
            Self::Block => Some(RevocationReason::UserBlocked),
            Self::Delete => Some(RevocationReason::UserDeleted),
            Self::Unblock | Self::Lock { .. } | Self::Unlock | Self::Restore => None,
        }
    }

    fn apply_to(self, standing: Standing, policy: &UserPolicy, now: Timestamp) -> Standing {
        let grace = Duration::from_secs(policy.deletion_grace_seconds.into());
        match self {
            Self::Block => Standing { blocked: true, ..standing },
            Self::Unblock => Standing { blocked: false, ..standing },
            Self::Lock { until } => Standing { locked_until: Some(until), ..standing },
            Self::Unlock => Standing { locked_until: None, ..standing },
            // Deleting twice does not move the end of the grace period.
            Self::Delete => Standing { purge_at: standing.purge_at.or(Some(now.plus(grace))), ..standing },
            Self::Restore => Standing { purge_at: None, ..standing },
        }
    }
}

/// Whether sessions of the user ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionsAfter {
    /// They go on.
    Kept,
    /// All of them ended.
    Ended,
}

/// Changes a user's standing. What is already so is not written again.
pub fn change_standing(
    user: &User,
    change: StandingChange,
    precondition: &Precondition,
    policy: &UserPolicy,
    now: Timestamp,
) -> Result<Decision<SessionsAfter>, Denial> {
    if user.standing.purge_at.is_some_and(|at| at <= now) {
        return Err(UNKNOWN_USER);
    }
    precondition.check(user.version)?;
    if !matches!(change, StandingChange::Delete | StandingChange::Restore) {
        user.check_kept()?;
    }
    let standing = change.apply_to(user.standing, policy, now);
    if standing == user.standing {
        return Ok(Decision::reply_only(SessionsAfter::Kept));
    }
    let id = user.id;
    let set = UserWrite::SetStanding { user: id, standing, expected_version: user.version, at: now };
    let (mut writes, mut events) =
        (vec![Write::User(set)], vec![Event::User(UserEvent { user: id, what: change.happening() })]);
    let mut reply = SessionsAfter::Kept;
    if let Some(reason) = change.ends_sessions() {
        writes.push(Write::RevokeUserSessions { user: id, kept: None, reason, at: now });
        events.push(Event::UserSessionsRevoked { user: id, kept: None, reason });
        reply = SessionsAfter::Ended;
    }
    Ok(Decision { writes, events, reply })
}

/// Purges a user whose grace period is over.
pub fn purge(user: crate::id::UserId, expected_version: i64) -> Decision<()> {
    Decision {
        writes: vec![Write::User(UserWrite::Purge { user, expected_version })],
        events: vec![Event::User(UserEvent { user, what: Happening::Purged })],
        reply: (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountState;
    use crate::user::USER_DELETED;
    use crate::user::testing::ada;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn run(user: &User, change: StandingChange) -> Result<Decision<SessionsAfter>, Denial> {
        change_standing(user, change, &Precondition::None, &UserPolicy::default(), NOW)
    }

    fn after(user: &User, change: StandingChange) -> User {
        let decision = run(user, change).expect("allowed");
        match decision.writes.first() {
            Some(Write::User(UserWrite::SetStanding { standing, .. })) => {
                User { standing: *standing, ..user.clone() }
            }
            _ => user.clone(),
        }
    }

    #[test]
    fn blocking_and_deleting_end_sessions_and_locking_does_not() {
        for (change, state, ended) in [
            (StandingChange::Block, AccountState::Blocked, SessionsAfter::Ended),
            (StandingChange::Delete, AccountState::Deleted, SessionsAfter::Ended),
            (
                StandingChange::Lock { until: NOW.plus(Duration::from_secs(9)) },
                AccountState::Locked,
                SessionsAfter::Kept,
            ),
        ] {
            let decision = run(&ada(), change).expect("allowed");
            assert_eq!(decision.reply, ended);
            assert_eq!(decision.events.len(), decision.writes.len());
            assert_eq!(after(&ada(), change).standing.state(NOW), state);
            let twice = run(&after(&ada(), change), change).expect("allowed");
            assert!(twice.writes.is_empty() && twice.events.is_empty(), "{change:?} twice");
        }
    }

    #[test]
    fn everything_can_be_undone_and_a_restored_user_is_as_blocked_as_before() {
        let blocked = after(&ada(), StandingChange::Block);
        assert_eq!(after(&blocked, StandingChange::Unblock), ada());
        let deleted = after(&blocked, StandingChange::Delete);
        for refused in [StandingChange::Block, StandingChange::Unblock, StandingChange::Unlock] {
            assert_eq!(run(&deleted, refused).expect_err("being deleted"), USER_DELETED);
        }
        assert_eq!(after(&deleted, StandingChange::Restore), blocked);
    }

    #[test]
    fn a_lock_ends_by_itself_and_a_grace_period_too() {
        let until = NOW.plus(Duration::from_secs(1));
        let locked = after(&ada(), StandingChange::Lock { until });
        assert_eq!(locked.standing.state(until), AccountState::Active);
        let mut due = ada();
        due.standing.purge_at = Some(NOW);
        assert_eq!(run(&due, StandingChange::Restore).expect_err("too late"), UNKNOWN_USER);
        for bad in [
            NOW,
            NOW.plus(LONGEST_LOCK * 2),
            Timestamp::from_millis(i64::MIN),
            Timestamp::from_millis(i64::MAX),
        ] {
            assert!(StandingChange::lock(bad, NOW).is_err(), "{bad:?}");
        }
        assert!(StandingChange::lock(until, NOW).is_ok());
    }
}
