//! Settings of an instance: read in layers, checked as a whole, every problem reported at once.

mod check;
mod environment;
mod layers;
mod problem;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use plinto_actors::{Limits, PlatformConfig, SmtpSecurity, WhileUnavailable};
use plinto_http::config::HttpLimits;
use plinto_http::{HttpConfig, ListenerName};
use plinto_storage::engines::postgres::PostgresOptions;
use zeroize::Zeroizing;

pub(crate) use layers::{Layers, Origin};
pub(crate) use problem::ConfigError;

/// Where the data is unless somebody says otherwise.
pub(crate) const DEFAULT_DATA_DIR: &str = "./plinto-data";

/// Everything an instance is started with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) base_url: String,
    pub(crate) listeners: Vec<(ListenerName, SocketAddr)>,
    pub(crate) master_key: MasterKeySource,
    /// PostgreSQL; without it everything is kept in the data directory.
    pub(crate) database: Option<DatabaseSettings>,
    /// Redis; only together with a database.
    pub(crate) redis: Option<RedisSettings>,
    pub(crate) node: NodeSettings,
    pub(crate) limits: Limits,
    pub(crate) http: HttpLimits,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) tenant_domain: Option<String>,
    /// A MaxMind database that knows where addresses are.
    pub(crate) places: Option<PathBuf>,
    /// Servers of the DNS; those of this machine if there are none.
    pub(crate) dns_servers: Vec<SocketAddr>,
    pub(crate) open_metrics: bool,
    pub(crate) fault_injection: bool,
    pub(crate) mail: MailSettings,
    pub(crate) breaches: BreachSettings,
    pub(crate) log: LogSettings,
    pub(crate) shutdown: ShutdownSettings,
}

/// Where the master key is. No `Debug`: it may hold the key.
#[derive(Clone)]
pub(crate) enum MasterKeySource {
    /// Given in the environment.
    Text(Zeroizing<String>),
    /// In this file.
    File(PathBuf),
    /// Nothing was said: `master.key` in the data directory, if it is there.
    DataDirectory,
}

/// Where a secret is. No `Debug`: it may hold it.
#[derive(Clone)]
pub(crate) enum SecretSource {
    /// Given in the environment.
    Text(Zeroizing<String>),
    /// In this file.
    File(PathBuf),
}

/// PostgreSQL and how it is used.
#[derive(Clone)]
pub(crate) struct DatabaseSettings {
    /// URL of the application's role, with its password.
    pub(crate) url: SecretSource,
    /// Bounds of the pool and of statements.
    pub(crate) options: PostgresOptions,
}

/// Redis.
#[derive(Clone)]
pub(crate) struct RedisSettings {
    /// One URL, or several of a cluster separated by commas, with the password.
    pub(crate) url: SecretSource,
    /// What all keys start with.
    pub(crate) prefix: String,
    /// Certificates of the authorities that may vouch for the server; the system's without it.
    pub(crate) ca_file: Option<PathBuf>,
}

/// What this node is called and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeSettings {
    /// `None`: the host name.
    pub(crate) name: Option<String>,
    /// URLs that were given; other listeners are reached at the address they listen on.
    pub(crate) urls: BTreeMap<String, String>,
    /// Nodes to reckon with until Redis was asked who is there.
    pub(crate) expected: NonZeroU32,
}

/// Where mail goes.
#[derive(Clone)]
pub(crate) enum MailSettings {
    /// Nothing was said: it waits in the outbox.
    Nowhere,
    /// It is kept in memory, where everybody can read it.
    Mailbox,
    /// To a server.
    Smtp(SmtpSettings),
}

/// A server that takes mail.
#[derive(Clone)]
pub(crate) struct SmtpSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: SmtpSecurity,
    /// User name, and where the password is.
    pub(crate) credentials: Option<(String, SecretSource)>,
    /// Certificates of the authorities that may vouch for the server; the system's without it.
    pub(crate) ca_file: Option<PathBuf>,
    /// Address all mails come from.
    pub(crate) from: String,
}

/// Lists of breached passwords beside the one the program carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BreachSettings {
    /// A sorted list on this machine.
    pub(crate) file: Option<PathBuf>,
    /// A server that answers ranges.
    pub(crate) url: Option<String>,
    /// Certificates of the authorities that may vouch for it; the system's without it.
    pub(crate) ca_file: Option<PathBuf>,
    /// Time an answer may take.
    pub(crate) timeout: Duration,
    /// What becomes of new passwords while a list cannot be asked.
    pub(crate) while_unavailable: WhileUnavailable,
}

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// `RUST_LOG`-like directives.
    pub(crate) filter: String,
    /// Shape of a line.
    pub(crate) format: LogFormat,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How long a graceful stop may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShutdownSettings {
    /// Until then requests are served while readiness says no.
    pub(crate) drain: Duration,
    /// Until then whatever was begun or queued is finished.
    pub(crate) soft: Duration,
    /// Then the rest is cut.
    pub(crate) hard: Duration,
}

impl Settings {
    /// Reads and checks: `layers` holds what the command builds in and its flags say.
    pub(crate) fn load(
        file: Option<&Path>,
        variables: &[(String, String)],
        built_in: Layers,
        flags: &Layers,
    ) -> Result<Self, ConfigError> {
        let mut layers = built_in;
        if let Some(path) = file {
            layers.add_file(path)?;
        }
        let mut problems = layers.add_environment(variables);
        for (key, leaf) in flags.iter() {
            layers.set(key, leaf.value.clone(), leaf.origin.clone());
        }
        let settings = check::settings(&layers, &mut problems);
        problems.sort_by(|a, b| a.key.cmp(&b.key));
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(ConfigError::Invalid { problems }),
        }
    }

    /// What the actor system is started with.
    pub(crate) fn platform(&self) -> PlatformConfig {
        PlatformConfig { base_url: self.base_url.clone(), limits: self.limits }
    }

    /// What the listeners are opened with.
    pub(crate) fn http_config(&self) -> HttpConfig {
        HttpConfig {
            listeners: self.listeners.clone(),
            limits: self.http,
            cors_origins: self.cors_origins.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            tenant_domain: self.tenant_domain.clone(),
            open_metrics: self.open_metrics,
            fault_injection: self.fault_injection,
            strict_transport: self.base_url.starts_with("https://"),
        }
    }
}

/// The `PLINTO_*` variables of this process.
pub(crate) fn variables() -> Vec<(String, String)> {
    let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    std::env::vars_os().filter_map(utf8).filter(|(name, _)| name.starts_with("PLINTO_")).collect()
}
