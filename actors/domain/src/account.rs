//! The user's account as sign-in sees it.

use crate::id::UserId;
use crate::password::PasswordHash;

/// Whether the account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountState {
    /// May sign in.
    Active,
    /// Blocked by an operator.
    Blocked,
}

/// What is stored about an account with a password.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// Whether it may be used.
    pub state: AccountState,
    /// The password's hash, if there is one.
    pub password: Option<StoredPassword>,
}

/// A stored password hash and its version for optimistic replacement.
#[derive(Debug, Clone)]
pub struct StoredPassword {
    /// PHC string.
    pub hash: PasswordHash,
    /// Version of the credential row.
    pub version: i64,
}
