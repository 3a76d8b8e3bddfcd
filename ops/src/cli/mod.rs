//! The command line: what there is to say to `plinto`, with help a person can learn from.

mod administer;
mod database;
mod inspect;
mod start;

use clap::{Parser, Subcommand};

pub(crate) use administer::{InstanceArgs, KeysCommand, ServiceKeyCommand, TenantCommand, UserCommand};
pub(crate) use database::{ConfigArg, ImportArgs, MigrateArgs, MoveCommand};
pub(crate) use inspect::{AuditCommand, BackupArgs, HealthcheckArgs, NodeCommand, RestoreArgs, TreeArgs};
pub(crate) use start::{DataDirArg, DevArgs, ServeArgs};

const FIRST_STEPS: &str = "\
First steps:
  plinto                    start everything in ./plinto-data; prints URLs, credentials and
                            a script that signs up, signs in, introspects and signs out
  plinto tree               watch the supervision tree (in a second terminal)
  plinto tenant create acme --name 'Acme GmbH'
  plinto user create --tenant acme --email ada@example.com
  plinto audit verify       check every audit ledger, also while plinto runs
  plinto backup --output ./backup-1

In production:
  plinto keys generate      keep what it prints in a safe place: without it the data is lost
  plinto serve --config plinto.toml --check
  plinto serve --config plinto.toml

On several nodes, with PostgreSQL and Redis:
  plinto migrate --help     two roles and a schema; then `plinto serve` on each node
  plinto node list          who is alive
  plinto import-embedded --from ./plinto-data

`plinto <command> --help` explains each command.
Exit codes: 0 done, 1 failed or refused, 2 wrong usage or configuration.";

/// Plinto: multi-tenant identity in one binary.
#[derive(Debug, Parser)]
#[command(name = "plinto", version, about, after_help = FIRST_STEPS, max_term_width = 110)]
#[command(
    long_about = "Plinto: multi-tenant identity in one binary.\n\nWithout a command it does what `plinto dev` does."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine without any configuration, for development and for a first look.
    Dev(DevArgs),
    /// Start the configured services, for production.
    Serve(ServeArgs),
    /// Create, list and delete tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Create, import and export users.
    #[command(subcommand)]
    User(UserCommand),
    /// Make and rotate keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make keys with which a tenant's services call the auth service.
    #[command(subcommand, name = "service-key")]
    ServiceKey(ServiceKeyCommand),
    /// Bring the schema of a PostgreSQL database up to date, or say what is pending.
    Migrate(MigrateArgs),
    /// Bring a whole data directory into an empty PostgreSQL database.
    ImportEmbedded(ImportArgs),
    /// Bring a tenant into PostgreSQL.
    #[command(subcommand)]
    Move(MoveCommand),
    /// Look at the nodes that serve together.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Show the supervision tree of a running instance, live.
    Tree(TreeArgs),
    /// Verify and export audit ledgers. Only reads; works while plinto runs and while it does not.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy the data directory, consistently and verified, also while plinto runs. The master key is not copied.
    Backup(BackupArgs),
    /// Restore a backup into a new data directory. Never overwrites anything.
    Restore(RestoreArgs),
    /// Ask a running instance whether it can do its work; exit code 0 means yes.
    Healthcheck(HealthcheckArgs),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example:\n  plinto completions bash > ~/.local/share/bash-completion/completions/plinto"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}
