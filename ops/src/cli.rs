//! The command line: what there is to say to `plinto`, with help a person can learn from.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use crate::settings::{DEFAULT_DATA_DIR, Layers, Origin};

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

`plinto <command> --help` explains each command.
Exit codes: 0 done, 1 failed or refused, 2 wrong usage or configuration.";

const CONFIGURATION: &str = "\
Configuration, the later wins:
  1. the file given by --config (TOML; ops/plinto.example.toml explains every key)
  2. environment: PLINTO_ and the key in capitals, two underscores for the dot
       PLINTO_DATA_DIR=/var/lib/plinto             data_dir
       PLINTO_BASE_URL=https://id.example.com      base_url
       PLINTO_MASTER_KEY_FILE=/run/secrets/master  master_key_file
       PLINTO_MASTER_KEY=<64 hexadecimal digits>   only here, never in the file
       PLINTO_LIMITS__TENANT_PER_SECOND=500        limits.tenant_per_second
       PLINTO_SERVICES=core,auth                   lists are separated by commas
  3. the options above";

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
    /// Create users.
    #[command(subcommand)]
    User(UserCommand),
    /// Make and rotate keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make keys with which a tenant's services call the auth service.
    #[command(subcommand, name = "service-key")]
    ServiceKey(ServiceKeyCommand),
    /// Show the supervision tree of a running instance, live.
    Tree(TreeArgs),
    /// Verify and export audit ledgers. Reads files only; works while plinto runs and while it does not.
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

/// Where the data is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataDirArg {
    /// Data directory [default: ./plinto-data]
    #[arg(long, value_name = "DIR", env = "PLINTO_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// How an instance is started, in development and in production.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) data: DataDirArg,
    /// Address of a service, such as core=127.0.0.1:9000; port 0 takes any free one (see run.json in the data
    /// directory). Repeat for several services.
    #[arg(long, value_name = "SERVICE=ADDRESS", value_parser = listen)]
    pub(crate) listen: Vec<(String, SocketAddr)>,
    /// Log filter, such as info or warn,plinto_actors=debug
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Allow POST /v1/runtime/fault, which makes an actor panic. For experiments only.
    #[arg(long)]
    pub(crate) fault_injection: bool,
}

/// `plinto dev`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Creates the data directory, the master key and a platform key at the first start, and a
tenant `demo` with a user and a service key. The next start finds all of them again.
PLINTO_* variables apply as they do for `plinto serve`.

Examples:
  plinto dev --base-port 9000      core on 9000, auth on 9001, mock on 9002, webhooks on 9003
  plinto dev --base-port 0         any free ports; they are printed, and written to run.json
  plinto dev --data-dir /tmp/try   somewhere else; remove the directory to start over")]
pub(crate) struct DevArgs {
    #[command(flatten)]
    pub(crate) start: StartArgs,
    /// Port of the core service; the others take the next three. 0 takes any free ones.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(..=65_532))]
    pub(crate) base_port: Option<u16>,
}

/// `plinto serve`
#[derive(Clone, Debug, Args)]
#[command(after_help = CONFIGURATION)]
pub(crate) struct ServeArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "PLINTO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Services to run in this process: core, auth, mock, webhooks [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) start: StartArgs,
    /// Check the configuration, say what is wrong with it, and exit
    #[arg(long)]
    pub(crate) check: bool,
}

/// Which instance a command speaks to.
#[derive(Clone, Debug, Args)]
pub(crate) struct InstanceArgs {
    #[command(flatten)]
    pub(crate) data: DataDirArg,
    /// Configuration file of the instance
    #[arg(long, value_name = "FILE", env = "PLINTO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// URL of the service to call, instead of the instance that runs on the data directory
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Platform key, instead of platform.key in the data directory
    #[arg(long, value_name = "KEY", env = "PLINTO_PLATFORM_KEY", hide_env_values = true, value_parser = secret)]
    pub(crate) key: Option<Secret>,
}

/// A secret on the command line. `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret(Zeroizing::new(text.trim().to_owned())))
}

/// `plinto tenant`
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant with its own database, keys and ledger.
    Create {
        /// Name in URLs: 2 to 63 of a-z, 0-9 and inner hyphens
        slug: String,
        /// Name for people [default: the slug]
        #[arg(long)]
        name: Option<String>,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        instance: InstanceArgs,
    },
    /// List the tenants.
    List {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        instance: InstanceArgs,
    },
    /// Delete a tenant for good: its keys are destroyed, its database is removed.
    Delete {
        /// Slug or id
        tenant: String,
        /// Do not ask for the slug as confirmation
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        instance: InstanceArgs,
    },
}

/// `plinto user`
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user. The password is asked for, or read from the first line of standard input.
    #[command(
        after_help = "Example:\n  pass show acme/ada | plinto user create --tenant acme --email ada@example.com"
    )]
    Create {
        /// Slug or id of the tenant
        #[arg(long)]
        tenant: String,
        /// Address to sign in with
        #[arg(long)]
        email: String,
        /// What to call the user
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        instance: InstanceArgs,
    },
}

/// Algorithm of a signing key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Algorithm {
    /// Ed25519: small and fast
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA with P-256
    #[value(name = "ES256")]
    Es256,
    /// RSA with SHA-256, for verifiers that know nothing else
    #[value(name = "RS256")]
    Rs256,
}

impl Algorithm {
    /// Name in JOSE (RFC 7518 §3.1, RFC 8037 §3.1).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// `plinto keys`
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print a new master key. Keep it safe: without it the data cannot be read.
    Generate,
    /// Rotate a tenant's data key and signing key. Older versions keep reading and verifying.
    Rotate {
        /// Slug or id of the tenant
        #[arg(long)]
        tenant: String,
        /// Algorithm of the new signing key
        #[arg(long, value_enum, ignore_case = true, default_value = "EdDSA")]
        alg: Algorithm,
        #[command(flatten)]
        instance: InstanceArgs,
    },
    /// Make a new platform key and store it as platform.key in the data directory. Plinto must be stopped.
    Platform {
        #[command(flatten)]
        data: DataDirArg,
        /// Configuration file of the instance
        #[arg(long, value_name = "FILE", env = "PLINTO_CONFIG")]
        config: Option<PathBuf>,
    },
}

/// `plinto service-key`
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceKeyCommand {
    /// Make a service key and print it, this once.
    Create {
        /// Slug or id of the tenant
        #[arg(long)]
        tenant: String,
        /// What the key is for, such as orders-api
        #[arg(long)]
        name: String,
        #[command(flatten)]
        instance: InstanceArgs,
    },
}

/// `plinto tree`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plinto tree                            redraws every second; Ctrl-C ends it
  plinto tree --once --prefix /tenants   one look at the tenants
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
    #[command(flatten)]
    pub(crate) instance: InstanceArgs,
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
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) json: bool,
}

fn listen(text: &str) -> Result<(String, SocketAddr), String> {
    let fix = "write a service and an address, such as core=127.0.0.1:9000";
    let (service, address) = text.split_once('=').ok_or(fix)?;
    let known = plinto_http::ListenerName::ALL.iter().any(|name| name.as_str() == service);
    if !known {
        return Err("the services are core, auth, mock and webhooks".to_owned());
    }
    Ok((service.to_owned(), address.parse().map_err(|_| fix)?))
}

impl DataDirArg {
    /// The data directory, for commands that need nothing else of the settings.
    pub(crate) fn path(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR))
    }

    /// Adds what was given to the settings.
    pub(crate) fn add_to(&self, flags: &mut Layers) {
        if let Some(path) = &self.data_dir {
            flags.set("data_dir", path.to_string_lossy().into_owned(), Origin::Flag("--data-dir"));
        }
    }
}

impl StartArgs {
    /// Adds what was given to the settings.
    pub(crate) fn add_to(&self, flags: &mut Layers) {
        self.data.add_to(flags);
        for (service, address) in &self.listen {
            flags.set(format!("listen.{service}"), address.to_string(), Origin::Flag("--listen"));
        }
        if let Some(filter) = &self.log {
            flags.set("log.filter", filter.clone(), Origin::Flag("--log"));
        }
        if self.fault_injection {
            flags.set("fault_injection", true, Origin::Flag("--fault-injection"));
        }
    }
}
