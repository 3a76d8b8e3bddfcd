//! PostgreSQL as tests get it.

use plinto_servers::{PgBouncer, PostgresConfig, PostgresServer, ServerTls};
use std::process::Command;

/// The first column of the first row, or what psql complains of.
fn query(url: &str, statement: &str) -> Result<String, String> {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]);
    let done = psql.env("PGCONNECT_TIMEOUT", "2").output().expect("psql is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}

#[test]
fn databases_are_separate_and_belong_to_the_owner() {
    let server = PostgresServer::shared();
    let (first, second) = (server.database(), server.database());
    query(&first.owner_url, "CREATE TABLE things (id int); INSERT INTO things VALUES (7)").unwrap();
    assert_eq!(query(&first.superuser_url, "SELECT id FROM things").unwrap(), "7");
    assert!(query(&second.owner_url, "SELECT id FROM things").unwrap_err().contains("does not exist"));

    assert_eq!(query(&first.app_url, "SELECT current_user").unwrap(), plinto_servers::APP_ROLE);
    assert!(query(&first.app_url, "CREATE TABLE mine (id int)").unwrap_err().contains("permission denied"));
    assert!(query(&first.app_url, "SELECT id FROM things").unwrap_err().contains("permission denied"));
    let powers =
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user";
    assert_eq!(query(&first.app_url, powers).unwrap(), "f");
    assert_eq!(query(&first.owner_url, powers).unwrap(), "f");
}

#[test]
fn data_survives_stops_kills_and_restarts_on_the_same_port() {
    let server = PostgresServer::start(PostgresConfig::default()).unwrap();
    let database = server.database();
    let port = server.port();
    query(&database.owner_url, "CREATE TABLE things (id int)").unwrap();
    let ways: [fn(&PostgresServer); 2] = [PostgresServer::stop, PostgresServer::kill];
    for (number, end) in ways.into_iter().enumerate() {
        query(&database.owner_url, &format!("INSERT INTO things VALUES ({number})")).unwrap();
        end(&server);
        assert!(query(&database.owner_url, "SELECT 1").is_err());
        server.start_again().unwrap();
        assert_eq!(server.port(), port);
    }
    server.restart().unwrap();
    assert_eq!(query(&database.owner_url, "SELECT count(*) FROM things").unwrap(), "2");
}

#[test]
fn a_frozen_server_answers_nothing_until_it_goes_on() {
    let server = PostgresServer::start(PostgresConfig::default()).unwrap();
    let database = server.database();
    server.pause();
    assert!(query(&database.owner_url, "SELECT 1").unwrap_err().contains("timeout"));
    server.resume();
    assert_eq!(query(&database.owner_url, "SELECT 1").unwrap(), "1");
    server.pause();
    // Dropped while frozen: this must come back.
}

#[test]
fn settings_are_taken_and_a_wrong_one_is_told_with_the_log() {
    let with = |name: &str, value: &str| PostgresConfig {
        durable: true,
        settings: vec![(name.to_owned(), value.to_owned())],
        ..PostgresConfig::default()
    };
    let server = PostgresServer::start(with("application_name", "it's mine")).unwrap();
    let database = server.database();
    assert_eq!(query(&database.app_url, "SHOW fsync").unwrap(), "on");
    assert_eq!(
        query(&database.app_url, "SELECT setting FROM pg_settings WHERE name = 'fsync'").unwrap(),
        "on"
    );
    let refused = PostgresServer::start(with("no_such_setting", "1")).err().unwrap().to_string();
    assert!(refused.contains("no_such_setting"), "{refused}");
}

#[test]
fn the_bouncer_gives_each_transaction_any_connection() {
    let server = PostgresServer::shared();
    let database = server.database();
    let bouncer = PgBouncer::start(server, &database).unwrap();
    assert_eq!(query(bouncer.url(), "SELECT current_user").unwrap(), plinto_servers::APP_ROLE);
    assert_eq!(query(bouncer.owner_url(), "SELECT current_user").unwrap(), plinto_servers::OWNER_ROLE);
    let at = format!(":{}/", server.port());
    assert!(!bouncer.url().contains(&at));
}

#[test]
fn with_a_certificate_plain_connections_are_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let tls = ServerTls { cert_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() };
    let server =
        PostgresServer::start(PostgresConfig { tls: Some(tls), ..PostgresConfig::default() }).unwrap();
    let database = server.database();
    let with = |mode: &str| format!("{}?sslmode={mode}", database.app_url);
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(query(&with("require"), encrypted).unwrap(), "t");
    assert!(query(&with("disable"), encrypted).unwrap_err().contains("no encryption"));
}
