use std::io;
use std::path::PathBuf;

use plinto_storage::StorageError;
use plinto_storage::backup::BackupError;
use plinto_storage::ledger::VerifyError;

use crate::client::ClientError;
use crate::composition::{MasterKeyProblem, StartError};
use crate::private_file::FileError;
use crate::settings::ConfigError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The instance did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no usable master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyProblem),
    /// The instance refused, or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A backup or restore stopped.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A ledger does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// There is no data.
    #[error("{} holds no data of plinto; start plinto there first, or give --data-dir", path.display())]
    NoData {
        /// The directory.
        path: PathBuf,
    },
    /// Nothing runs.
    #[error("nothing runs on {}; start plinto first, or give --data-dir or --url", path.display())]
    NotRunning {
        /// The directory.
        path: PathBuf,
    },
    /// Something runs that should not.
    #[error("process {pid} runs on {}; stop it first", path.display())]
    Running {
        /// The directory.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// The register names no such tenant.
    #[error("the platform database names no tenant `{named}`; give a slug, an id, or `platform`")]
    UnknownTenant {
        /// What was asked for.
        named: String,
    },
    /// The person did not confirm.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// Nothing was entered.
    #[error("no password: type one, or pipe it into standard input")]
    NoPassword,
    /// The terminal or signals cannot be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// A worker thread did not return.
    #[error("the work was interrupted; see the messages above")]
    Interrupted,
}
