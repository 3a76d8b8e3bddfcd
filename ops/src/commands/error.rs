use std::io;
use std::path::PathBuf;

use plinto_storage::StorageError;
use plinto_storage::backup::BackupError;
use plinto_storage::import::ImportError;
use plinto_storage::ledger::VerifyError;

use crate::client::ClientError;
use crate::composition::{DatabaseProblem, MasterKeyProblem, StartError};
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
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseProblem),
    /// An import stopped.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A command that is about a database has none.
    #[error(
        "no database: give PLINTO_DATABASE_URL, or `database_url_file` in the configuration; without one plinto keeps \
         its data in files and needs no migration"
    )]
    NoDatabase,
    /// Migrating needs the owner.
    #[error(
        "no owner: give PLINTO_DATABASE_OWNER_URL or --owner-url-file with the URL of the role that owns the tables; \
         `plinto migrate --print-roles` shows how both roles are made"
    )]
    NoOwner,
    /// One role for both is not safe.
    #[error(
        "the owner's URL and the application's name the same role `{role}`: the application must not own the tables; \
         `plinto migrate --print-roles` shows how both roles are made"
    )]
    SameRole {
        /// The role.
        role: String,
    },
    /// `dev` keeps to files.
    #[error(
        "`plinto dev` keeps everything in files: unset PLINTO_DATABASE_URL, or start with `plinto serve`"
    )]
    DevWithDatabase,
    /// A database has tools of its own.
    #[error(
        "the data is in PostgreSQL: back it up with pg_dump, or with the backups of whoever runs it for you, and keep \
         the master key apart from them; without it no backup can be read, and whoever has both can read everything"
    )]
    BackupOfDatabase,
    /// The same, the other way round.
    #[error(
        "the data is in PostgreSQL: restore it with pg_restore, or unset PLINTO_DATABASE_URL to restore a backup made \
         by plinto into files; start with the master key it was written with"
    )]
    RestoreOfDatabase,
    /// The source of a move was written with another key.
    #[error(
        "{} was written with another master key: give --from-master-key-file with the one it was started with",
        path.display()
    )]
    SourceKey {
        /// The source.
        path: PathBuf,
    },
    /// No live node is called that.
    #[error("there is no node `{named}`; `plinto node list` shows those that are alive")]
    UnknownNode {
        /// What was asked for.
        named: String,
    },
    /// A node that cannot be asked.
    #[error("node `{named}` says no URL of its auth service; give it `node.auth_url`, or this command --url")]
    NodeWithoutUrl {
        /// The node.
        named: String,
    },
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
