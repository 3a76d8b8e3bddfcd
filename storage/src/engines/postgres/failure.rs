//! What a failure of the server or of the way to it means. The only place that knows SQLSTATEs.

use tokio_postgres::error::{DbError, Severity, SqlState};

use super::value::WrongKind;
use crate::error::{StorageError, UnitError};

const WRONG_PARAMETERS: &str = "wrong number or kind of parameters";
pub(super) const READ_ONLY: &str = "PostgreSQL takes no writes, it is a standby or set to read only; \
                                    let the URL name the primary, or all servers that may become it";

/// Why a round trip brought no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The watch says that the server does not answer anybody.
    Away(String),
    /// This one connection got no answer in time.
    Silent,
    /// The server lives and takes no writes.
    ReadOnly,
    /// No connection could be made.
    Unconnected(tokio_postgres::Error),
    /// The server refused what was asked on a connection, or the connection broke.
    Postgres(tokio_postgres::Error),
    /// A fault of ours or a state of the store; the server is well.
    Storage(StorageError),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// What to do about a fault.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The connection is gone; another may do.
    Lost,
    /// Two transactions got in each other's way; the same again will do.
    Contention,
    /// A lock was not free in time.
    Locked,
    /// A form of statement this server does not have, such as one that a distributed database cannot route.
    Unsupported,
    /// The statement alone is at fault; the transaction can go on without it.
    Statement,
    /// Everything else: trying again would not help.
    Final,
}

impl Fault {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Away(_) | Self::Storage(_) => Kind::Final,
            Self::Silent | Self::ReadOnly => Kind::Lost,
            Self::Unconnected(error) => match error.as_db_error() {
                Some(refusal) => kind_of_greeting(refusal.code().code()),
                None => Kind::Lost,
            },
            Self::Postgres(error) => match error.as_db_error() {
                Some(refusal) => kind_of(refusal.code().code(), ends_the_connection(refusal)),
                None if never_sent(error) => Kind::Statement,
                None => Kind::Lost,
            },
        }
    }

    /// Whether this one connection was ended by the other side, which by itself says little about the server.
    pub(super) fn is_ended(&self) -> bool {
        let (Self::Unconnected(error) | Self::Postgres(error)) = self else { return false };
        error.is_closed() || error.code() == Some(&SqlState::ADMIN_SHUTDOWN)
    }

    /// Whether the server itself said no, and the connection goes on.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.as_db_error().is_some()) && self.kind() != Kind::Lost
    }

    /// The same for a transaction that writes: the server refuses it as such when it has become a standby. Another
    /// connection may find the new primary.
    pub(super) fn of_write(self) -> Self {
        match &self {
            Self::Postgres(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                Self::ReadOnly
            }
            _ => self,
        }
    }

    /// What the caller of the engine is told.
    pub(super) fn storage(&self) -> StorageError {
        match self {
            Self::Away(reason) => StorageError::Unavailable { reason: reason.clone() },
            Self::Silent => StorageError::unavailable("a connection to PostgreSQL was not answered"),
            Self::ReadOnly => StorageError::unavailable(READ_ONLY),
            Self::Storage(error) => error.clone(),
            Self::Unconnected(error) => match error.as_db_error() {
                Some(refusal) if refusal.code() == &SqlState::PROTOCOL_VIOLATION => {
                    StorageError::unavailable("PgBouncer or PostgreSQL refused a connection, look at its log")
                }
                Some(refusal) => refused(refusal),
                None => StorageError::unavailable("PostgreSQL cannot be reached"),
            },
            Self::Postgres(error) => match error.as_db_error() {
                Some(refusal) if ends_the_connection(refusal) => StorageError::unavailable(format!(
                    "PostgreSQL or PgBouncer ended a connection with code {}, look at its log",
                    refusal.code().code()
                )),
                Some(refusal) => refused(refusal),
                None if never_sent(error) => StorageError::Misuse { what: WRONG_PARAMETERS },
                None => StorageError::unavailable("the connection to PostgreSQL was lost"),
            },
        }
    }

    /// What a unit is told whose statement failed, when the unit alone is at fault.
    pub(super) fn unit(&self) -> UnitError {
        let invalid = |what: &str| UnitError::Invalid(what.to_owned());
        let Self::Postgres(error) = self else { return invalid(WRONG_PARAMETERS) };
        let Some(refusal) = error.as_db_error() else { return invalid(WRONG_PARAMETERS) };
        match refusal.code() {
            code if *code == SqlState::UNIQUE_VIOLATION => UnitError::Unique(unique_name(refusal)),
            code if *code == SqlState::FOREIGN_KEY_VIOLATION => {
                invalid("it refers to a row that does not exist")
            }
            code if *code == SqlState::NOT_NULL_VIOLATION => invalid("a required column is null"),
            code if code.code().starts_with("23") => invalid("a column has a value its table does not allow"),
            code if code.code().starts_with("22") => invalid("a value is too large or of the wrong form"),
            code if *code == SqlState::PROTOCOL_VIOLATION => invalid("wrong number of parameters"),
            _ => invalid("the statement is not valid in this scope"),
        }
    }
}

/// A parameter did not fit its column: found out before anything was sent.
fn never_sent(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.downcast_ref::<WrongKind>().is_some())
}

/// Whatever the code: PgBouncer gives 08P01 for everything that happens to a connection, and a translated server
/// names the severity in its language.
fn ends_the_connection(refusal: &DbError) -> bool {
    match refusal.parsed_severity() {
        Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
        None => ["FATAL", "PANIC"].contains(&refusal.severity()),
    }
}

/// Codes of a server or a way to it that is terminated, shutting down or starting up, or does not know what became
/// of a commit. Not 08P01, which may be a wrong number of parameters.
const LOST: &[&str] = &[
    "57P01", "57P02", "57P03", "57P05", "25P03", "08000", "08001", "08003", "08004", "08006", "08007",
    "40003",
];

/// Of what is said before a connection is there: always fatal, and some of it would come again.
pub(super) fn kind_of_greeting(code: &str) -> Kind {
    if code == "08P01" || LOST.contains(&code) { Kind::Lost } else { Kind::Final }
}

/// Of what is said on a connection that was there; `ended` says that it is not any more.
pub(super) fn kind_of(code: &str, ended: bool) -> Kind {
    match code {
        _ if ended => Kind::Lost,
        "40001" | "40P01" => Kind::Contention,
        "55P03" => Kind::Locked,
        "0A000" => Kind::Unsupported,
        code if LOST.contains(&code) => Kind::Lost,
        // A row that row-level security would not let in belongs to another scope.
        "42501" | "08P01" | "54000" | "54001" | "54011" | "54023" => Kind::Statement,
        code if ["21", "22", "23", "42"].contains(&&code[..2]) => Kind::Statement,
        _ => Kind::Final,
    }
}

fn refused(refusal: &DbError) -> StorageError {
    let unsuitable = |reason: String| StorageError::Unsuitable { reason };
    let code = refusal.code().code();
    match code {
        // No room on the volume, in memory or for temporary files.
        "53100" => StorageError::Full,
        // Of the server; PgBouncer says 08P01 or a plain error when it has no room.
        "53300" | "53200" | "53400" => StorageError::Overloaded,
        "57014" | "55P03" | "40001" | "40P01" => StorageError::Timeout,
        code if LOST.contains(&code) => {
            StorageError::unavailable("PostgreSQL is shutting down or starting up")
        }
        "25006" => StorageError::Misuse { what: "a write was given to read" },
        "28000" | "28P01" => unsuitable(
            "PostgreSQL refused the user or the password, check the URL and pg_hba.conf".to_owned(),
        ),
        "3D000" => unsuitable("the database does not exist, create it and run `plinto migrate`".to_owned()),
        "42501" => {
            unsuitable("the role lacks a privilege, run `plinto migrate` with the owner's URL".to_owned())
        }
        "42P01" | "42703" => {
            unsuitable("a table or column is missing, run `plinto migrate` with the owner's URL".to_owned())
        }
        "58030" => {
            StorageError::unavailable("PostgreSQL reports an input/output error, look at its disk and log")
        }
        // Only the ledger's check that head and entries stand together divides.
        "22012" => StorageError::corrupt("the head of a ledger in the PostgreSQL database"),
        "XX001" | "XX002" => StorageError::corrupt("the PostgreSQL database"),
        code if ["21", "22", "23", "42"].contains(&&code[..2]) || code == "08P01" => {
            StorageError::Misuse { what: "the query is not valid in this scope" }
        }
        code => StorageError::unavailable(format!("PostgreSQL refused with code {code}, look at its log")),
    }
}

/// Rules carry the portable name in the schema; a distributed database may add the number of a shard.
fn unique_name(refusal: &DbError) -> String {
    let reported = refusal.constraint().unwrap_or_default();
    let name = match reported.rsplit_once('_') {
        Some((name, shard)) if !shard.is_empty() && shard.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => reported,
    };
    name.to_owned()
}
