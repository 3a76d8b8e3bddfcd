use uuid::Uuid;

use crate::vault::VaultError;

/// Why storage refused or failed. Each text says what to do, and none holds a value from a row.
///
/// The type is `Clone` because one failed group commit is reported to every caller of the group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Nothing was written; the engine heals by itself once there is room.
    #[error("the disk is full: free space on the volume of the data directory, writes resume by themselves")]
    Full,
    /// The engine cannot be reached or was closed.
    #[error("storage is unavailable: {reason}")]
    Unavailable {
        /// What happened and what to look at.
        reason: String,
    },
    /// The connection was lost while a commit was under way: it may have been stored or not.
    #[error("storage was lost while committing: read the current state before trying again")]
    Unacknowledged,
    /// The schema of a shared database is older than this version needs.
    #[error(
        "the database has schema {found}, this version needs {needed}: run `plinto migrate` with the owner's URL"
    )]
    OlderSchema {
        /// Schema version found; 0 when there is none.
        found: i64,
        /// Schema version this build needs.
        needed: i64,
    },
    /// A shared database is set up in a way that is not safe. Nothing was changed.
    #[error("the database cannot be used: {reason}")]
    Unsuitable {
        /// What is wrong and what to do.
        reason: String,
    },
    /// The queue of the engine is full; nothing was enqueued.
    #[error("storage is overloaded: retry after a moment, raise the queue depth if it persists")]
    Overloaded,
    /// The engine gave up waiting for a lock.
    #[error("storage did not answer in time: retry, and look at the disk if it persists")]
    Timeout,
    /// A file or row is damaged. Nothing was overwritten.
    #[error(
        "{what} is damaged: stop plinto, keep a copy of it, and bring back the last backup with `plinto restore`"
    )]
    Corrupt {
        /// The file or the row, by name.
        what: String,
    },
    /// The tenant has no storage: it was never created or was deleted.
    #[error("the tenant does not exist: create it with `plinto tenant create`, or check the id")]
    UnknownTenant,
    /// The data was written by a newer version of Plinto.
    #[error(
        "{what} has schema {found}, this version knows {known}: start the version of plinto that wrote it, or a later one"
    )]
    NewerSchema {
        /// The file or database.
        what: String,
        /// Schema version found.
        found: i64,
        /// Newest schema version this build knows.
        known: i64,
    },
    /// A migration that was already applied differs from the one in this build.
    #[error(
        "{what} was built by a different text of migration {version}: use the version of plinto that made it, or restore a backup"
    )]
    MigrationChanged {
        /// The file or database.
        what: String,
        /// The migration whose checksum differs.
        version: i64,
    },
    /// The master key is not the one this data was written with.
    #[error(
        "the master key does not belong to this data: give the key that plinto was first started with, nothing was changed"
    )]
    WrongMasterKey,
    /// Another process owns the data directory.
    #[error("{directory} is in use by {holder}: stop that process, or give this one another data directory")]
    Locked {
        /// The data directory.
        directory: String,
        /// What the lock file says of its owner.
        holder: String,
    },
    /// A column does not hold what its type demands.
    #[error(
        "{what} holds a value of the wrong type or form: run `plinto audit verify`, then restore a backup"
    )]
    Decode {
        /// `table.column`.
        what: String,
    },
    /// A statement breaks a rule every statement must keep. A defect of the caller.
    #[error("statement refused: {what}")]
    Misuse {
        /// The rule that was broken.
        what: &'static str,
    },
    /// A single unit of work was refused (by operations of [`Store`](crate::Store) that commit one unit).
    #[error(transparent)]
    Refused(#[from] UnitError),
    /// A sealed value or wrapped key did not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl StorageError {
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    pub(crate) fn decode(what: impl Into<String>) -> Self {
        Self::Decode { what: what.into() }
    }
}

/// Why one unit of work was rolled back while its neighbours in the batch went on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// An expectation was not met; the name is the statement's `otherwise`.
    #[error("conflict on {0}: read the current state and decide again")]
    Conflict(&'static str),
    /// A uniqueness rule was broken; the name is one of [`crate::repositories::constraint`].
    #[error("{0} is already taken")]
    Unique(String),
    /// The statement or entry is not acceptable to any engine. The text never holds the value.
    #[error("invalid write: {0}")]
    Invalid(String),
}

pub(crate) const PLATFORM: Uuid = Uuid::nil();
