//! What several nodes share: the database, Redis, and how the nodes are called and reached.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use plinto_http::ListenerName;
use plinto_storage::engines::postgres::PostgresOptions;

use super::{Check, origin};
use crate::settings::{DatabaseSettings, NodeSettings, RedisSettings};

/// Most connections of one node: PostgreSQL itself allows 100 in all unless told otherwise.
const MOST_CONNECTIONS: i64 = 1_000;
const LONGEST_QUEUE: i64 = 1_000_000;
const LONGEST_MILLIS: i64 = 600_000;
/// What all keys in Redis start with.
const PREFIX: &str = "plinto:";
const MOST_NODES: i64 = 1_000;
const LONGEST_NAME: usize = 63;

impl Check<'_> {
    pub(super) fn database(&mut self) -> Option<DatabaseSettings> {
        let standard = PostgresOptions::default();
        let connections = self.within("database.connections", standard.connections, MOST_CONNECTIONS);
        let queue_depth = self.within("database.queue_depth", standard.queue_depth, LONGEST_QUEUE);
        let statement_timeout = self.millis("database.statement_millis", standard.statement_timeout);
        let lock_timeout = self.millis("database.lock_millis", standard.lock_timeout);
        let ca_file = self.text("database.ca_file").map(PathBuf::from);
        let options = PostgresOptions {
            connections,
            queue_depth,
            statement_timeout,
            lock_timeout,
            ca_file,
            ..standard
        };
        Some(DatabaseSettings { url: self.secret("database_url")?, options })
    }

    /// What is said of a store whose URL is not given is refused: a URL that was forgotten would start an empty
    /// installation in the data directory, or a node that is not told what others change.
    pub(super) fn stores_without_url(&mut self) {
        let database = ("PostgreSQL", "PLINTO_DATABASE_URL", "database_url_file");
        let redis = ("Redis", "PLINTO_REDIS_URL", "redis_url_file");
        let layers = self.layers;
        let given = |key: &str| layers.get(key).is_some() || layers.get(&format!("{key}_file")).is_some();
        let (with_database, with_redis) = (given("database_url"), given("redis_url"));
        for (key, _) in layers.iter() {
            let about = match key.split_once('.') {
                Some(("database", _)) if !with_database => database,
                Some(("redis", _) | ("node", "expected")) if !with_redis => redis,
                Some(("node", name)) if name.ends_with("_url") && !with_database => database,
                _ => continue,
            };
            let (store, variable, file) = about;
            self.problem(
                key,
                format!("it is for nodes that share {store}, and no URL of it is given"),
                format!("give {variable} or `{file}` as well, or leave this out"),
            );
        }
    }

    fn millis(&mut self, key: &str, standard: Duration) -> Duration {
        let standard = u32::try_from(standard.as_millis()).unwrap_or(u32::MAX);
        Duration::from_millis(self.within(key, standard, LONGEST_MILLIS).into())
    }

    /// Nodes that share no database have nothing to tell each other.
    pub(super) fn redis(&mut self, with_database: bool) -> Option<RedisSettings> {
        let url = self.secret("redis_url")?;
        if !with_database {
            let key = if self.text("redis_url").is_some() { "redis_url" } else { "redis_url_file" };
            self.problem(
                key,
                "Redis serves nodes that share a PostgreSQL database, and none is given",
                "give PLINTO_DATABASE_URL or `database_url_file` as well, or leave Redis out",
            );
        }
        let prefix = self.text("redis.prefix").unwrap_or(PREFIX);
        if prefix.is_empty() || prefix.chars().any(|letter| letter.is_whitespace() || "{}".contains(letter)) {
            let fix = "give a name such as plinto: or production:, without spaces and braces";
            self.problem("redis.prefix", format!("`{prefix}` cannot be used"), fix);
        }
        let ca_file = self.text("redis.ca_file").map(PathBuf::from);
        Some(RedisSettings { url, prefix: prefix.to_owned(), ca_file })
    }

    pub(super) fn node(
        &mut self,
        listeners: &[(ListenerName, SocketAddr)],
        with_database: bool,
    ) -> NodeSettings {
        let mut urls = BTreeMap::new();
        for name in ListenerName::ALL {
            let key = format!("node.{name}_url");
            let Some(text) = self.text(&key) else { continue };
            match origin(text) {
                Ok(url) => drop(urls.insert(name.to_string(), url)),
                Err(fix) => self.problem(&key, format!("`{text}` cannot be used"), fix),
            }
        }
        let auth = listeners.iter().find(|(name, _)| *name == ListenerName::Auth);
        if let Some((name, address)) = auth
            && with_database
            && address.ip().is_unspecified()
            && self.text("node.auth_url").is_none()
        {
            self.problem(
                "node.auth_url",
                format!(
                    "it is needed because {name} listens on {address}, which is no address to connect to"
                ),
                "give the URL under which operators and other nodes reach it, such as http://10.0.0.7:8001",
            );
        }
        let expected = self.within("node.expected", 1, MOST_NODES);
        let expected = NonZeroU32::new(expected).unwrap_or(NonZeroU32::MIN);
        NodeSettings { name: self.node_name(), urls, expected }
    }

    fn node_name(&mut self) -> Option<String> {
        let name = self.text("node.name")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(plain) {
            self.problem(
                "node.name",
                format!("`{name}` cannot be used"),
                format!(
                    "give 1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores, such as node-1"
                ),
            );
        }
        Some(name.to_owned())
    }

    /// A whole number from 1 to `most`.
    pub(super) fn within(&mut self, key: &str, standard: u32, most: i64) -> u32 {
        let Some(given) = self.layers.get(key).and_then(|leaf| leaf.value.as_integer()) else {
            return standard;
        };
        match u32::try_from(given) {
            Ok(number) if given <= most => number.max(1),
            _ => {
                self.problem(
                    key,
                    format!("{given} is out of range"),
                    format!("give a number from 1 to {most}"),
                );
                standard
            }
        }
    }
}
