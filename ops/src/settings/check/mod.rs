//! From layers to settings. Every check runs, so that one attempt shows every problem.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use plinto_http::ListenerName;
use serde::de::DeserializeOwned;
use toml::{Table, Value};
use zeroize::Zeroizing;

mod breaches;
mod mail;
mod nodes;

use super::layers::{Layers, Origin};
use super::problem::Problem;
use super::schema::{self, Kind};
use super::{LogFormat, LogSettings, MasterKeySource, SecretSource, Settings, ShutdownSettings, environment};

/// Longest accepted grace period in seconds.
const LONGEST_GRACE: i64 = 3_600;
/// Seconds in which load balancers notice that a node is about to leave.
const DRAIN_BESIDE_OTHERS: u64 = 5;
/// Port of servers of the DNS.
const DNS_PORT: u16 = 53;
/// Bounds for which 0 has a meaning.
const MAY_BE_ZERO: &[&str] =
    &["limits.password_workers", "shutdown.drain_seconds", "shutdown.soft_seconds", "shutdown.hard_seconds"];

/// Checks everything; `None` when something without a default is wrong.
pub(super) fn settings(layers: &Layers, problems: &mut Vec<Problem>) -> Option<Settings> {
    let mut check = Check { layers, problems };
    check.shapes();
    let listeners = check.listeners();
    let base_url = check.base_url(&listeners);
    let limits = check.bounds("limits");
    let http = check.bounds("http");
    let database = check.database();
    let redis = check.redis(database.is_some());
    check.stores_without_url();
    let node = check.node(&listeners, database.is_some());
    let mail = check.mail(&listeners);
    let breaches = check.breaches();
    // Where one node serves alone, nobody could send requests elsewhere meanwhile.
    let drain = if database.is_some() { DRAIN_BESIDE_OTHERS } else { 0 };
    let settings = Settings {
        data_dir: PathBuf::from(check.text("data_dir").unwrap_or(super::DEFAULT_DATA_DIR)),
        base_url,
        listeners,
        master_key: check.master_key(),
        database,
        redis,
        node,
        limits: limits?,
        http: http?,
        cors_origins: check.items("cors_origins", origin),
        trusted_proxies: check.items("trusted_proxies", |text| {
            text.parse().map_err(|_| "give a network such as 10.0.0.0/8, or 10.0.0.7/32 for one address")
        }),
        tenant_domain: check.tenant_domain(),
        places: check.text("geo.database").map(PathBuf::from),
        dns_servers: check.items("dns.servers", |text| {
            let alone = || text.parse().map(|address: IpAddr| SocketAddr::new(address, DNS_PORT));
            text.parse()
                .or_else(|_| alone())
                .map_err(|_| "give addresses, such as 9.9.9.9 or [2620:fe::fe]:53")
        }),
        open_metrics: check.flag("open_metrics"),
        fault_injection: check.flag("fault_injection"),
        mail,
        breaches,
        log: check.log(),
        shutdown: check.shutdown(drain),
    };
    Some(settings)
}

struct Check<'a> {
    layers: &'a Layers,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Check<'a> {
    fn problem(&mut self, key: &str, what: impl Into<String>, fix: impl Into<String>) {
        let origin = self.layers.get(key).map_or(Origin::BuiltIn, |leaf| leaf.origin.clone());
        self.problems.push(Problem { key: key.to_owned(), origin, what: what.into(), fix: fix.into() });
    }

    /// Unknown keys, wrong types, and zeros.
    fn shapes(&mut self) {
        for (key, leaf) in self.layers.iter() {
            let problem = match schema::kind(key) {
                None => Some(schema::unknown(key)),
                Some(Kind::Secret) if matches!(leaf.origin, Origin::File(_)) => Some((
                    "a secret does not belong into this file".to_owned(),
                    format!("give {}, or `{key}_file` with the path of a file", environment::variable(key)),
                )),
                Some(kind) if !schema::fits(kind, &leaf.value) => Some(schema::expected(kind)),
                Some(_) if leaf.value.as_integer() == Some(0) && !MAY_BE_ZERO.contains(&key) => {
                    Some(("0 would refuse everything".to_owned(), "give 1 or more".to_owned()))
                }
                Some(_) => None,
            };
            if let Some((what, fix)) = problem {
                self.problem(key, what, fix);
            }
        }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.layers.get(key)?.value.as_str()
    }

    fn flag(&self, key: &str) -> bool {
        self.layers.get(key).and_then(|leaf| leaf.value.as_bool()).unwrap_or(false)
    }

    fn items<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, &'static str>) -> Vec<T> {
        let Some(Value::Array(items)) = self.layers.get(key).map(|leaf| &leaf.value) else {
            return Vec::new();
        };
        let mut parsed = Vec::new();
        for item in items.iter().filter_map(Value::as_str) {
            match parse(item) {
                Ok(item) => parsed.push(item),
                Err(fix) => self.problem(key, format!("`{item}` cannot be used"), fix),
            }
        }
        parsed
    }

    /// A section of bounds over its defaults. Each key is tried by itself, so that each wrong one is named.
    fn bounds<T: DeserializeOwned>(&mut self, section: &str) -> Option<T> {
        let mut table = Table::new();
        for (key, leaf) in self.layers.iter() {
            let Some(name) = key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            if !leaf.value.is_integer() || schema::kind(key).is_none() {
                continue;
            }
            let alone = Table::from_iter([(name.to_owned(), leaf.value.clone())]);
            match T::deserialize(alone) {
                Ok(_) => drop(table.insert(name.to_owned(), leaf.value.clone())),
                Err(_) => {
                    self.problem(key, format!("{} is out of range", leaf.value), "give a number from 1 on")
                }
            }
        }
        T::deserialize(table).ok()
    }

    fn services(&mut self) -> Vec<ListenerName> {
        let known = |text: &str| ListenerName::ALL.into_iter().find(|name| name.as_str() == text);
        if self.layers.get("services").is_none() {
            return ListenerName::ALL.to_vec();
        }
        let before = self.problems.len();
        let mut services = self
            .items("services", |text| known(text).ok_or("the services are core, auth, mock and webhooks"));
        if services.is_empty() && self.problems.len() == before {
            self.problem(
                "services",
                "no service is left",
                "name at least one of core, auth, mock and webhooks",
            );
        }
        services.sort_by_key(|name| name.default_port());
        services.dedup();
        services
    }

    fn listeners(&mut self) -> Vec<(ListenerName, SocketAddr)> {
        let mut listeners: Vec<(ListenerName, SocketAddr)> = Vec::new();
        for name in self.services() {
            let key = format!("listen.{name}");
            let standard = SocketAddr::from(([127, 0, 0, 1], name.default_port()));
            let address = match self.text(&key).map(str::parse) {
                None => standard,
                Some(Ok(address)) => address,
                Some(Err(_)) => {
                    self.problem(
                        &key,
                        "this is not an address",
                        "give IP and port, such as 127.0.0.1:8000 or [::]:8000",
                    );
                    continue;
                }
            };
            let clash = listeners.iter().find(|(_, taken)| address.port() != 0 && *taken == address);
            if let Some((other, _)) = clash.copied() {
                self.problem(
                    &key,
                    format!("{address} is already taken by {other}"),
                    "give each service its own port",
                );
            }
            listeners.push((name, address));
        }
        listeners
    }

    /// Issuers are made from it, so it may be guessed only where nobody else can be affected.
    fn base_url(&mut self, listeners: &[(ListenerName, SocketAddr)]) -> String {
        const KEY: &str = "base_url";
        let core =
            listeners.iter().find(|(name, _)| *name == ListenerName::Core).map(|(_, address)| address.port());
        // An issuer outlives a process: with an ephemeral port it is the standard one, so that tokens stay good.
        let port = core.filter(|port| *port != 0).unwrap_or(ListenerName::Core.default_port());
        let standard = format!("http://localhost:{port}");
        let Some(text) = self.text(KEY) else {
            if let Some((name, address)) = listeners.iter().find(|(_, address)| !address.ip().is_loopback()) {
                let fix =
                    "give the URL under which clients reach the core service, such as https://id.example.com";
                self.problem(KEY, format!("it is needed because {name} listens on {address}"), fix);
            }
            return standard;
        };
        match origin(text) {
            Ok(url) => url,
            Err(fix) => {
                self.problem(KEY, format!("`{text}` cannot be used"), fix);
                standard
            }
        }
    }

    fn master_key(&mut self) -> MasterKeySource {
        match self.secret("master_key") {
            Some(SecretSource::Text(text)) => MasterKeySource::Text(text),
            Some(SecretSource::File(path)) => MasterKeySource::File(path),
            None => MasterKeySource::DataDirectory,
        }
    }

    /// A secret from the environment, or the file that holds it.
    fn secret(&mut self, key: &str) -> Option<SecretSource> {
        let file = format!("{key}_file");
        match (self.text(key), self.text(&file)) {
            (Some(_), Some(_)) => {
                self.problem(key, format!("{file} is given as well"), "give one of the two");
                None
            }
            (Some(text), None) => Some(SecretSource::Text(Zeroizing::new(text.to_owned()))),
            (None, Some(path)) => Some(SecretSource::File(PathBuf::from(path))),
            (None, None) => None,
        }
    }

    fn tenant_domain(&mut self) -> Option<String> {
        let text = self.text("tenant_domain")?;
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !text.split('.').all(label) {
            self.problem(
                "tenant_domain",
                format!("`{text}` is not a host name"),
                "give one such as id.example.com",
            );
        }
        Some(text.to_ascii_lowercase())
    }

    fn log(&mut self) -> LogSettings {
        let filter = self.text("log.filter").unwrap_or("info").to_owned();
        if tracing_subscriber::EnvFilter::try_new(&filter).is_err() {
            let fix = "give directives such as info or warn,plinto_actors=debug";
            self.problem("log.filter", format!("`{filter}` cannot be used"), fix);
        }
        let format = match self.text("log.format") {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                self.problem("log.format", format!("`{other}` cannot be used"), "give text or json");
                LogFormat::Text
            }
        };
        LogSettings { filter, format }
    }

    fn seconds(&mut self, key: &str, standard: u64) -> Duration {
        let given = self.layers.get(key).and_then(|leaf| leaf.value.as_integer());
        match given {
            None => Duration::from_secs(standard),
            Some(seconds) if (0..=LONGEST_GRACE).contains(&seconds) => {
                Duration::from_secs(seconds.unsigned_abs())
            }
            Some(seconds) => {
                self.problem(
                    key,
                    format!("{seconds} is out of range"),
                    format!("give 0 to {LONGEST_GRACE} seconds"),
                );
                Duration::from_secs(standard)
            }
        }
    }

    fn shutdown(&mut self, drain: u64) -> ShutdownSettings {
        let drain = self.seconds("shutdown.drain_seconds", drain);
        let soft = self.seconds("shutdown.soft_seconds", 10);
        let hard = self.seconds("shutdown.hard_seconds", 20.max(soft.as_secs()));
        if hard < soft {
            self.problem(
                "shutdown.hard_seconds",
                "it ends before soft_seconds",
                "give at least soft_seconds",
            );
        }
        ShutdownSettings { drain, soft, hard }
    }
}

/// A web origin: scheme, host and port, nothing behind.
fn origin(text: &str) -> Result<String, &'static str> {
    const FIX: &str = "give scheme, host and port only, such as https://id.example.com";
    let url = reqwest::Url::parse(text).map_err(|_| FIX)?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if bare { Ok(url.origin().ascii_serialization()) } else { Err(FIX) }
}
