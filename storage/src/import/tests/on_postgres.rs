use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plinto_servers::{APP_ROLE, Database, PostgresServer};
use tokio_postgres::NoTls;

use super::catalogue::known;
use super::{claims, furnished, here, readable_users, tenant_id};
use crate::conformance::{NOW, SeededEntropy, entry, master};
use crate::engines::postgres::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use crate::import::{ImportError, Imported, import_embedded, move_tenant};
use crate::ledger;
use crate::{Engine, Scope, Store};

/// Tables that belong to this engine, hold nothing anybody reads, or are written in one piece.
const OF_THE_ENGINE: &[&str] =
    &["tenant_storage", "schema_migrations", "write_probes", "ledger_heads", "master_checks"];

async fn migrated() -> Database {
    let database = tokio::task::spawn_blocking(|| PostgresServer::shared().database()).await.unwrap();
    let owner = DatabaseUrl::parse(&database.owner_url).unwrap();
    migrate(&owner, APP_ROLE, &PostgresOptions::default()).await.unwrap();
    database
}

async fn open(database: &Database) -> Arc<dyn Engine> {
    let url = DatabaseUrl::parse(&database.app_url).unwrap();
    Arc::new(PostgresEngine::open(&url, PostgresOptions::default()).await.unwrap())
}

#[tokio::test]
async fn no_table_and_no_column_is_forgotten() {
    let database = migrated().await;
    let (client, connection) = tokio_postgres::connect(&database.superuser_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let text = "SELECT table_name::text, column_name::text FROM information_schema.columns \
                WHERE table_schema = 'public'";
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in client.query(text, &[]).await.unwrap() {
        found.entry(row.get(0)).or_default().insert(row.get(1));
    }
    for table in OF_THE_ENGINE {
        assert!(found.remove(*table).is_some(), "{table} is not there any more");
    }
    assert_eq!(known(), found);
}

#[tokio::test]
async fn a_whole_installation_comes_over_also_at_the_second_attempt() {
    let source = furnished().await;
    let target = open(&migrated().await).await;
    // As an interrupted import leaves it: rows of tenants, and nothing that names them.
    let tenant = tenant_id(&source, "acme").await;
    super::super::copy::tenant(source.engine(), &*target, Scope::Tenant(tenant)).await.unwrap();
    let import = async || import_embedded(source.engine(), &master(), &*target, here(), &mut |_| ()).await;
    assert_eq!(import().await, Ok(Imported { tenants: 3 }));
    let store =
        Store::open(Arc::clone(&target), master(), Arc::new(SeededEntropy::new(3)), NOW).await.unwrap();
    assert_eq!(readable_users(&store, tenant).await, 301);
    for scope in [Scope::Platform, Scope::Tenant(tenant)] {
        let head = ledger::verify(&*target, scope, |_, _| ()).await.unwrap().head;
        assert_eq!(Some(head), ledger::head(source.engine(), scope).await.unwrap());
    }
    assert_eq!(import().await, Err(ImportError::NotEmpty));
}

#[tokio::test]
async fn a_tenant_moves_beside_others() {
    let source = furnished().await;
    let target = open(&migrated().await).await;
    let target = Store::open(target, master(), Arc::new(SeededEntropy::new(4)), NOW).await.unwrap();
    for slug in ["acme", "beta"] {
        move_tenant(&source.store, &target, here(), slug, |moved| {
            vec![entry("tenant.moved_in", moved.tenant)]
        })
        .await
        .unwrap();
    }
    let (acme, beta) = (tenant_id(&source, "acme").await, tenant_id(&source, "beta").await);
    assert_eq!((readable_users(&target, acme).await, readable_users(&target, beta).await), (301, 3));
    let again = move_tenant(&source.store, &target, here(), "acme", |_| vec![]).await;
    assert_eq!(again, Err(ImportError::AlreadyThere { tenant: acme }));
}

#[tokio::test]
async fn a_node_that_starts_in_the_middle_of_an_import_keeps_its_data() {
    claims::a_node_that_starts_in_the_middle_keeps_its_data(open(&migrated().await).await).await;
}

#[tokio::test]
async fn of_two_imports_at_once_one_succeeds() {
    claims::of_two_imports_one_succeeds(open(&migrated().await).await).await;
}

#[tokio::test]
async fn of_two_moves_of_a_tenant_one_succeeds() {
    claims::of_two_moves_one_succeeds(open(&migrated().await).await).await;
}
