//! Committing what a session decided, and what is known when that was not acknowledged.

use super::actor::SessionActor;
use super::state::Resident;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use plinto_domain::TenantId;
use plinto_runtime::{Deadline, Refusal};
use plinto_storage::{StorageError, Unit};
use std::time::Duration;

/// How long a session waits for its own commit once it has begun: longer than any commit takes. Giving up earlier would
/// read the row again before the commit lands, and answer for a session that is revoked.
const COMMIT_WAIT: Duration = Duration::from_secs(600);

/// Name of the expectation that a session is not revoked yet.
const SESSION_STATE: &str = "session_state";
/// Name of the expectation that a session's row has the version the decision saw, and is not revoked.
const SESSION_VERSION: &str = "session_version";

/// What is known about the row after a commit that was not acknowledged.
pub(super) enum CommitFailure {
    /// The session had been revoked by somebody else: what was wanted, or stronger.
    AlreadyRevoked,
    /// Nothing was stored; memory is right.
    NotStored(ServiceError),
    /// Nothing was stored: somebody else changed the row first.
    RowDiffers,
    /// It may or may not have been stored (the connection, the deadline or the ledger was lost meanwhile).
    Unknown(ServiceError),
}

impl CommitFailure {
    /// What the caller hears; where memory may be wrong, the row is read before the next answer.
    pub(super) fn answer(self, resident: &mut Resident) -> ServiceError {
        match self {
            Self::AlreadyRevoked => {
                resident.session.revoked = true;
                ServiceError::Conflict
            }
            Self::NotStored(error) => error,
            Self::RowDiffers => {
                resident.doubt();
                ServiceError::Conflict
            }
            Self::Unknown(error) => {
                resident.doubt();
                error
            }
        }
    }
}

impl SessionActor {
    pub(super) async fn commit(
        &self,
        tenant: TenantId,
        unit: Unit,
        deadline: Deadline,
    ) -> Result<(), CommitFailure> {
        if deadline.has_passed() {
            return Err(CommitFailure::NotStored(Refusal::DeadlineExceeded.into()));
        }
        match self.ledger.append(tenant, unit, Deadline::after(COMMIT_WAIT)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(CommitError::Conflict(SESSION_STATE))) => Err(CommitFailure::AlreadyRevoked),
            Ok(Err(CommitError::Conflict(SESSION_VERSION))) => Err(CommitFailure::RowDiffers),
            Ok(Err(CommitError::Storage(error))) if *error == StorageError::Unacknowledged => {
                Err(CommitFailure::Unknown(ServiceError::Storage(error)))
            }
            Ok(Err(error)) => Err(CommitFailure::NotStored(error.into())),
            // Refused before it was enqueued: nothing was stored, and nothing is wrong with this session.
            Err(ServiceError::Refused(
                refusal @ (Refusal::Overloaded { .. } | Refusal::Unavailable { .. } | Refusal::NotFound),
            )) => Err(CommitFailure::NotStored(refusal.into())),
            Err(error) => Err(CommitFailure::Unknown(error)),
        }
    }
}
