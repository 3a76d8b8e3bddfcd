//! An import that is not alone.

use std::sync::{Arc, OnceLock};

use uuid::Uuid;

use super::delegate::Failing;
use super::{engine, furnished, here, readable_users, tenant_id};
use crate::conformance::{MASTER, NOW, SeededEntropy, entry, master};
use crate::import::{Claimant, ImportError, Imported, import_embedded, move_tenant};
use crate::repositories::{master_checks, tenant_keys};
use crate::{Engine, MasterKey, NewTenant, Row, Scope, Statement, StorageError, Store, Unit};

fn elsewhere() -> Claimant {
    Claimant::new(b"elsewhere")
}

async fn import(
    source: &dyn Engine,
    target: &dyn Engine,
    claimant: Claimant,
) -> Result<Imported, ImportError> {
    import_embedded(source, &master(), target, claimant, &mut |_| ()).await
}

async fn open(engine: &Arc<dyn Engine>) -> Store {
    let other = MasterKey::parse(&MASTER.replace('0', "2")).unwrap();
    Store::open(Arc::clone(engine), other, Arc::new(SeededEntropy::new(7)), NOW).await.unwrap()
}

async fn change(engine: &Arc<dyn Engine>, statement: Statement) {
    let unit = Unit { statements: vec![statement], entries: vec![] };
    engine.commit(Scope::Platform, "suite", vec![unit]).await.unwrap()[0].clone().unwrap();
}

fn newcomer(id: Uuid) -> NewTenant {
    NewTenant {
        id,
        slug: "newcomer".to_owned(),
        name: "Newcomer".to_owned(),
        settings: serde_json::json!({}),
        at: NOW,
        entries: vec![],
    }
}

/// A node starts between the first look of an import and its first write, and serves a tenant.
pub(super) async fn a_node_that_starts_in_the_middle_keeps_its_data(target: Arc<dyn Engine>) {
    let source = furnished().await;
    let racing = Racing { inner: Arc::clone(&target), node: OnceLock::new() };
    assert_eq!(import(source.engine(), &racing, here()).await, Err(ImportError::NotEmpty));
    let node = racing.node.get().expect("it started");
    let tenant = node.tenants().by_slug("newcomer").await.unwrap().expect("it is served").id;
    assert_eq!(target.list_tenants().await.unwrap(), [tenant]);
    assert_eq!(readable_users(node, tenant).await, 0);
    assert_eq!(import(source.engine(), &*target, here()).await, Err(ImportError::NotEmpty));
}

#[tokio::test]
async fn a_node_that_starts_in_the_middle_of_an_import_keeps_its_data() {
    a_node_that_starts_in_the_middle_keeps_its_data(engine()).await;
}

#[tokio::test]
async fn an_import_from_another_directory_is_refused_until_the_first_is_finished() {
    let (first, second) = (furnished().await, furnished().await);
    let target = engine();
    let failing = Failing::after(5, Arc::clone(&target));
    let interrupted = import(first.engine(), &failing, here()).await;
    assert_eq!(interrupted, Err(ImportError::Storage(StorageError::Full)));
    let there = target.list_tenants().await.unwrap();
    let claimed = ImportError::Claimed { claim: "import".to_owned() };
    assert_eq!(import(second.engine(), &*target, elsewhere()).await, Err(claimed));
    assert_eq!(target.list_tenants().await.unwrap(), there, "nothing of the first is destroyed");
    assert_eq!(import(first.engine(), &*target, here()).await, Ok(Imported { tenants: 3 }));
    assert_eq!(import(second.engine(), &*target, elsewhere()).await, Err(ImportError::NotEmpty));
}

/// Of two imports that run beside each other one comes through, whole.
pub(super) async fn of_two_imports_one_succeeds(target: Arc<dyn Engine>) {
    let (first, second) = (furnished().await, furnished().await);
    let (one, two) = tokio::join!(
        import(first.engine(), &*target, here()),
        import(second.engine(), &*target, elsewhere()),
    );
    let (winner, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(winner, Ok(Imported { tenants: 3 }));
    assert!(matches!(refused, Err(ImportError::Claimed { .. } | ImportError::NotEmpty)), "{refused:?}");
    let store =
        Store::open(Arc::clone(&target), master(), Arc::new(SeededEntropy::new(3)), NOW).await.unwrap();
    for (slug, users) in super::SLUGS.into_iter().zip([301, 3, 3]) {
        let tenant = store.tenants().by_slug(slug).await.unwrap().expect(slug).id;
        assert_eq!(readable_users(&store, tenant).await, users);
    }
}

#[tokio::test]
async fn of_two_imports_at_once_one_succeeds() {
    of_two_imports_one_succeeds(engine()).await;
}

/// Of two moves of one tenant one comes through; the other destroys nothing.
pub(super) async fn of_two_moves_one_succeeds(target: Arc<dyn Engine>) {
    let source = furnished().await;
    let target = open(&target).await;
    let audit = |moved: &crate::import::Moved| vec![entry("tenant.moved_in", moved.tenant)];
    let (one, two) = tokio::join!(
        move_tenant(&source.store, &target, here(), "acme", audit),
        move_tenant(&source.store, &target, elsewhere(), "acme", audit),
    );
    let (winner, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    let tenant = winner.unwrap().tenant;
    assert!(
        matches!(refused, Err(ImportError::Claimed { .. } | ImportError::AlreadyThere { .. })),
        "{refused:?}"
    );
    assert_eq!(readable_users(&target, tenant).await, 301);
    // Nothing is left of the claim.
    let again = move_tenant(&source.store, &target, elsewhere(), "acme", audit).await;
    assert_eq!(again, Err(ImportError::AlreadyThere { tenant }));
    assert_eq!(readable_users(&target, tenant).await, 301);
}

#[tokio::test]
async fn of_two_moves_of_a_tenant_one_succeeds() {
    of_two_moves_one_succeeds(engine()).await;
}

#[tokio::test]
async fn a_move_that_was_killed_is_taken_up_from_the_same_directory() {
    let source = furnished().await;
    let target = engine();
    let store = open(&target).await;
    let id = tenant_id(&source, "beta").await;
    let mut refused = 0;
    // From the first commit on, which claims it.
    for allowed in 1..100 {
        // With the claim it can write nothing more, as one that was killed: it clears nothing away either.
        let failing = store.over(Arc::new(Failing::after(allowed, Arc::clone(&target))));
        let moved = move_tenant(&source.store, &failing, here(), "beta", |_| vec![]).await;
        if moved.is_ok() {
            break;
        }
        assert_eq!(moved, Err(ImportError::Storage(StorageError::Full)));
        assert!(tenant_keys::list(&*target, id).await.unwrap().is_empty(), "{allowed}");
        assert_eq!(store.tenants().get(id).await.unwrap(), None);
        let other = move_tenant(&source.store, &store, elsewhere(), "beta", |_| vec![]).await;
        assert_eq!(other, Err(ImportError::Claimed { claim: format!("move {id}") }));
        refused += 1;
    }
    assert!(refused > 3, "{refused}");
    assert_eq!(readable_users(&store, id).await, 3);
}

#[tokio::test]
async fn what_a_failed_move_copied_is_cleared_away() {
    let source = furnished().await;
    let target = engine();
    let store = open(&target).await;
    let id = tenant_id(&source, "beta").await;
    // The name is taken while the rows travel.
    let racing: Arc<dyn Engine> = Arc::new(Taking { inner: Arc::clone(&target) });
    let moved = move_tenant(&source.store, &store.over(racing), here(), "beta", |_| vec![]).await;
    assert_eq!(moved, Err(ImportError::SlugTaken { slug: "beta".to_owned() }));
    assert!(target.list_tenants().await.unwrap().is_empty(), "no storage is left");
    let free = Statement::new("DELETE FROM tenants WHERE slug = $1", vec!["beta".into()]);
    change(&target, free).await;
    move_tenant(&source.store, &store, elsewhere(), "beta", |_| vec![]).await.unwrap();
    assert_eq!(readable_users(&store, id).await, 3);
    assert!(master_checks::get(&*target).await.unwrap().is_some());
}

/// A node starts over the same storage before the first commit.
struct Racing {
    inner: Arc<dyn Engine>,
    node: OnceLock<Store>,
}

delegate!(Racing, self, scope, name, units, {
    if self.node.get().is_none() {
        let node = open(&self.inner).await;
        node.tenants().create(newcomer(Uuid::max())).await?;
        assert!(self.node.set(node).is_ok(), "one import commits one by one");
    }
    self.inner.commit(scope, name, units).await
});

/// Somebody makes a tenant called `beta` once rows of a tenant are written.
struct Taking {
    inner: Arc<dyn Engine>,
}

delegate!(Taking, self, scope, name, units, {
    if scope != Scope::Platform {
        let text = "INSERT INTO tenants (tenant_id, slug, name, settings, state, created_at, updated_at, version) \
                    VALUES ($1, $2, $3, $3, 'active', 1, 1, 1) ON CONFLICT (tenant_id) DO NOTHING";
        let values = vec![Uuid::max().into(), "beta".into(), vec![1].into()];
        change(&self.inner, Statement::new(text, values)).await;
    }
    self.inner.commit(scope, name, units).await
});
