//! What decisions about users write.

use super::avatar::Picture;
use super::profile::Profile;
use super::search::SearchTerm;
use crate::account::Standing;
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::time::Timestamp;

/// One change of a user. Every change of what belongs to a user also moves the user's version, which fences it.
#[derive(Debug)]
pub enum UserWrite {
    /// A new user.
    Insert {
        /// The new user.
        user: UserId,
        /// What is known of it.
        profile: Box<Profile>,
        /// When.
        at: Timestamp,
    },
    /// What is known of the user.
    SetProfile {
        /// Whose.
        user: UserId,
        /// All of it.
        profile: Box<Profile>,
        /// Version of the user the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// Whether the user may sign in.
    SetStanding {
        /// Whose.
        user: UserId,
        /// From now on.
        standing: Standing,
        /// Version of the user the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// Only the version: something that belongs to the user changes with it.
    Touch {
        /// Whose.
        user: UserId,
        /// Version of the user the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// One more address; unique in the tenant.
    InsertEmail {
        /// Whose.
        user: UserId,
        /// The address.
        email: EmailAddress,
        /// When its owner proved it.
        verified_at: Option<Timestamp>,
        /// Whether mail to the user goes here.
        is_primary: bool,
        /// When.
        at: Timestamp,
    },
    /// One address less.
    RemoveEmail {
        /// Whose.
        user: UserId,
        /// The address.
        email: EmailAddress,
    },
    /// Whether mail to the user goes to an address.
    SetPrimary {
        /// Whose.
        user: UserId,
        /// The address.
        email: EmailAddress,
        /// From now on.
        is_primary: bool,
    },
    /// An address counts as proved.
    VerifyEmail {
        /// Whose.
        user: UserId,
        /// The address.
        email: EmailAddress,
        /// When.
        at: Timestamp,
    },
    /// The user is found by a beginning.
    AddTerm {
        /// Whose.
        user: UserId,
        /// By what.
        term: SearchTerm,
    },
    /// The user is no longer found by a beginning.
    RemoveTerm {
        /// Whose.
        user: UserId,
        /// By what.
        term: SearchTerm,
    },
    /// Another picture of the user.
    SetAvatar {
        /// Whose.
        user: UserId,
        /// The picture.
        picture: Picture,
        /// Its version.
        version: i64,
        /// When.
        at: Timestamp,
    },
    /// No picture of the user any more.
    RemoveAvatar {
        /// Whose.
        user: UserId,
    },
    /// The user with everything that belongs to it goes.
    Purge {
        /// Whose.
        user: UserId,
        /// Version of the user the decision saw.
        expected_version: i64,
    },
}
