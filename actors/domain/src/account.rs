//! The user's account as sign-in sees it.

use crate::id::UserId;
use crate::password::PasswordHash;
use crate::time::Timestamp;

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountState {
    /// May sign in.
    Active,
    /// Blocked until somebody unblocks it.
    Blocked,
    /// Locked for a time.
    Locked,
    /// Being deleted; it can be restored until it is purged.
    Deleted,
}

impl AccountState {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Locked => "locked",
            Self::Deleted => "deleted",
        }
    }
}

/// What decides whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Whether it is blocked.
    pub blocked: bool,
    /// Until when it is locked.
    pub locked_until: Option<Timestamp>,
    /// When it will be purged; only of one that is being deleted.
    pub purge_at: Option<Timestamp>,
}

impl Standing {
    /// The state people see. What weighs more stands before what weighs less.
    pub fn state(&self, now: Timestamp) -> AccountState {
        if self.purge_at.is_some() {
            AccountState::Deleted
        } else if self.blocked {
            AccountState::Blocked
        } else if self.locked_until.is_some_and(|until| until > now) {
            AccountState::Locked
        } else {
            AccountState::Active
        }
    }
}

/// What is stored about an account with a password.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// Whether it may be used.
    pub state: AccountState,
    /// Whether one of its addresses was proved.
    pub any_proved: bool,
    /// The password's hash, if there is one.
    pub password: Option<StoredPassword>,
}

/// A stored password hash and its version for optimistic replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// PHC string.
    pub hash: PasswordHash,
    /// Version of the credential row.
    pub version: i64,
}
