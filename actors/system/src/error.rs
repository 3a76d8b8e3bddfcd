//! Everything a call into the platform can be answered with, besides success.

use crate::ledger::CommitError;
use plinto_domain::organization::{PolicyRefused, UNKNOWN_ORGANIZATION};
use plinto_domain::session::{NotAdmitted, Unmet};
use plinto_domain::{Denial, InvalidInput};
use plinto_runtime::{ActivationError, Refusal};
use plinto_storage::{StorageError, UnitError, VaultError};
use std::sync::Arc;
use std::time::Duration;

/// Why the platform did not do what was asked. Texts carry no personal data.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Fields of the request are wrong.
    #[error("the request has invalid fields")]
    Invalid(Vec<InvalidInput>),
    /// A rule refused it.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// There is no such tenant.
    #[error("no such tenant")]
    UnknownTenant,
    /// The slug belongs to another tenant.
    #[error("this slug is taken; choose another")]
    SlugTaken,
    /// An operator creates a user whose address has an account.
    #[error("this e-mail address has an account in this tenant")]
    EmailTaken,
    /// Unknown account, wrong password or blocked account: one answer.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
    /// Too many attempts on this account or from this network.
    #[error("too many attempts; try again later")]
    TooManyAttempts {
        /// When the next attempt is granted.
        retry_after: Duration,
    },
    /// The access token is not good; the code says why in the verifier's terms.
    #[error("the access token is not valid")]
    InvalidToken {
        /// Stable reason.
        reason: &'static str,
    },
    /// The user authenticated too long ago for what is asked (RFC 9470).
    #[error("this asks for a recent sign-in; authenticate again with POST /v1/auth/reauthenticate")]
    ReauthenticationNeeded {
        /// Seconds it may be ago.
        max_age: u32,
    },
    /// An organization asks for a second factor (RFC 9470).
    #[error("the organization asks for a second factor; sign in with one")]
    SecondFactorNeeded,
    /// An organization asks for another way to sign in (RFC 9470).
    #[error("the organization does not allow the way you signed in; sign in by one that it allows")]
    OtherMethodNeeded,
    /// The refresh token is not good (any more).
    #[error("the refresh token is not valid; sign in again")]
    InvalidGrant,
    /// The caller's credential is missing, unknown or revoked.
    #[error("a valid API key is needed")]
    Unauthenticated,
    /// The caller's credential does not reach this.
    #[error("this API key may not do that")]
    Forbidden,
    /// Somebody else changed the same thing at the same time.
    #[error("changed concurrently; read again and retry")]
    Conflict,
    /// Refused by the runtime: limits, deadlines, quarantine, shutdown.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The storage engine could not do it.
    #[error(transparent)]
    Storage(Arc<StorageError>),
    /// A sealed value did not open: wrong key or tampered data.
    #[error("stored data could not be opened")]
    Sealed(#[source] VaultError),
    /// A stored value has a form this version does not know.
    #[error("stored data is damaged: {0}")]
    Damaged(&'static str),
}

impl ServiceError {
    /// Whether what was asked may have been stored or not: the work or the storage was lost meanwhile.
    pub(crate) fn leaves_open(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Storage(error) => **error == StorageError::Unacknowledged,
            _ => false,
        }
    }

    /// Why an actor could not be activated: an outage must not count against the actor, damage must.
    pub(crate) fn in_activation(&self) -> ActivationError {
        match self {
            Self::UnknownTenant => ActivationError::NotFound,
            Self::Refused(_) => ActivationError::Dependency(self.to_string()),
            Self::Storage(error) => match **error {
                StorageError::Full
                | StorageError::Unavailable { .. }
                | StorageError::Unacknowledged
                | StorageError::OlderSchema { .. }
                | StorageError::Unsuitable { .. }
                | StorageError::Overloaded
                | StorageError::Timeout
                // Another node made a newer data key since this one last looked.
                | StorageError::Vault(VaultError::UnknownVersion { .. })
                | StorageError::Locked { .. } => ActivationError::Dependency(error.to_string()),
                _ => ActivationError::Failed(error.to_string()),
            },
            Self::Sealed(VaultError::UnknownVersion { .. }) => ActivationError::Dependency(self.to_string()),
            _ => ActivationError::Failed(self.to_string()),
        }
    }
}

impl From<StorageError> for ServiceError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::UnknownTenant => Self::UnknownTenant,
            StorageError::Refused(UnitError::Conflict(_) | UnitError::Unique(_)) => Self::Conflict,
            other => Self::Storage(Arc::new(other)),
        }
    }
}

impl From<VaultError> for ServiceError {
    fn from(error: VaultError) -> Self {
        Self::Sealed(error)
    }
}

impl From<Vec<InvalidInput>> for ServiceError {
    fn from(errors: Vec<InvalidInput>) -> Self {
        Self::Invalid(errors)
    }
}

impl From<InvalidInput> for ServiceError {
    fn from(error: InvalidInput) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<Unmet> for ServiceError {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::SecondFactor => Self::SecondFactorNeeded,
            Unmet::Method => Self::OtherMethodNeeded,
            Unmet::Recent { max_age } => Self::ReauthenticationNeeded { max_age },
        }
    }
}

impl From<NotAdmitted> for ServiceError {
    fn from(why: NotAdmitted) -> Self {
        match why {
            NotAdmitted::Unknown => UNKNOWN_ORGANIZATION.into(),
            NotAdmitted::Unmet(unmet) => unmet.into(),
        }
    }
}

impl From<PolicyRefused> for ServiceError {
    fn from(why: PolicyRefused) -> Self {
        match why {
            PolicyRefused::Denied(denial) => denial.into(),
            PolicyRefused::Invalid(wrong) => wrong.into(),
            PolicyRefused::Unmet(unmet) => unmet.into(),
        }
    }
}

impl From<CommitError> for ServiceError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(_) | CommitError::Unique(_) => Self::Conflict,
            CommitError::Invalid => Self::Damaged("a statement was refused by the engine"),
            CommitError::Storage(error) => Self::Storage(error),
        }
    }
}
