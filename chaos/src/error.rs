use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::invariants::{Invariant, Violation};

/// The experiment itself could not be done; says nothing about Plinto, or that it does not even start.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// There is no binary and none could be built.
    #[error("no plinto binary: {reason}; set PLINTO_BIN to one")]
    NoBinary {
        /// What was tried.
        reason: String,
    },
    /// A file or process of the harness failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// Why not.
        source: io::Error,
    },
    /// The server is not ready in time.
    #[error("plinto was not ready within {seconds} s; its log ends with:\n{log}")]
    NotReady {
        /// Time it had.
        seconds: u64,
        /// End of its standard error.
        log: String,
    },
    /// The server ended although it should run.
    #[error("plinto ended by itself ({status}); its log ends with:\n{log}")]
    Ended {
        /// Exit status.
        status: String,
        /// End of its standard error.
        log: String,
    },
    /// A process runs although it should have refused.
    #[error("plinto still runs after {seconds} s although it should have refused; it was killed")]
    DidNotRefuse {
        /// Time it had.
        seconds: u64,
    },
    /// A request outside of the load was not answered as needed.
    #[error("{call} was answered {answer}")]
    Call {
        /// Which call.
        call: String,
        /// The answer, without secrets.
        answer: String,
    },
    /// A file is not of the form the harness reads.
    #[error("{} is not what the harness expects: {reason}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is different.
        reason: String,
    },
    /// A check of the harness does not see what it is there to see.
    #[error("{invariant} was broken on purpose and the checks did not notice")]
    NotNoticed {
        /// The promise.
        invariant: Invariant,
    },
    /// PostgreSQL or Redis does not run.
    #[error(transparent)]
    Servers(#[from] plinto_servers::ServerError),
    /// The shared database could not be read.
    #[error("the harness cannot read the shared database: {0}")]
    SharedDatabase(#[from] tokio_postgres::Error),
    /// A database could not be altered for an experiment.
    #[error("the harness cannot alter the database: {0}")]
    Database(#[from] rusqlite::Error),
}

impl HarnessError {
    /// An input/output error with what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

/// An experiment did not end well.
#[derive(Debug)]
pub enum Failure {
    /// The experiment could not be done.
    Harness(HarnessError),
    /// Promises were broken. `replay` is the command that repeats the experiment.
    Violated {
        /// Every broken promise that was found.
        violations: Vec<Violation>,
        /// How to do it again.
        replay: String,
    },
}

impl From<HarnessError> for Failure {
    fn from(error: HarnessError) -> Self {
        Self::Harness(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Harness(error) => write!(out, "the experiment could not be done: {error}"),
            Self::Violated { violations, replay } => {
                writeln!(out, "{} broken promise(s):", violations.len())?;
                for violation in violations {
                    writeln!(out, "  {violation}")?;
                }
                write!(out, "again: {replay}")
            }
        }
    }
}

impl std::error::Error for Failure {}
