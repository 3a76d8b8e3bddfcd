//! A server that goes away ends what is under way within a second, and needs no restart of ours when it is back.

use std::sync::Arc;
use std::time::Duration;

use plinto_servers::PgBouncer;
use tokio::time::Instant;

use super::super::{PostgresEngine, PostgresOptions};
use super::proxy::Proxy;
use super::{blocking, client, database, fixture, private_server, url};
use crate::conformance::{Fixture, Subject, entry};
use crate::ledger::verify;
use crate::repositories::users;
use crate::{Scope, Statement, StorageError, TenantVault, Unit};

/// The bound is a second; the machine these tests run on is shared.
const BOUND: Duration = Duration::from_millis(1_500);
const SLOW: &str = "SELECT 1 FROM pg_sleep(1.2)";
const FOREVER: &str = "SELECT 1 FROM pg_sleep(60)";

fn unavailable<T: std::fmt::Debug>(answer: Result<T, StorageError>) {
    assert!(matches!(answer, Err(StorageError::Unavailable { .. })), "{answer:?}");
}

/// Reads and writes are refused soon, those under way included, once `leave` has made the server go.
async fn refuses_soon(fixture: &Fixture, vault: &TenantVault, leave: impl Future<Output = ()>) {
    let engine = Arc::clone(fixture.store.engine());
    let under_way =
        tokio::spawn(async move { engine.read(Scope::Platform, Statement::new(FOREVER, vec![])).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    leave.await;
    let begun = Instant::now();
    unavailable(under_way.await.expect("does not panic"));
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    let begun = Instant::now();
    unavailable(users::get(fixture.engine(), vault, fixture.id()).await);
    let unit = Unit { statements: vec![], entries: vec![entry("user.seen", 1)] };
    unavailable(fixture.engine().commit(Scope::Tenant(vault.tenant()), "suite", vec![unit]).await);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    let health = fixture.engine().health().await;
    assert!(!health.ready() && health.reason.is_some(), "{health:?}");
    assert_eq!(health.pool.expect("has a pool").in_use, 0, "no permit leaks");
}

async fn heals(fixture: &Fixture, vault: &TenantVault) {
    let begun = Instant::now();
    while !fixture.engine().health().await.ready() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", fixture.engine().health().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let user = fixture.stored_user(vault).await;
    assert_eq!(users::get(fixture.engine(), vault, user.user_id).await, Ok(Some(user)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_freezes_or_is_killed_is_left_and_found_again() {
    let (server, database) = private_server().await;
    let fixture = fixture(&database, PostgresOptions { connections: 4, ..PostgresOptions::default() }).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let seen = || fixture.commit(&vault, vec![], vec![entry("user.seen", 1)]);

    seen().await.expect("commits");
    let at = Arc::clone(&server);
    refuses_soon(&fixture, &vault, blocking(move || at.stop())).await;
    let at = Arc::clone(&server);
    blocking(move || at.start_again()).await.expect("starts");
    heals(&fixture, &vault).await;

    seen().await.expect("commits");
    let at = Arc::clone(&server);
    refuses_soon(&fixture, &vault, blocking(move || at.pause())).await;
    let at = Arc::clone(&server);
    blocking(move || at.resume()).await;
    heals(&fixture, &vault).await;

    seen().await.expect("commits");
    let at = Arc::clone(&server);
    refuses_soon(&fixture, &vault, blocking(move || at.kill())).await;
    let at = Arc::clone(&server);
    blocking(move || at.start_again()).await.expect("starts");
    heals(&fixture, &vault).await;
    assert_eq!(verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies").head.seq, 3);
    fixture.engine().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_swallows_packets_is_left_and_found_again() {
    let database = database().await;
    let proxy = Proxy::before(&database.app_url).await;
    let engine = PostgresEngine::open(&url(&proxy.url), PostgresOptions::default()).await.expect("opens");
    let fixture = Fixture::new(Subject { engine: Arc::new(engine), keep: Box::new(()) }).await;
    let vault = fixture.tenant("ours").await;
    refuses_soon(&fixture, &vault, async { proxy.swallow() }).await;
    proxy.pass();
    heals(&fixture, &vault).await;
}

/// PgBouncer stays and says for itself that the server is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_behind_pgbouncer_is_left_and_found_again() {
    let (server, database) = private_server().await;
    let (at, of) = (Arc::clone(&server), database.clone());
    let bouncer = blocking(move || PgBouncer::start(&at, &of).expect("starts")).await;
    let options = PostgresOptions { connections: 4, ..PostgresOptions::default() };
    let engine = PostgresEngine::open(&url(bouncer.url()), options).await.expect("opens");
    let fixture = Fixture::new(Subject { engine: Arc::new(engine), keep: Box::new(()) }).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    for _ in 0..2 {
        // A commit that finds its connection ended is not refused but tried again.
        let engine = Arc::clone(fixture.store.engine());
        let writer = tokio::spawn(async move {
            loop {
                let unit = Unit { statements: vec![], entries: vec![entry("user.seen", 1)] };
                if let Err(error) = engine.commit(scope, "suite", vec![unit]).await {
                    return error;
                }
            }
        });
        let at = Arc::clone(&server);
        let stop = async {
            blocking(move || at.stop()).await;
            let error = writer.await.expect("does not panic");
            let told = matches!(error, StorageError::Unavailable { .. } | StorageError::Unacknowledged);
            assert!(told, "{error}");
        };
        refuses_soon(&fixture, &vault, stop).await;
        let at = Arc::clone(&server);
        blocking(move || at.start_again()).await.expect("starts");
        heals(&fixture, &vault).await;
    }
    verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies");
}

/// As a primary that has become a standby: what was connected finds its writes refused, new connections are too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_any_more_is_left_and_found_again() {
    let (_server, database) = private_server().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let superuser = client(&database.superuser_url).await;
    superuser.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on").await.expect("sets");
    superuser.batch_execute("SELECT pg_reload_conf()").await.expect("loads");
    let unit = || vec![Unit { statements: vec![], entries: vec![entry("user.seen", 1)] }];
    let scope = Scope::Tenant(vault.tenant());
    // Connections that were there begin transactions in which nothing may be written.
    let reads_only = async {
        let text = "SHOW transaction_read_only";
        while superuser.query_one(text, &[]).await.expect("answers").get::<_, &str>(0) == "off" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(BOUND, reads_only).await.expect("loads the setting");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    unavailable(fixture.engine().commit(scope, "suite", unit()).await);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    let refused = PostgresEngine::open(&url(&database.app_url), PostgresOptions::default()).await;
    let Err(StorageError::Unavailable { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("standby"), "{reason}");

    superuser.batch_execute("SET default_transaction_read_only = off").await.expect("sets");
    superuser.batch_execute("ALTER SYSTEM RESET default_transaction_read_only").await.expect("sets");
    superuser.batch_execute("SELECT pg_reload_conf()").await.expect("loads");
    heals(&fixture, &vault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_acknowledged_is_there_afterwards() {
    let (server, database) = private_server().await;
    let fixture = Arc::new(fixture(&database, PostgresOptions::default()).await);
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let engine = Arc::clone(fixture.store.engine());
    let writer = tokio::spawn(async move {
        let mut acknowledged = 0;
        loop {
            let unit = Unit { statements: vec![], entries: vec![entry("user.seen", acknowledged)] };
            match engine.commit(scope, "suite", vec![unit]).await {
                Ok(answers) => acknowledged = answers[0].clone().expect("stands").last_seq,
                Err(error) => return (acknowledged, error),
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    let at = Arc::clone(&server);
    blocking(move || at.kill()).await;
    let (acknowledged, error) = writer.await.expect("does not panic");
    assert!(acknowledged > 10, "{acknowledged}");
    let at = Arc::clone(&server);
    blocking(move || at.start_again()).await.expect("starts");
    heals(&fixture, &vault).await;
    let head = verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies").head.seq;
    match error {
        StorageError::Unacknowledged => assert!([acknowledged, acknowledged + 1].contains(&head), "{head}"),
        StorageError::Unavailable { .. } => assert_eq!(head, acknowledged),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_slow_server_is_not_away() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions { connections: 1, ..PostgresOptions::default() }).await;
    let rows = fixture.engine().read(Scope::Platform, Statement::new(SLOW, vec![])).await.expect("waits");
    assert_eq!(rows.len(), 1);
    assert!(fixture.engine().health().await.ready());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_by_the_server() {
    let database = database().await;
    let statement_timeout = Duration::from_millis(150);
    let fixture =
        fixture(&database, PostgresOptions { statement_timeout, ..PostgresOptions::default() }).await;
    let ended = fixture.engine().read(Scope::Platform, Statement::new(FOREVER, vec![])).await;
    assert_eq!(ended, Err(StorageError::Timeout));
    assert!(fixture.engine().health().await.ready());
}
