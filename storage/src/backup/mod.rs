//! Online backup of the embedded engine, and restore.
//!
//! A backup is a folder shaped like a data directory, with a manifest of SHA-256 sums written last. It can
//! be taken by another process while a server runs. It never holds the master key: keep that elsewhere,
//! without it the backup cannot be read.
//!
//! Order is what makes it consistent: tenants' files first, the platform's last, so that no tenant file
//! holds data sealed by a key version the platform's copy does not have.

mod copy;
mod manifest;
mod restore;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use copy::backup;
pub use manifest::{FileEntry, Manifest, verify_backup};
pub use restore::restore;

use crate::error::StorageError;
use crate::ledger::VerifyError;

/// What a long operation is doing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Files are copied.
    Copying,
    /// Sums, structure and ledgers are verified.
    Verifying,
}

/// How far it is, in files.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Files done.
    pub done: usize,
    /// Files in all; may grow while tenants are created.
    pub total: usize,
}

/// Why a backup or restore stopped. What was there before is never overwritten.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The target holds something.
    #[error("{} is not empty: give a folder that does not exist or is empty", path.display())]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The source is no data directory.
    #[error("{} is not a data directory of plinto: it has no platform.db", path.display())]
    NotData {
        /// The source.
        path: PathBuf,
    },
    /// There is no manifest, so the backup was never finished, or it is not one.
    #[error("{} has no readable manifest.json: the backup was not finished, use another one", path.display())]
    NoManifest {
        /// The backup.
        path: PathBuf,
    },
    /// The backup was made by a newer version.
    #[error(
        "the backup has format {found}, this version knows {known}: restore it with the version of plinto that made it"
    )]
    NewerFormat {
        /// Format of the backup.
        found: u32,
        /// Newest format this version knows.
        known: u32,
    },
    /// A file differs from the manifest.
    #[error("{file} differs from the manifest: it was damaged or altered, use another backup")]
    Differs {
        /// The file, as the manifest names it.
        file: String,
    },
    /// A file could not be read or written, or is damaged.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A ledger in the backup does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
