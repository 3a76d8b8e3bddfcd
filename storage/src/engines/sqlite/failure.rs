use rusqlite::{Error, ErrorCode, ffi};

use crate::error::{StorageError, UnitError};
use crate::repositories::constraint;

/// How a statement of a unit failed.
pub(super) enum Failure {
    /// The unit alone is at fault.
    Unit(UnitError),
    /// The whole transaction is lost.
    Batch(StorageError),
}

/// What a failure of SQLite means to the caller. Texts of SQLite are not passed on: some quote SQL.
pub(super) fn storage_error(error: &Error, file: &str) -> StorageError {
    let Some(extended) = error.sqlite_extended_error_code() else {
        // Not from SQLite: a row is missing or a column is not of the type the schema promises.
        return StorageError::corrupt(file);
    };
    match error.sqlite_error_code() {
        // Our texts are valid on every schema we know, so the schema is not what it was.
        Some(ErrorCode::Unknown) if extended == ffi::SQLITE_ERROR => StorageError::corrupt(file),
        Some(ErrorCode::DiskFull) => StorageError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StorageError::Timeout,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StorageError::corrupt(file),
        Some(ErrorCode::SystemIoFailure) => match extended {
            // The shared-memory file could not grow: the only reason in practice is a full volume.
            ffi::SQLITE_IOERR_SHMSIZE => StorageError::Full,
            ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS => StorageError::corrupt(file),
            _ => StorageError::unavailable(format!(
                "input/output error {extended} on {file}, look at the disk and the kernel's log"
            )),
        },
        Some(ErrorCode::CannotOpen) => StorageError::unavailable(format!(
            "{file} cannot be opened, check its permissions and the limit of open files"
        )),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StorageError::unavailable(format!(
            "{file} cannot be written, check its permissions and that the volume is not read-only"
        )),
        _ => StorageError::unavailable(format!("sqlite refused with code {extended} on {file}")),
    }
}

/// Sorts the failure of one statement into the unit's fault or the transaction's.
pub(super) fn of_statement(error: &Error, file: &str) -> Failure {
    let invalid = |what: &str| Failure::Unit(UnitError::Invalid(what.to_owned()));
    match error {
        Error::SqliteFailure(code, message) => match (code.code, code.extended_code) {
            (ErrorCode::ConstraintViolation, kind) => {
                Failure::Unit(constraint_error(kind, message.as_deref().unwrap_or_default()))
            }
            (ErrorCode::TooBig, _) => invalid("a value is too large"),
            (ErrorCode::Unknown, _) => invalid("the statement failed"),
            _ => Failure::Batch(storage_error(error, file)),
        },
        Error::SqlInputError { .. } => invalid("the statement is not valid in this scope"),
        Error::InvalidParameterCount(..) => invalid("wrong number of parameters"),
        Error::ExecuteReturnedResults => invalid("a query among writes"),
        _ => Failure::Batch(storage_error(error, file)),
    }
}

fn constraint_error(kind: i32, message: &str) -> UnitError {
    match kind {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            UnitError::Unique(unique_name(message))
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            UnitError::Invalid("it refers to a row that does not exist".to_owned())
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => UnitError::Invalid("a required column is null".to_owned()),
        _ => UnitError::Invalid("a column has a value its table does not allow".to_owned()),
    }
}

/// SQLite reports `UNIQUE constraint failed: table.a, table.b`; the portable name is looked up by that.
fn unique_name(message: &str) -> String {
    let reported = message.rsplit(": ").next().unwrap_or_default();
    let known = constraint::KEYS.iter().find(|(table, columns, _)| {
        let listed: Vec<_> = columns.iter().map(|column| format!("{table}.{column}")).collect();
        listed.join(", ") == reported
    });
    known.map_or_else(|| reported.to_owned(), |(_, _, name)| (*name).to_owned())
}
