use std::sync::Arc;

use uuid::Uuid;

use super::{engine, furnished, here, readable_users, tenant_id};
use crate::conformance::{MASTER, NOW, SeededEntropy, entry};
use crate::import::{ImportError, Moved, move_tenant};
use crate::ledger;
use crate::repositories::api_keys;
use crate::{MasterKey, NewEntry, NewTenant, Scope, Store};

/// An installation with a master key of its own.
async fn elsewhere() -> Store {
    let master = MasterKey::parse(&MASTER.replace('0', "2")).unwrap();
    Store::open(engine(), master, Arc::new(SeededEntropy::new(99)), NOW).await.unwrap()
}

fn audit(moved: &Moved) -> Vec<NewEntry> {
    vec![entry("tenant.moved_in", moved.tenant)]
}

#[tokio::test]
async fn a_tenant_comes_under_another_master_key_with_its_rows_unchanged() {
    let source = furnished().await;
    let target = elsewhere().await;
    let before = ledger::head(source.engine(), Scope::Platform).await.unwrap();
    let moved = move_tenant(&source.store, &target, here(), "acme", audit).await.unwrap();
    let id = tenant_id(&source, "acme").await;
    assert_eq!((moved.tenant, moved.api_keys.len()), (id, 2));

    let row = target.tenants().by_slug("acme").await.unwrap();
    assert_eq!(row, source.store.tenants().by_slug("acme").await.unwrap());
    assert_eq!(readable_users(&target, id).await, 301);
    let (ours, theirs) = (source.store.unlock(id).await.unwrap(), target.unlock(id).await.unwrap());
    let versions = [ours, theirs].map(|vault| vault.unwrap().current_version());
    assert_eq!(versions, [2, 2]);
    let mut kept = api_keys::list_active(source.engine()).await.unwrap();
    kept.retain(|key| key.tenant == Some(id));
    assert_eq!(api_keys::list_active(&**target.engine()).await.unwrap(), kept);

    for scope in [Scope::Platform, Scope::Tenant(id)] {
        ledger::verify(&**target.engine(), scope, |_, _| ()).await.unwrap();
    }
    let entries = ledger::page(&**target.engine(), Scope::Platform, 0, 10).await.unwrap();
    assert_eq!(entries.last().unwrap().event, "tenant.moved_in");
    assert_eq!(
        ledger::head(source.engine(), Scope::Platform).await.unwrap(),
        before,
        "the source is only read"
    );
}

#[tokio::test]
async fn what_is_there_already_is_refused_and_stays() {
    let source = furnished().await;
    let target = elsewhere().await;
    let id = tenant_id(&source, "beta").await;
    let other = NewTenant {
        id: Uuid::max(),
        slug: "acme".to_owned(),
        name: "Another Acme".to_owned(),
        settings: serde_json::json!({}),
        at: NOW,
        entries: vec![],
    };
    target.tenants().create(other).await.unwrap();
    let taken = ImportError::SlugTaken { slug: "acme".to_owned() };
    assert_eq!(move_tenant(&source.store, &target, here(), "acme", audit).await, Err(taken));
    move_tenant(&source.store, &target, here(), "beta", audit).await.unwrap();
    let again = move_tenant(&source.store, &target, here(), "beta", audit).await;
    assert_eq!(again, Err(ImportError::AlreadyThere { tenant: id }));
    assert_eq!(readable_users(&target, id).await, 3);
    target.tenants().delete(id, 7, vec![]).await.unwrap();
    let deleted = move_tenant(&source.store, &target, here(), "beta", audit).await;
    assert_eq!(deleted, Err(ImportError::AlreadyThere { tenant: id }), "its id was used up there");
    let unknown = ImportError::UnknownTenant { slug: "nobody".to_owned() };
    assert_eq!(move_tenant(&source.store, &target, here(), "nobody", audit).await, Err(unknown));
}
