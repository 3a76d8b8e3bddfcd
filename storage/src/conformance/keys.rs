//! Keys rotate, are shared, and are destroyed for good.

use std::sync::Arc;

use super::{Fixture, entry, master};
use crate::repositories::{user_emails, users};
use crate::{MasterKey, Scope, StorageError, VaultError};

pub async fn rotation_keeps_older_rows_readable(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let old = fixture.stored_user(&vault).await;
    let derived = vault.derive("session", b"s1");
    let version = fixture.store.tenants().rotate_key(vault.tenant(), 5, vec![entry("key.rotated", 2)]).await;
    assert_eq!(version, Ok(2));
    assert_eq!(vault.current_version(), 2, "the live vault seals under the new version");
    let new = fixture.stored_user(&vault).await;

    let fresh = fixture.reopen(master()).await.expect("opens");
    let fresh = fresh.unlock(vault.tenant()).await.expect("keys open").expect("keys exist");
    for vault in [&vault, &fresh] {
        for user in [&old, &new] {
            let read = users::get(fixture.engine(), vault, user.user_id).await.expect("opens");
            assert_eq!(read.as_ref(), Some(user));
        }
        assert_eq!(vault.derive_at(1, "session", b"s1"), Ok(derived.clone()));
        assert_ne!(vault.derive("session", b"s1"), derived);
    }
}

pub async fn rotation_keeps_addresses_findable(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let email = fixture.email(user.user_id, "Ada@example.com");
    let insert = user_emails::insert(&vault, "ada@example.com", &email);
    fixture.commit(&vault, vec![insert], vec![]).await.expect("stored");
    fixture.store.tenants().rotate_key(vault.tenant(), 5, vec![]).await.expect("rotates");
    let found = user_emails::find_by_email(fixture.engine(), &vault, "ada@example.com").await;
    assert_eq!(found, Ok(Some(email)));
}

pub async fn another_node_loads_a_version_it_does_not_know(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let node = fixture.reopen(master()).await.expect("opens");
    let stale = node.unlock(vault.tenant()).await.expect("keys open").expect("keys exist");
    fixture.store.tenants().rotate_key(vault.tenant(), 5, vec![]).await.expect("rotates");
    let user = fixture.stored_user(&vault).await;

    let unknown = users::get(fixture.engine(), &stale, user.user_id).await;
    assert_eq!(unknown, Err(StorageError::Vault(VaultError::UnknownVersion { version: 2 })));
    node.unlock(vault.tenant()).await.expect("keys open");
    assert_eq!(users::get(fixture.engine(), &stale, user.user_id).await, Ok(Some(user)));
}

pub async fn a_wrong_master_key_is_refused(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let before = fixture.engine().read(Scope::Platform, crate::repositories::ledger::head(uuid::Uuid::nil()));
    let before = before.await.expect("reads");
    let wrong = MasterKey::parse(&"ff".repeat(32)).expect("64 digits");
    assert_eq!(fixture.reopen(wrong).await.err(), Some(StorageError::WrongMasterKey));

    let after = fixture.engine().read(Scope::Platform, crate::repositories::ledger::head(uuid::Uuid::nil()));
    assert_eq!(after.await.expect("reads"), before, "nothing was written");
    let right = fixture.reopen(master()).await.expect("the right key still opens");
    assert!(right.unlock(vault.tenant()).await.expect("keys open").is_some());
}

pub async fn destroyed_keys_make_a_tenant_unreadable(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let (tenant, tenants) = (vault.tenant(), fixture.store.tenants());
    tenants.delete(tenant, 9, vec![entry("tenant.deleted", tenant)]).await.expect("deletes");

    assert!(fixture.store.unlock(tenant).await.expect("reads").is_none());
    assert_eq!(tenants.get(tenant).await, Ok(None));
    assert_eq!(tenants.by_slug("ours").await, Ok(None));
    assert!(tenants.list(None, 10).await.expect("reads").is_empty());
    let gone = users::get(fixture.engine(), &vault, user.user_id).await;
    assert_eq!(gone, Err(StorageError::UnknownTenant));
    let again = tenants.delete(tenant, 9, vec![]).await;
    assert_eq!(again, Err(StorageError::Refused(crate::UnitError::Conflict("tenant_state"))));
    assert_eq!(tenants.rotate_key(tenant, 9, vec![]).await, Err(StorageError::UnknownTenant));
}

pub async fn one_vault_is_shared_by_all_holders(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let again = fixture.store.unlock(vault.tenant()).await.expect("keys open").expect("keys exist");
    assert!(Arc::ptr_eq(&vault, &again));
    assert!(fixture.store.unlock(fixture.id()).await.expect("reads").is_none());
}

pub async fn the_platform_rotates_too(fixture: &Fixture) {
    fixture.tenant("before").await;
    let version = fixture.store.tenants().rotate_key(uuid::Uuid::nil(), 5, vec![]).await;
    assert_eq!(version, Ok(2));
    fixture.tenant("after").await;
    let fresh = fixture.reopen(master()).await.expect("opens");
    let names: Vec<_> =
        fresh.tenants().list(None, 10).await.expect("all open").into_iter().map(|row| row.name).collect();
    assert_eq!(names.len(), 2);
    assert_eq!(fresh.platform_vault().current_version(), 2);
}
