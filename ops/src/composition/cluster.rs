//! What nodes share beside the database, and what this one is called.

use std::net::SocketAddr;
use std::sync::Arc;

use plinto_cluster::{Cluster, InProcess, NodeId, NodeInfo, OptionsError, RedisOptions, RedisShared};
use plinto_http::ListenerName;
use plinto_storage::{Entropy, Store, VaultError};

use super::{SecretProblem, SystemRandomness, secret};
use crate::settings::{RedisSettings, Settings};

/// Redis cannot be used as it was given. One that is away is no such problem.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedisProblem {
    /// Its URL is not to be had.
    #[error(transparent)]
    Secret(#[from] SecretProblem),
    /// The platform's keys are not complete.
    #[error("the key with which nodes know each other cannot be had: {0}")]
    Key(#[from] VaultError),
    /// What was given for it is wrong.
    #[error("redis cannot be used: {0}")]
    Options(#[from] OptionsError),
}

/// What the key is derived for with which nodes sign what they say of themselves.
const PRESENCE: &str = "cluster.presence";
/// The platform's first data key, which every node has for as long as the installation lives: with the current one,
/// nodes would not know each other while it is rotated.
const FIRST: u32 = 1;

/// Joins the others over Redis, or stays alone. `now` is unix milliseconds.
pub(super) async fn join(
    settings: &Settings,
    addresses: &[(ListenerName, SocketAddr)],
    store: &Store,
    now: i64,
) -> Result<Arc<dyn Cluster>, RedisProblem> {
    let this = describe(settings, addresses, now);
    match &settings.redis {
        Some(redis) => Ok(Arc::new(RedisShared::connect(options(settings, redis, store)?, this).await?)),
        None => Ok(Arc::new(InProcess::alone(this))),
    }
}

fn options(settings: &Settings, redis: &RedisSettings, store: &Store) -> Result<RedisOptions, RedisProblem> {
    let text = secret::read(&redis.url, "the URL of Redis")?;
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let urls = parts.map(str::parse).collect::<Result<Vec<_>, _>>()?;
    Ok(RedisOptions {
        prefix: redis.prefix.clone(),
        ca_file: redis.ca_file.clone(),
        secret: store.platform_vault().derive_at(FIRST, PRESENCE, b"nodes")?,
        expected_nodes: settings.node.expected,
        ..RedisOptions::new(urls)
    })
}

fn describe(settings: &Settings, addresses: &[(ListenerName, SocketAddr)], now: i64) -> NodeInfo {
    let mut id = [0; 16];
    Entropy::fill(&SystemRandomness, &mut id);
    let given = &settings.node.urls;
    let url = |(name, address): &(ListenerName, SocketAddr)| {
        let name = name.to_string();
        // Nobody can connect to a wildcard address.
        let own = (!address.ip().is_unspecified()).then(|| format!("http://{address}"));
        given.get(&name).cloned().or(own).map(|url| (name, url))
    };
    NodeInfo {
        id: NodeId(uuid::Builder::from_random_bytes(id).into_uuid()),
        name: settings.node.name.clone().unwrap_or_else(host_name),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now,
        urls: addresses.iter().filter_map(url).collect(),
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
