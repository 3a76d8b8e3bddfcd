//! What happens to users, as the audit ledger records it.

use crate::id::UserId;
use serde_json::{Value, json};

/// Something that happened to a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserEvent {
    /// To whom.
    pub user: UserId,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    /// Blocked until unblocked.
    Blocked,
    /// No longer blocked.
    Unblocked,
    /// Locked for a time.
    Locked,
    /// No longer locked.
    Unlocked,
    /// Marked for deletion.
    Deleted,
    /// No longer marked for deletion.
    Restored,
    /// Removed with everything that belonged to it.
    Purged,
    /// One more address.
    EmailAdded,
    /// One address less.
    EmailRemoved,
    /// Mail goes to another address.
    PrimaryEmailChanged,
    /// An address counts as proved.
    EmailVerified,
    /// It has another picture.
    AvatarSet,
    /// It has no picture any more.
    AvatarRemoved,
}

impl UserEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self.what {
            Happening::Blocked => "user.blocked",
            Happening::Unblocked => "user.unblocked",
            Happening::Locked => "user.locked",
            Happening::Unlocked => "user.unlocked",
            Happening::Deleted => "user.deleted",
            Happening::Restored => "user.restored",
            Happening::Purged => "user.purged",
            Happening::EmailAdded => "user.email_added",
            Happening::EmailRemoved => "user.email_removed",
            Happening::PrimaryEmailChanged => "user.primary_email_changed",
            Happening::EmailVerified => "user.email_verified",
            Happening::AvatarSet => "user.avatar_set",
            Happening::AvatarRemoved => "user.avatar_removed",
        }
    }

    /// Whether other nodes may have in memory what it changed: attributes of users are kept for flags and policies.
    pub const fn concerns_other_nodes(&self) -> bool {
        match self.what {
            Happening::Purged
            | Happening::EmailAdded
            | Happening::EmailRemoved
            | Happening::PrimaryEmailChanged
            | Happening::EmailVerified => true,
            Happening::Blocked
            | Happening::Unblocked
            | Happening::Locked
            | Happening::Unlocked
            | Happening::Deleted
            | Happening::Restored
            | Happening::AvatarSet
            | Happening::AvatarRemoved => false,
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        self.user.to_string()
    }

    /// The facts: none beyond the name and the subject.
    pub fn data(&self) -> Value {
        json!({})
    }
}
