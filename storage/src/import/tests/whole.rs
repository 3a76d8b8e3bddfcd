use std::sync::Arc;

use super::delegate::Failing;
use super::{SLUGS, engine, furnished, here, readable_users, tenant_id};
use crate::conformance::{MASTER, NOW, SeededEntropy, master};
use crate::import::{ImportError, Imported, Phase, import_embedded};
use crate::ledger;
use crate::repositories::{api_keys, master_checks, tenants};
use crate::{Engine, MasterKey, Row, Scope, Statement, StorageError, Store, Unit, Value};

async fn import(source: &dyn Engine, target: &dyn Engine) -> Result<Imported, ImportError> {
    import_embedded(source, &master(), target, here(), &mut |_| ()).await
}

async fn open(target: &Arc<dyn Engine>) -> Result<Store, StorageError> {
    Store::open(Arc::clone(target), master(), Arc::new(SeededEntropy::new(1)), NOW).await
}

#[tokio::test]
async fn everything_comes_over_as_it_is() {
    let source = furnished().await;
    let target = engine();
    let mut steps = Vec::new();
    let imported =
        import_embedded(source.engine(), &master(), &*target, here(), &mut |step| steps.push(step.phase))
            .await;
    assert_eq!(imported, Ok(Imported { tenants: 3 }));
    assert_eq!(steps.iter().filter(|phase| **phase == Phase::Verifying).count(), 3);

    let store = open(&target).await.unwrap();
    for (slug, users) in SLUGS.into_iter().zip([301, 3, 3]) {
        let row = store.tenants().by_slug(slug).await.unwrap().expect(slug);
        assert_eq!(Some(row.clone()), source.store.tenants().get(row.id).await.unwrap());
        assert_eq!(readable_users(&store, row.id).await, users);
        let scope = Scope::Tenant(row.id);
        let head = ledger::verify(&*target, scope, |_, _| ()).await.unwrap().head;
        assert_eq!(Some(head), ledger::head(source.engine(), scope).await.unwrap());
    }
    let keys = api_keys::list_active(&*target).await.unwrap();
    assert_eq!(keys, api_keys::list_active(source.engine()).await.unwrap());
    assert_eq!(keys.len(), 6);
    let deleted = tenants::deleted(&*target).await.unwrap();
    assert_eq!(deleted, tenants::deleted(source.engine()).await.unwrap());
    ledger::verify(&*target, Scope::Platform, |_, _| ()).await.unwrap();

    assert_eq!(import(source.engine(), &*target).await, Err(ImportError::NotEmpty));
}

#[tokio::test]
async fn an_interrupted_import_is_invisible_and_begins_anew() {
    let source = furnished().await;
    let whole = engine();
    import(source.engine(), &*whole).await.unwrap();
    let commits = |engine: Arc<dyn Engine>| async move {
        engine.health().await.transactions.iter().map(|count| count.committed).sum::<u64>()
    };
    let needed = commits(whole).await;
    assert!(needed > 10, "{needed}");

    let target = engine();
    // Not the last commit: with it the import is complete.
    for allowed in 0..needed - 1 {
        let failing = Failing::after(allowed, Arc::clone(&target));
        let interrupted = import(source.engine(), &failing).await;
        assert!(matches!(interrupted, Err(ImportError::Storage(StorageError::Full))), "{allowed}");
        assert_eq!(master_checks::get(&*target).await.unwrap(), None, "no node can start");
        if allowed > 0 {
            let started = open(&target).await.err();
            assert!(matches!(started, Some(StorageError::Unsuitable { .. })), "{allowed}: {started:?}");
        }
    }
    import(source.engine(), &*target).await.unwrap();
    assert_eq!(readable_users(&open(&target).await.unwrap(), tenant_id(&source, "acme").await).await, 301);
}

#[tokio::test]
async fn a_row_that_changes_meanwhile_is_found() {
    let source = furnished().await;
    let tenant = tenant_id(&source, "beta").await;
    let target = engine();
    let tamper = {
        let target = Arc::clone(&target);
        move |text: &'static str| {
            let target = Arc::clone(&target);
            async move {
                let unit =
                    Unit { statements: vec![Statement::new(text, vec![tenant.into()])], entries: vec![] };
                target.commit(Scope::Tenant(tenant), "tamper", vec![unit]).await.unwrap()[0].clone().unwrap();
            }
        }
    };
    for (text, table) in [
        ("UPDATE sessions SET version = version + 1 WHERE tenant_id = $1", "sessions"),
        ("DELETE FROM credentials WHERE tenant_id = $1", "credentials"),
        ("UPDATE ledger_heads SET seq = seq - 1 WHERE tenant_id = $1", ""),
    ] {
        let tampering = Tampering { inner: Arc::clone(&target), text, tenant };
        let found = import(source.engine(), &tampering).await;
        match table {
            "" => assert!(matches!(found, Err(ImportError::Verify(_))), "{found:?}"),
            table => assert_eq!(found, Err(ImportError::Differs { table, scope: tenant })),
        }
        assert_eq!(master_checks::get(&*target).await.unwrap(), None);
    }
    tamper("DELETE FROM sessions WHERE tenant_id = $1").await;
    import(source.engine(), &*target).await.unwrap();
}

#[tokio::test]
async fn another_master_key_and_an_empty_source_are_refused() {
    let source = furnished().await;
    let other = MasterKey::parse(&MASTER.replace('0', "1")).unwrap();
    let refused = import_embedded(source.engine(), &other, &*engine(), here(), &mut |_| ()).await;
    assert_eq!(refused, Err(ImportError::Storage(StorageError::WrongMasterKey)));
    assert_eq!(import(&*engine(), &*engine()).await, Err(ImportError::NotData));
}

/// Alters the rows of a tenant once its ledger is there.
struct Tampering {
    inner: Arc<dyn Engine>,
    text: &'static str,
    tenant: uuid::Uuid,
}

delegate!(Tampering, self, scope, name, units, {
    let of_head = units.iter().flat_map(|unit| &unit.statements).any(|statement| {
        statement.sql.starts_with("UPDATE ledger_heads")
            && statement.params.first() == Some(&Value::Uuid(self.tenant))
    });
    let done = self.inner.commit(scope, name, units).await;
    if of_head && scope == Scope::Tenant(self.tenant) {
        let statement = Statement::new(self.text, vec![self.tenant.into()]);
        let unit = Unit { statements: vec![statement], entries: vec![] };
        self.inner.commit(scope, "tamper", vec![unit]).await?[0].clone()?;
    }
    done
});
