//! Connections are shared fairly, waited for with bounds, and never handed on in the middle of a transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::super::PostgresOptions;
use super::{client, database, fixture};
use crate::conformance::entry;
use crate::ledger::changes;
use crate::repositories::users::{self, UserState};
use crate::{Engine, PoolHealth, Scope, Statement, StorageError, Unit};

fn options(connections: u32, queue_depth: u32) -> PostgresOptions {
    PostgresOptions { connections, queue_depth, ..PostgresOptions::default() }
}

async fn pool(engine: &dyn Engine) -> PoolHealth {
    engine.health().await.pool.expect("has a pool")
}

/// A read that keeps a connection busy for a while.
fn slow(tenant: Uuid) -> Statement {
    Statement::new("SELECT $1::uuid FROM pg_sleep(0.4)", vec![tenant.into()])
}

#[tokio::test]
async fn a_dropped_commit_leaves_no_open_transaction() {
    let database = database().await;
    let fixture = fixture(&database, options(2, 16)).await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let superuser = client(&database.superuser_url).await;
    superuser.batch_execute("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE").await.unwrap();
    let update = users::update_standing(&vault, user.user_id, UserState::Blocked, 5, 1);
    let unit = Unit { statements: vec![update], entries: vec![entry("user.blocked", user.user_id)] };
    let commit = fixture.engine().commit(Scope::Tenant(vault.tenant()), "suite", vec![unit]);
    timeout(Duration::from_millis(300), commit).await.expect_err("waits for the lock and is dropped");
    superuser.batch_execute("COMMIT").await.unwrap();

    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1 \
                AND xact_start < now() - interval '200 ms'";
    let begun = Instant::now();
    while superuser.query_one(open, &[&super::APPLICATION]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "a transaction stayed open");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(pool(fixture.engine()).await.in_use, 0);
    let read = users::get(fixture.engine(), &vault, user.user_id).await;
    assert_eq!(read, Ok(Some(user.clone())), "nothing of it was written");
    let update = users::update_standing(&vault, user.user_id, UserState::Blocked, 5, 1);
    fixture.commit(&vault, vec![update], vec![]).await.expect("the connections are in order");
}

#[tokio::test]
async fn a_dropped_read_frees_its_place() {
    let database = database().await;
    let fixture = fixture(&database, options(1, 16)).await;
    for _ in 0..5 {
        let read =
            fixture.engine().read(Scope::Platform, Statement::new("SELECT 1 FROM pg_sleep(5)", vec![]));
        timeout(Duration::from_millis(50), read).await.expect_err("is dropped");
    }
    let begun = Instant::now();
    let row =
        fixture.engine().read(Scope::Platform, Statement::new("SELECT 1", vec![])).await.expect("reads");
    assert_eq!(row.len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_a_wait_ends() {
    let database = database().await;
    let fixture = fixture(&database, options(1, 2)).await;
    let nil = Uuid::nil();
    let spawn = |statement: Statement| {
        let engine = Arc::clone(fixture.store.engine());
        tokio::spawn(async move { engine.read(Scope::Platform, statement).await })
    };
    let busy = spawn(slow(nil));
    sleep(Duration::from_millis(100)).await;
    let waiting = [spawn(slow(nil)), spawn(slow(nil))];
    sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    let refused = fixture.engine().read(Scope::Platform, slow(nil)).await;
    assert_eq!(refused, Err(StorageError::Overloaded));
    assert!(begun.elapsed() < Duration::from_millis(100));
    assert_eq!(busy.await.unwrap().expect("reads").len(), 1);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().expect("had its turn").len(), 1);
    }

    let busy = spawn(Statement::new("SELECT 1 FROM pg_sleep(1.6)", vec![]));
    sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    let refused = fixture.engine().read(Scope::Platform, slow(nil)).await;
    assert_eq!(refused, Err(StorageError::Overloaded));
    assert!(begun.elapsed() < Duration::from_millis(1_400), "{:?}", begun.elapsed());
    assert_eq!(busy.await.unwrap().expect("reads").len(), 1);
}

#[tokio::test]
async fn following_other_nodes_and_health_do_not_wait_behind_the_traffic() {
    let database = database().await;
    let fixture = fixture(&database, options(1, 16)).await;
    let vault = fixture.tenant("ours").await;
    fixture.commit(&vault, vec![], vec![entry("session.revoked", 1)]).await.expect("commits");
    let engine = Arc::clone(fixture.store.engine());
    let endless = Statement::new("SELECT 1 FROM pg_sleep(4)", vec![]);
    let busy = tokio::spawn(async move { engine.read(Scope::Platform, endless).await });
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let scope = Scope::Tenant(vault.tenant());
    assert_eq!(changes(fixture.engine(), scope, 0, 10).await.expect("reads").len(), 1);
    let heads = fixture.engine().ledger_heads(&[vault.tenant()]).await;
    assert_eq!(heads, Ok(vec![(vault.tenant(), 1)]));
    let health = fixture.engine().health().await;
    assert!(health.ready(), "busy is not away: {health:?}");
    assert_eq!(health.pool.expect("has a pool").in_use, 1);
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(users::get(fixture.engine(), &vault, fixture.id()).await, Err(StorageError::Overloaded));
    busy.abort();
    fixture.engine().close().await;
    let refused = changes(fixture.engine(), scope, 0, 10).await;
    assert!(matches!(refused, Err(StorageError::Unavailable { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_connection_beside_the_traffic_is_waited_for_with_a_bound() {
    let database = database().await;
    let fixture = fixture(&database, options(2, 16)).await;
    let engine = Arc::clone(fixture.store.engine());
    let endless = Statement::new("SELECT 1 FROM pg_sleep(4)", vec![]);
    let busy = tokio::spawn(async move { engine.read_aside(Scope::Platform, endless).await });
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    assert_eq!(fixture.engine().ledger_heads(&[Uuid::nil()]).await, Err(StorageError::Overloaded));
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    busy.abort();
}

#[tokio::test]
async fn one_tenants_flood_leaves_half_of_the_connections_to_others() {
    let database = database().await;
    let fixture = fixture(&database, options(4, 1_024)).await;
    let (flooding, quiet) = (fixture.tenant("flooding").await, fixture.tenant("quiet").await);
    let user = fixture.stored_user(&quiet).await;
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (engine, tenant) = (Arc::clone(fixture.store.engine()), flooding.tenant());
        flood.spawn(async move { engine.read(Scope::Tenant(tenant), slow(tenant)).await });
    }
    sleep(Duration::from_millis(150)).await;
    let superuser = client(&database.superuser_url).await;
    let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' \
                AND state = 'active' AND pid <> pg_backend_pid()";
    let busy: i64 = superuser.query_one(text, &[]).await.unwrap().get(0);
    assert_eq!(busy, 2, "half of four");
    let health = pool(fixture.engine()).await;
    assert_eq!((health.limit, health.in_use, health.waiting), (4, 2, 198));
    assert!(health.oldest_wait >= Duration::from_millis(100), "{health:?}");
    assert!(health.round_trip.is_some(), "{health:?}");
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(users::get(fixture.engine(), &quiet, user.user_id).await, Ok(Some(user.clone())));
        assert!(begun.elapsed() < Duration::from_millis(250), "{:?}", begun.elapsed());
    }
    flood.abort_all();
}

#[tokio::test]
async fn closing_lets_work_finish_and_leaves_no_connection() {
    let database = database().await;
    let fixture = fixture(&database, options(4, 16)).await;
    let engine = Arc::clone(fixture.store.engine());
    let reading = tokio::spawn(async move { engine.read(Scope::Platform, slow(Uuid::nil())).await });
    sleep(Duration::from_millis(100)).await;
    fixture.engine().close().await;
    assert_eq!(reading.await.unwrap().expect("was begun before").len(), 1);
    let refused = fixture.engine().read(Scope::Platform, slow(Uuid::nil())).await;
    assert!(matches!(refused, Err(StorageError::Unavailable { .. })), "{refused:?}");
    let superuser = client(&database.superuser_url).await;
    let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1";
    let begun = Instant::now();
    while superuser.query_one(text, &[&super::APPLICATION]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(3), "a connection stayed open");
        sleep(Duration::from_millis(20)).await;
    }
}
