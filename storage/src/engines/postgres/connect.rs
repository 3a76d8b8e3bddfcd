//! Ways to the server: addresses, TLS, one connection.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::Fault;
use super::threads;
use super::{DatabaseUrl, PostgresOptions};
use crate::error::StorageError;

/// Makes connections to one database.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    /// Where connections are made and driven.
    threads: Handle,
}

/// A connection and the task that carries its bytes.
pub(super) struct Line {
    pub(super) client: Client,
    driver: AbortHandle,
}

impl Line {
    /// Cuts the connection at once, whatever is under way on it. The server rolls back.
    pub(super) fn cut(&self) {
        self.driver.abort();
    }
}

impl Connector {
    pub(super) fn new(
        url: &DatabaseUrl,
        options: &PostgresOptions,
        threads: Handle,
    ) -> Result<Self, StorageError> {
        let tls = if url.wants_tls() { Some(tls(options.ca_file.as_deref())?) } else { None };
        let (mut config, timeout) = (url.config().clone(), options.connect_timeout);
        // A host that swallows packets must leave time to try the next.
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
        config.connect_timeout(timeout / hosts.max(1));
        Ok(Self { config, tls, timeout, threads })
    }

    pub(super) async fn connect(&self) -> Result<Line, Fault> {
        let connecting = connect(self.config.clone(), self.tls.clone());
        let connecting = threads::run(&self.threads, connecting);
        tokio::time::timeout(self.timeout, connecting).await.unwrap_or(Ok(Err(Fault::Silent)))?
    }
}

async fn connect(config: Config, tls: Option<MakeRustlsConnect>) -> Result<Line, Fault> {
    Ok(match tls {
        Some(tls) => {
            let (client, connection) = config.connect(tls).await.map_err(sorted)?;
            Line { client, driver: tokio::spawn(drive(connection)).abort_handle() }
        }
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(sorted)?;
            Line { client, driver: tokio::spawn(drive(connection)).abort_handle() }
        }
    })
}

/// How a connection ends is seen by those who wait for an answer on it.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(code = error.code().map(|code| code.code()), "a connection to PostgreSQL ended");
    }
}

/// Faults that come again however often one connects are told apart from a server that is away.
fn sorted(error: tokio_postgres::Error) -> Fault {
    if error.as_db_error().is_some() {
        return Fault::Unconnected(error);
    }
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    // The driver asks a server whether it takes writes, and names the answer and the kind of an error only in texts.
    if cause.as_deref() == Some("database does not allow writes") {
        return Fault::ReadOnly;
    }
    let reason = match error.to_string() {
        text if text.starts_with("error performing TLS") => {
            "TLS failed: the server has none, or its certificate or host name is not trusted; \
             give the file of its certificate authority, or sslmode=disable on a private network"
        }
        text if text.starts_with("invalid configuration") || text.starts_with("authentication") => {
            "the server asks for a password or a way to authenticate that the URL does not give"
        }
        _ => return Fault::Unconnected(error),
    };
    StorageError::Unsuitable { reason: reason.to_owned() }.into()
}

fn tls(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, StorageError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let unreadable = || StorageError::Unsuitable {
                reason: format!("{} holds no readable PEM certificate", path.display()),
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|_| unreadable())? {
                roots.add(certificate.map_err(|_| unreadable())?).map_err(|_| unreadable())?;
            }
            if roots.is_empty() {
                return Err(unreadable());
            }
        }
        None => {
            // A machine may have none; a server with TLS is then refused when it shows its certificate.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
