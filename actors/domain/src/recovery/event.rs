use crate::id::UserId;
use serde_json::{Value, json};

/// What happened to somebody's address or password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecoveryEvent {
    /// A proof of an address was asked for.
    VerificationAsked {
        /// By whom, if there is such an account and something to prove.
        user: Option<UserId>,
    },
    /// An address was proved.
    EmailVerified {
        /// Whose.
        user: UserId,
    },
    /// A new password was asked for.
    ResetAsked {
        /// For whom, if there is such an account.
        user: Option<UserId>,
    },
    /// A password was changed.
    PasswordChanged {
        /// Whose.
        user: UserId,
        /// `reset` by mail or `change` by its owner.
        by: &'static str,
    },
    /// A password that was set before its owner proved an address is gone.
    PasswordRemoved {
        /// Whose.
        user: UserId,
    },
    /// A link or code to sign in was asked for.
    SignInAsked {
        /// By whom, if there is such an account.
        user: Option<UserId>,
        /// `link` or `code`.
        method: &'static str,
    },
    /// A link to sign in was confirmed in the browser that asked for it.
    SignInConfirmed {
        /// By whom.
        user: UserId,
    },
}

impl RecoveryEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::VerificationAsked { .. } => "user.email_verification_asked",
            Self::EmailVerified { .. } => "user.email_proved",
            Self::ResetAsked { .. } => "user.password_reset_asked",
            Self::PasswordChanged { .. } => "user.password_changed",
            Self::PasswordRemoved { .. } => "user.password_removed",
            Self::SignInAsked { .. } => "sign_in.asked",
            Self::SignInConfirmed { .. } => "sign_in.confirmed",
        }
    }

    /// Whether other nodes may have in memory what it changed: the domain of a proved address is kept for flags.
    pub const fn concerns_other_nodes(&self) -> bool {
        matches!(self, Self::EmailVerified { .. })
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        let user = match self {
            Self::VerificationAsked { user } | Self::ResetAsked { user } | Self::SignInAsked { user, .. } => {
                *user
            }
            Self::EmailVerified { user }
            | Self::PasswordChanged { user, .. }
            | Self::PasswordRemoved { user }
            | Self::SignInConfirmed { user } => Some(*user),
        };
        user.map_or_else(|| "unknown".to_owned(), |user| user.to_string())
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::PasswordChanged { by, .. } => json!({ "by": by }),
            Self::SignInAsked { method, .. } => json!({ "method": method }),
            Self::VerificationAsked { .. }
            | Self::EmailVerified { .. }
            | Self::ResetAsked { .. }
            | Self::PasswordRemoved { .. }
            | Self::SignInConfirmed { .. } => json!({}),
        }
    }
}
