//! Proving addresses, and getting back to or changing a password.

mod email;
mod event;
mod password;
mod settings;

pub(crate) use email::proved;
pub use email::{ask_to_verify, verify};
pub use event::RecoveryEvent;
pub use password::{Change, NewPassword, change, forgot, reset};
pub use settings::RecoverySettings;
pub(crate) use settings::minutes;

use crate::account::StoredPassword;
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::one_time::SecretHash;
use crate::password::PasswordHash;
use crate::time::Timestamp;

/// A fresh secret: what is sent, and its keyed hash. No `Debug`: it is good for an account.
pub struct Fresh {
    /// What goes into the mail.
    pub text: String,
    /// What is stored.
    pub hash: SecretHash,
}

/// Somebody who may get a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Who.
    pub user: UserId,
    /// Where.
    pub email: EmailAddress,
}

/// What recovery changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecoveryWrite {
    /// The address is proved to be the user's. Proving it twice is no conflict.
    EmailVerified {
        /// Whose.
        user: UserId,
        /// Which.
        email: EmailAddress,
        /// When.
        at: Timestamp,
    },
    /// The user has no password any more. That there was none is no conflict.
    RemovePassword {
        /// Whose.
        user: UserId,
    },
    /// The user has a new password in place of the one of this version.
    SetPassword {
        /// Whose.
        user: UserId,
        /// PHC string.
        hash: PasswordHash,
        /// Version the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// A password that is being replaced is remembered.
    RememberPassword {
        /// Whose.
        user: UserId,
        /// The replaced one.
        former: StoredPassword,
        /// When.
        at: Timestamp,
    },
    /// Of the remembered passwords of a user only the newest stay.
    ForgetPasswords {
        /// Whose.
        user: UserId,
        /// How many stay.
        kept: u32,
    },
}
