//! Commands that change something.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::DataDirArg;

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
    /// Import users from a file of JSON Lines, one user a line. Interrupted, it goes on where it was.
    #[command(
        after_help = "A line:\n  {\"email\":\"ada@example.com\",\"email_verified\":true,\"name\":\"Ada\",\"password_hash\":\"$2b$12$...\"}\nREADME.md lists all members. Lines that cannot be imported are printed; exit code 1 says that there are some."
    )]
    Import {
        /// Slug or id of the tenant
        #[arg(long)]
        tenant: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Only check the lines
        #[arg(long)]
        dry_run: bool,
        /// Pass over lines about users who are there, instead of counting them as errors
        #[arg(long)]
        skip_existing: bool,
        #[command(flatten)]
        instance: InstanceArgs,
    },
    /// Export all users of a tenant as JSON Lines, which `plinto user import` takes.
    Export {
        /// Slug or id of the tenant
        #[arg(long)]
        tenant: String,
        /// File to write, which must not be there yet [default: standard output]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// With the hashes of their passwords: whoever has them can guess at passwords
        #[arg(long)]
        password_hashes: bool,
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
    /// Make a new platform key and store it as platform.key in the data directory. An instance that keeps its data
    /// in files must be stopped; nodes on PostgreSQL go on.
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
