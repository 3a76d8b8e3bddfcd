use redis::{ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use zeroize::Zeroizing;

/// What was given for Redis cannot be used, whether or not it is there.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// Not an address of Redis. The text is not repeated, it may hold a password.
    #[error(
        "not the URL of a redis: write redis://[user:password@]host[:port][/database], or rediss:// for TLS"
    )]
    Url,
    /// None was given.
    #[error("no URL of a redis was given")]
    NoUrl,
    /// The URLs of one cluster differ in more than host and port.
    #[error("the URLs of a redis cluster must agree in user, password and TLS, and name no database")]
    Mixed,
    /// The file of certificates cannot be read.
    #[error("cannot read the certificates in {path}: {source}")]
    CaFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no certificate, or one that cannot be used.
    #[error("{path} holds no usable certificates in PEM format")]
    Ca {
        /// Which.
        path: PathBuf,
    },
}

/// Where a Redis is. Printed, it shows neither user nor password.
#[derive(Clone)]
pub struct RedisUrl {
    info: ConnectionInfo,
}

impl RedisUrl {
    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.info
    }
}

impl FromStr for RedisUrl {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        if !(text.starts_with("redis://") || text.starts_with("rediss://")) {
            return Err(OptionsError::Url);
        }
        let info = text.into_connection_info().map_err(|_| OptionsError::Url)?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Ok(Self { info: info.set_redis_settings(settings) })
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.info.addr() {
            redis::ConnectionAddr::TcpTls { host, port, .. } => write!(f, "rediss://{host}:{port}"),
            redis::ConnectionAddr::Tcp(host, port) => write!(f, "redis://{host}:{port}"),
            _ => f.write_str("redis"),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// How to use a Redis. Printed, it does not show the secret.
#[derive(Clone)]
pub struct RedisOptions {
    /// One for a single Redis; several for one in cluster mode, each of which leads to the others.
    pub urls: Vec<RedisUrl>,
    /// Certificates to trust for `rediss://` in place of the system's, in PEM format.
    pub ca_file: Option<PathBuf>,
    /// What all keys start with; installations that share a Redis need different ones.
    pub prefix: String,
    /// Longest wait for an answer. It is also how long a hanging Redis can hold a call up, and most of the time until
    /// that is noticed.
    pub response_timeout: Duration,
    /// With this nodes sign what they say of themselves, so that whoever can write to Redis cannot pass for a node. All
    /// nodes of an installation have the same. Zeros, the default, are no secret: anybody can sign with them, which is
    /// for tests and benchmarks.
    pub secret: Zeroizing<[u8; 32]>,
    /// How many nodes to reckon with until Redis was asked for the first time.
    pub expected_nodes: NonZeroU32,
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { urls, ca_file, prefix, response_timeout, secret: _, expected_nodes } = self;
        f.debug_struct("RedisOptions")
            .field("urls", urls)
            .field("ca_file", ca_file)
            .field("prefix", prefix)
            .field("response_timeout", response_timeout)
            .field("expected_nodes", expected_nodes)
            .finish_non_exhaustive()
    }
}

impl RedisOptions {
    /// The usual ones, without a secret.
    pub fn new(urls: Vec<RedisUrl>) -> Self {
        Self {
            urls,
            ca_file: None,
            prefix: "plinto:".to_owned(),
            response_timeout: Duration::from_millis(400),
            secret: Zeroizing::new([0; 32]),
            expected_nodes: NonZeroU32::MIN,
        }
    }
}
