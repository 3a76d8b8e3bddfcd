//! TLS is verified whenever it is used.

use plinto_servers::{PostgresConfig, PostgresServer, ServerTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::super::{DatabaseUrl, PostgresOptions, migrate, schema_state};
use super::{APPLICATION, blocking, empty_database};
use crate::StorageError;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("generates")).expect("signs itself")
}

fn server_certificate(authority: &Authority) -> ServerTls {
    let key = KeyPair::generate().expect("generates");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("is an address");
    let certificate = params.signed_by(&key, authority).expect("signs");
    ServerTls { cert_pem: certificate.pem(), key_pem: key.serialize_pem() }
}

#[tokio::test]
async fn only_a_trusted_certificate_is_accepted() {
    let (ours, other) = (authority(), authority());
    let tls = Some(server_certificate(&ours));
    let (server, database) = blocking(|| {
        let server =
            PostgresServer::start(PostgresConfig { tls, ..PostgresConfig::default() }).expect("starts");
        let database = server.database();
        (server, database)
    })
    .await;
    let folder = TempDir::new().unwrap();
    let trusting = |name: &str, authority: &Authority| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem()).unwrap();
        PostgresOptions { ca_file: Some(file), ..PostgresOptions::default() }
    };
    let (right, wrong) = (trusting("right.pem", &ours), trusting("wrong.pem", &other));
    let at = |url: &str, mode: &str| DatabaseUrl::parse(&format!("{url}?sslmode={mode}")).expect("is valid");
    for mode in ["require", "prefer"] {
        migrate(&at(&database.owner_url, mode), APPLICATION, &right).await.expect("migrates");
        let engine = super::PostgresEngine::open(&at(&database.app_url, mode), right.clone()).await;
        crate::Engine::close(&engine.expect("opens")).await;
        for options in [&wrong, &PostgresOptions::default()] {
            let refused = schema_state(&at(&database.app_url, mode), options).await;
            let Err(StorageError::Unsuitable { reason }) = refused else { panic!("{refused:?}") };
            assert!(reason.contains("not trusted"), "{reason}");
        }
    }
    let renamed = database.app_url.replace("127.0.0.1", "localhost");
    let refused = schema_state(&at(&renamed, "require"), &right).await;
    assert!(matches!(refused, Err(StorageError::Unsuitable { .. })), "another name: {refused:?}");
    let plain = schema_state(&at(&database.app_url, "disable"), &right).await;
    assert!(matches!(plain, Err(StorageError::Unsuitable { .. })), "{plain:?}");
    let missing =
        PostgresOptions { ca_file: Some(folder.path().join("none.pem")), ..PostgresOptions::default() };
    let refused = schema_state(&at(&database.app_url, "require"), &missing).await;
    assert!(matches!(refused, Err(StorageError::Unsuitable { .. })), "{refused:?}");
    drop(server);
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let database = empty_database().await;
    let at =
        |mode: &str| DatabaseUrl::parse(&format!("{}?sslmode={mode}", database.app_url)).expect("is valid");
    let refused = schema_state(&at("require"), &PostgresOptions::default()).await;
    assert!(matches!(refused, Err(StorageError::Unsuitable { .. })), "{refused:?}");
    schema_state(&at("prefer"), &PostgresOptions::default()).await.expect("goes on without");
    schema_state(&at("disable"), &PostgresOptions::default()).await.expect("goes without");
}
