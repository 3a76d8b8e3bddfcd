use plinto_runtime::{Message, Refusal, Reply};
use plinto_storage::{Receipt, StorageError, Unit, UnitError};
use std::sync::Arc;

/// Why a unit of work was not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// An expectation did not hold, such as the version of a row.
    #[error("expectation `{0}` did not hold")]
    Conflict(&'static str),
    /// A unique constraint.
    #[error("`{0}` is taken")]
    Unique(String),
    /// The engine refused a statement.
    #[error("the engine refused a statement")]
    Invalid,
    /// The whole transaction failed; nothing of it is stored.
    #[error(transparent)]
    Storage(Arc<StorageError>),
}

impl From<UnitError> for CommitError {
    fn from(error: UnitError) -> Self {
        match error {
            UnitError::Conflict(name) => Self::Conflict(name),
            UnitError::Unique(name) => Self::Unique(name),
            UnitError::Invalid(_) => Self::Invalid,
        }
    }
}

/// Answer to an append.
pub(crate) type Appended = Result<Receipt, CommitError>;

pub(crate) enum LedgerMessage {
    /// Commit this unit of work and say so.
    Append { unit: Unit, reply: Reply<Appended> },
    /// A transaction finished.
    BatchDone {
        /// Whether several callers were answered, who may write again at once.
        several: bool,
    },
    /// Callers who were just answered had their turn; the next transaction may start.
    Gathered,
}

impl Message for LedgerMessage {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Append { reply, .. } => reply.is_abandoned(),
            Self::BatchDone { .. } | Self::Gathered => false,
        }
    }

    fn refuse(self, why: Refusal) {
        match self {
            Self::Append { reply, .. } => reply.refuse(why),
            Self::BatchDone { .. } | Self::Gathered => {}
        }
    }
}
