//! Commands about PostgreSQL: its schema, and how data gets into it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where the configuration is, for commands that need nothing else of an instance.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArg {
    /// Configuration file of the instance
    #[arg(long, value_name = "FILE", env = "PLINTO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// `plinto migrate`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Two roles: the owner, whose URL only this command is given, makes the tables; the
application, the user of PLINTO_DATABASE_URL, reads and writes rows and nothing else.

Nodes of the previous version go on serving while this runs, and while both versions do.

Examples:
  plinto migrate --print-roles | psql postgres://postgres@db.example.com/postgres
  PLINTO_DATABASE_OWNER_URL=postgres://plinto_owner:...@db.example.com/plinto plinto migrate
  plinto migrate --check     exit code 0: nothing is pending; 1: what is, is listed")]
pub(crate) struct MigrateArgs {
    /// Say what would be done, change nothing; exit code 1 if something is pending. Needs no owner
    #[arg(long, conflicts_with = "print_roles")]
    pub(crate) check: bool,
    /// Print the SQL that makes the two roles and the database, to be run once by a superuser, and exit
    #[arg(long)]
    pub(crate) print_roles: bool,
    /// File with the owner's URL, instead of PLINTO_DATABASE_OWNER_URL
    #[arg(long, value_name = "FILE", env = "PLINTO_DATABASE_OWNER_URL_FILE")]
    pub(crate) owner_url_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

/// `plinto import-embedded`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The database must be migrated and empty; the master key stays what it was. Everything is
read back and compared before a node can start on it. An import that was interrupted
begins anew when it is run again from the same directory; any other is refused meanwhile.

The rows of the data directory are not changed. Files written by an older version of
plinto are brought up to this one's schema, as a start would: take a backup first, with
`plinto backup` or a copy of the whole directory while nothing runs on it.

Example:
  plinto import-embedded --from ./plinto-data")]
pub(crate) struct ImportArgs {
    /// Data directory to bring over; nothing may run on it
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

/// `plinto move`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum MoveCommand {
    /// Bring one tenant out of a data directory into PostgreSQL, where nodes may be serving.
    #[command(after_help = "\
Users, sessions, keys, API keys and the audit ledger come over as they are, and are read
back and compared before any node sees the tenant. Running nodes are not told; each
looks once a second, and serves the tenant and its API keys after that.

The rows of the data directory are not changed. Files written by an older version of
plinto are brought up to this one's schema, as a start would: take a backup first, with
`plinto backup` or a copy of the whole directory while nothing runs on it.

Example:
  plinto move tenant acme --from ./plinto-data")]
    Tenant {
        /// Slug of the tenant
        slug: String,
        /// Data directory that holds it; nothing may run on it
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Master key of that directory [default: its master.key; without one, that of the target]
        #[arg(long, value_name = "FILE")]
        from_master_key_file: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArg,
    },
}
