use super::{OptionsError, RedisOptions};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, Pipeline, ProtocolVersion, RedisError, RedisFuture, RedisResult,
    TlsCertificates, Value,
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::time::Duration;

/// Longest wait for a connection, TLS and authentication included.
const CONNECTING: Duration = Duration::from_secs(1);

/// Requests that may wait to be written; more callers wait for room, within their time.
const UNWRITTEN: usize = 1024;

/// A script that says it may write, so that a server which takes no writes refuses it. It needs no key, which would be
/// on one server only.
const WRITER: &str = "#!lua\nreturn 1";

/// Makes connections of one kind.
#[derive(Clone)]
pub(super) enum Connector {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
}

/// One connection for many users at a time; clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connector {
    /// For connections whose answers come within `patience`.
    pub(super) fn new(options: &RedisOptions, patience: Duration) -> Result<Self, OptionsError> {
        let certificates = certificates(options)?;
        choose_cryptography();
        match options.urls.as_slice() {
            [] => Err(OptionsError::NoUrl),
            [only] => {
                let info = only.info().clone();
                let client = match certificates {
                    // The crate refuses certificates where there is no TLS.
                    Some(certificates) if matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. }) => {
                        Client::build_with_tls(info, certificates)
                    }
                    _ => Client::open(info),
                };
                client.map(|client| Self::Single(Box::new(client))).map_err(|_| OptionsError::Url)
            }
            several => {
                let nodes = several.iter().map(|url| url.info().clone());
                let mut builder = ClusterClient::builder(nodes)
                    .use_protocol(ProtocolVersion::RESP3)
                    .connection_timeout(CONNECTING)
                    .response_timeout(patience)
                    // Enough to follow a slot that moved; an outage is not waited out.
                    .retries(2)
                    .min_retry_wait(5)
                    .max_retry_wait(20);
                if let Some(certificates) = certificates {
                    builder = builder.certs(certificates);
                }
                builder.build().map(|client| Self::Cluster(Box::new(client))).map_err(|_| OptionsError::Mixed)
            }
        }
    }

    /// A new connection, within about a second.
    pub(super) async fn connect(&self, patience: Duration) -> RedisResult<Connection> {
        let connecting = async {
            match self {
                Self::Single(client) => {
                    let config = AsyncConnectionConfig::new()
                        .set_connection_timeout(Some(CONNECTING))
                        .set_response_timeout(Some(patience))
                        .set_pipeline_buffer_size(UNWRITTEN);
                    client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::Single)
                }
                Self::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
            }
        };
        match tokio::time::timeout(CONNECTING, connecting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        }
    }

    /// Whether several servers hold the keys.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }
}

impl Connection {
    /// Writes the key, to be forgotten after `life`. Succeeds only when every primary takes writes: all of them hold
    /// limits.
    pub(super) async fn write(&mut self, key: &str, life: Duration) -> RedisResult<()> {
        if let Self::Cluster(connection) = self {
            let mut command = redis::cmd("EVAL");
            command.arg(WRITER).arg(0);
            // Without a policy every answer comes back as it is, refusals as well.
            let routing = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            connection.route_command(command, routing).await?.extract_error()?;
        }
        redis::cmd("SET").arg(key).arg(1).arg("PX").arg(life.as_millis()).exec_async(self).await
    }
}

/// The client crate takes the process's choice and panics where there is none; one that was made stays.
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else was faster: then there is one.
        let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

fn certificates(options: &RedisOptions) -> Result<Option<TlsCertificates>, OptionsError> {
    let Some(path) = &options.ca_file else { return Ok(None) };
    let read = std::fs::read(path);
    let pem = read.map_err(|source| OptionsError::CaFile { path: path.clone(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let added = certificate.is_ok_and(|certificate| roots.add(certificate).is_ok());
        if !added {
            return Err(OptionsError::Ca { path: path.clone() });
        }
    }
    if roots.is_empty() {
        return Err(OptionsError::Ca { path: path.clone() });
    }
    Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(pem) }))
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
