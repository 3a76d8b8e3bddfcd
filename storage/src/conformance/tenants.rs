//! The register of tenants and their storage.

use super::{Fixture, NOW, entry, master};
use crate::repositories::{constraint, tenant_keys, tenants, users};
use crate::{NewTenant, Scope, StorageError, TenantState, Unit, UnitError};

fn new(id: uuid::Uuid, slug: &str) -> NewTenant {
    let (slug, settings) = (slug.to_owned(), serde_json::json!({}));
    NewTenant { id, slug, name: "Name".to_owned(), settings, at: NOW, entries: vec![] }
}

pub async fn a_tenant_is_found_by_id_and_slug(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenants = fixture.store.tenants();
    let row = tenants.get(vault.tenant()).await.expect("reads").expect("is there");
    assert_eq!((row.slug.as_str(), row.name.as_str()), ("ours", "Tenant ours"));
    assert_eq!(row.settings, serde_json::json!({ "theme": "plain" }));
    assert_eq!((row.state, row.version, row.created_at), (TenantState::Active, 1, NOW));
    assert_eq!(tenants.by_slug("ours").await, Ok(Some(row)));
    assert_eq!(tenants.by_slug("nobody").await, Ok(None));
    assert_eq!(tenants.by_slug("nul\0").await, Ok(None));
    assert_eq!(tenants.get(fixture.id()).await, Ok(None));
}

pub async fn tenants_are_listed_in_pages(fixture: &Fixture) {
    let mut ids = Vec::new();
    for slug in ["a", "b", "c"] {
        ids.push(fixture.tenant(slug).await.tenant());
    }
    ids.sort_unstable();
    let tenants = fixture.store.tenants();
    let first = tenants.list(None, 2).await.expect("reads");
    let rest = tenants.list(Some(first[1].id), 2).await.expect("reads");
    let listed: Vec<_> = first.iter().chain(&rest).map(|row| row.id).collect();
    assert_eq!(listed, ids);
    assert_eq!(fixture.engine().list_tenants().await, Ok(ids));
}

pub async fn a_slug_is_unique_until_freed(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenants = fixture.store.tenants();
    let taken = tenants.create(new(fixture.id(), "ours")).await;
    let expected = UnitError::Unique(constraint::TENANT_SLUG.to_owned());
    assert_eq!(taken, Err(StorageError::Refused(expected)));
    tenants.delete(vault.tenant(), NOW, vec![]).await.expect("deletes");
    tenants.create(new(fixture.id(), "ours")).await.expect("the slug is free again");
    let platform = tenants.create(new(uuid::Uuid::nil(), "nil")).await;
    assert!(matches!(platform, Err(StorageError::Misuse { .. })));
}

pub async fn a_refused_tenant_leaves_no_storage(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let tenants = fixture.store.tenants();
    tenants.create(new(fixture.id(), "ours")).await.expect_err("the slug is taken");
    assert_eq!(fixture.engine().list_tenants().await, Ok(vec![vault.tenant()]));
    // The id of a tenant that exists: the refusal must not touch what it has.
    tenants.create(new(vault.tenant(), "other")).await.expect_err("the id is taken");
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
}

pub async fn settings_are_fenced_by_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenants = fixture.store.tenants();
    let mut row = tenants.get(vault.tenant()).await.expect("reads").expect("is there");
    row.settings = serde_json::json!({ "theme": "dark" });
    tenants.update(&row, 1, vec![]).await.expect("the version is current");
    let stale = tenants.update(&row, 1, vec![]).await;
    assert_eq!(stale, Err(StorageError::Refused(UnitError::Conflict("tenant_version"))));
    let read = tenants.get(vault.tenant()).await.expect("reads").expect("is there");
    assert_eq!((read.settings, read.version), (row.settings, 2));
}

pub async fn an_interrupted_deletion_is_finished_at_the_next_start(fixture: &Fixture) {
    let (gone, kept) = (fixture.tenant("gone").await, fixture.tenant("kept").await);
    // What `delete` commits, without the removal that follows it.
    let statements = vec![tenants::mark_deleted(gone.tenant(), NOW), tenant_keys::destroy(gone.tenant())];
    let unit = Unit { statements, entries: vec![entry("tenant.deleted", 1)] };
    let answers = fixture.engine().commit(Scope::Platform, "suite", vec![unit]).await.expect("commits");
    answers[0].clone().expect("stands");
    assert_eq!(fixture.engine().list_tenants().await.expect("reads").len(), 2);

    fixture.reopen(master()).await.expect("opens");
    assert_eq!(fixture.engine().list_tenants().await, Ok(vec![kept.tenant()]));
}

pub async fn an_unknown_tenant_is_refused(fixture: &Fixture) {
    let scope = Scope::Tenant(fixture.id());
    let head = crate::ledger::head(fixture.engine(), scope).await;
    assert_eq!(head, Err(StorageError::UnknownTenant));
    let written = fixture.engine().commit(scope, "suite", vec![Unit::default()]).await;
    assert_eq!(written, Err(StorageError::UnknownTenant));
    assert!(fixture.engine().list_tenants().await.expect("reads").is_empty());
}

pub async fn creating_and_destroying_storage_is_idempotent(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    fixture.engine().create_tenant(vault.tenant()).await.expect("is there already");
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    for _ in 0..2 {
        fixture.engine().destroy_tenant(vault.tenant()).await.expect("is gone afterwards");
    }
    assert!(fixture.engine().list_tenants().await.expect("reads").is_empty());
}
