//! From files of the embedded engine into an engine that several nodes share.
//!
//! [`import_embedded`] brings a whole data directory into an empty database, [`move_tenant`] one tenant into an
//! installation that may have another master key. Rows travel as they are: ids, sealed values and hashes do not change,
//! and what is sealed is not opened. Both copy, read back and compare every row, verify every chain, and only then make
//! visible what they brought; both can be run again after an interruption, from the same directory. The source is only
//! read.

mod claim;
mod compare;
mod copy;
mod embedded;
mod tenant;

#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use claim::Claimant;
pub use embedded::{Imported, import_embedded};
pub use tenant::{Moved, move_tenant};

use crate::error::{StorageError, UnitError};
use crate::ledger::VerifyError;

/// What an import is doing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Rows are written.
    Copying,
    /// Rows and chains are read back and compared.
    Verifying,
}

/// How far it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Tenants done.
    pub done: usize,
    /// Tenants in all.
    pub total: usize,
}

/// Why an import stopped. What it wrote is not visible to any node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The source was never started.
    #[error("the data directory holds no platform: start plinto there once, or give another directory")]
    NotData,
    /// The target is in use already.
    #[error(
        "the database is in use already: import into an empty one, or bring tenants over one by one with \
         `plinto move tenant`"
    )]
    NotEmpty,
    /// Another data directory is being brought over, or was, and the attempt was interrupted.
    #[error(
        "another data directory is being imported, or its import was interrupted: let it finish, or run it again; if \
         that directory is gone for good, make the database anew, or for one tenant delete the row `{claim}` of \
         master_checks as superuser"
    )]
    Claimed {
        /// Name of the row that says so.
        claim: String,
    },
    /// The source has no such tenant.
    #[error("the data directory holds no tenant `{slug}`")]
    UnknownTenant {
        /// What was asked for.
        slug: String,
    },
    /// The target has a tenant of this name.
    #[error(
        "the database has another tenant `{slug}` already: delete one of the two, or keep this one where it is"
    )]
    SlugTaken {
        /// The name.
        slug: String,
    },
    /// The target has, or had, this very tenant.
    #[error(
        "the database has tenant {tenant} already, or had it and deleted it: it cannot come a second time"
    )]
    AlreadyThere {
        /// Its id.
        tenant: Uuid,
    },
    /// What was read back is not what was written.
    #[error(
        "a row of {table} of {scope} differs between source and database: see that nothing else writes to either, and \
         run the command again"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// Whose; nil for the platform.
        scope: Uuid,
    },
    /// The source or the target cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A ledger does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl From<UnitError> for ImportError {
    fn from(error: UnitError) -> Self {
        Self::Storage(error.into())
    }
}
