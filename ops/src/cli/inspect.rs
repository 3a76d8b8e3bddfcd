//! Commands that look at something, or copy it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConfigArg, DataDirArg, InstanceArgs};

/// `plinto tree`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plinto tree                            redraws every second; Ctrl-C ends it
  plinto tree --once --prefix /tenants   one look at the tenants
  plinto tree --node node-2              the tree of another node
  plinto tree --json                     for programs")]
pub(crate) struct TreeArgs {
    /// Show the tree once and exit, as it always does when the output is no terminal
    #[arg(long)]
    pub(crate) once: bool,
    /// Print the snapshot as JSON and exit
    #[arg(long)]
    pub(crate) json: bool,
    /// Only nodes whose path starts with this
    #[arg(long, value_name = "PATH", default_value = "")]
    pub(crate) prefix: String,
    /// Most nodes of each kind, 1 to 10000; the totals are always complete
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) limit: usize,
    /// Ask this node, by the name `plinto node list` shows, instead of the one that is reached
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) instance: InstanceArgs,
}

/// `plinto node`
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// List the nodes that are alive; the one that answered is marked with an asterisk.
    List {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        instance: InstanceArgs,
    },
}

/// `plinto audit`
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify ledgers from their first entry to their head; exit code 1 and the first bad entry if one is wrong.
    #[command(after_help = "\
Examples:
  plinto audit verify                   the platform's ledger and those of all tenants
  plinto audit verify --tenant acme     one tenant
  plinto audit verify --file a.jsonl    an export, without any database")]
    Verify {
        #[command(flatten)]
        data: DataDirArg,
        #[command(flatten)]
        config: ConfigArg,
        /// Slug or id of the tenant; `platform` is the platform's own ledger
        #[arg(long, conflicts_with = "file")]
        tenant: Option<String>,
        /// An exported ledger, or one database file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write a ledger as JSON Lines, which `audit verify --file` checks without any database.
    Export {
        #[command(flatten)]
        data: DataDirArg,
        #[command(flatten)]
        config: ConfigArg,
        /// Slug or id of the tenant; `platform` is the platform's own ledger
        #[arg(long)]
        tenant: String,
        /// File to write; it must not exist
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// `plinto backup`
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) data: DataDirArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Folder to write; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

/// `plinto restore`
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Folder of the backup
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// New data directory; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
}

/// `plinto healthcheck`
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    #[command(flatten)]
    pub(crate) data: DataDirArg,
    /// URL of one service, instead of every service of the instance that runs on the data directory
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}
