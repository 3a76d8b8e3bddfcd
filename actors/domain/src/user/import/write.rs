//! What decisions about imports write.

use super::{Import, ImportedUser};
use crate::id::{ImportId, UserId};
use crate::input::InvalidInput;
use crate::time::Timestamp;
use std::sync::Arc;

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// Number of the line, from 1.
    pub line: u64,
    /// Which of the line's errors, from 0.
    pub ordinal: u16,
    /// Field, code and advice; never the value.
    pub error: InvalidInput,
}

/// One change of an import.
#[derive(Debug)]
pub enum ImportWrite {
    /// A new import.
    Insert(Box<Import>),
    /// Its state and tally.
    Update {
        /// As it is from now on.
        import: Box<Import>,
        /// Version of the import the decision saw.
        expected_version: i64,
    },
    /// One more error.
    InsertError {
        /// Of which import.
        import: ImportId,
        /// What is wrong.
        error: LineError,
    },
    /// The user of a line.
    InsertUser {
        /// The new user.
        user: UserId,
        /// What the line says of it.
        imported: Arc<ImportedUser>,
        /// When it was created, here or where it comes from.
        created_at: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// Old imports go.
    Forget {
        /// Those that were not changed since.
        unchanged_since: Timestamp,
    },
}
