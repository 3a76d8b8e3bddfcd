//! Roles and grants read back as they were written, and their rules hold.

use super::{Fixture, NOW};
use crate::repositories::grants::{self, GrantFilter, GrantPlace, GrantRow};
use crate::repositories::roles::{self, RoleRow};
use crate::repositories::{constraint, role_sets};
use crate::{Statement, TenantVault, UnitError};

fn role(fixture: &Fixture, key: &str) -> RoleRow {
    RoleRow {
        role_id: fixture.id(),
        key: key.to_owned(),
        name: "Editor".to_owned(),
        description: "edits\nall \"day\"".to_owned(),
        level: "tenant".to_owned(),
        permissions: vec!["doc:read".to_owned(), "doc:*".to_owned()],
        inherits: vec!["reader".to_owned()],
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

fn grant(fixture: &Fixture, role: &RoleRow) -> GrantRow {
    GrantRow {
        grant_id: fixture.id(),
        subject_kind: "user".to_owned(),
        subject_id: fixture.id(),
        role_id: Some(role.role_id),
        permission: None,
        organization_id: None,
        resource: None,
        created_at: NOW,
        expires_at: None,
    }
}

async fn stored_role(fixture: &Fixture, vault: &TenantVault) -> RoleRow {
    let row = role(fixture, "editor");
    fixture.commit(vault, vec![roles::insert(vault.tenant(), &row)], vec![]).await.expect("stored");
    row
}

/// A row in every table of this group.
pub(crate) fn one_of_each(fixture: &Fixture, vault: &TenantVault) -> Vec<Statement> {
    let role = role(fixture, "editor");
    let mut statements = vec![role_sets::advance(vault.tenant(), 0), roles::insert(vault.tenant(), &role)];
    statements.extend(grants::insert(vault, &grant(fixture, &role)));
    statements
}

pub async fn roles_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let mut row = stored_role(fixture, &vault).await;
    assert_eq!(roles::list(fixture.engine(), tenant).await, Ok(vec![row.clone()]));
    let same_key = vec![roles::insert(tenant, &role(fixture, "editor"))];
    let refused = fixture.commit(&vault, same_key, vec![]).await;
    assert_eq!(refused, Err(UnitError::Unique(constraint::ROLE_KEY.to_owned())));

    (row.name, row.permissions, row.updated_at) = ("Author".to_owned(), vec![], NOW + 1);
    fixture.commit(&vault, vec![roles::update(tenant, &row)], vec![]).await.expect("the version is current");
    let stale = fixture.commit(&vault, vec![roles::update(tenant, &row)], vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("role_version")));
    row.version = 2;
    assert_eq!(roles::list(fixture.engine(), tenant).await, Ok(vec![row.clone()]));
    let delete = |version| vec![roles::delete(tenant, row.role_id, version)];
    assert_eq!(fixture.commit(&vault, delete(1), vec![]).await, Err(UnitError::Conflict("role_version")));
    fixture.commit(&vault, delete(2), vec![]).await.expect("the version is current");
    assert_eq!(roles::list(fixture.engine(), tenant).await, Ok(vec![]));
}

pub async fn the_set_of_roles_advances_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    for version in 0..3 {
        assert_eq!(role_sets::version(fixture.engine(), tenant).await, Ok(version));
        let advance = || vec![role_sets::advance(tenant, version)];
        fixture.commit(&vault, advance(), vec![]).await.expect("the version is current");
        let again = fixture.commit(&vault, advance(), vec![]).await;
        let expected = match version {
            0 => UnitError::Unique(constraint::ROLE_SET.to_owned()),
            _ => UnitError::Conflict("role_set_version"),
        };
        assert_eq!(again, Err(expected));
    }
}

pub async fn grants_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let role = stored_role(fixture, &vault).await;
    let in_tenant = grant(fixture, &role);
    let mut on_resource = grant(fixture, &role);
    (on_resource.resource, on_resource.expires_at) = (Some("doc:ada@example.com".to_owned()), Some(NOW + 9));
    let mut single = GrantRow { subject_id: in_tenant.subject_id, ..grant(fixture, &role) };
    (single.role_id, single.permission) = (None, Some("doc:read".to_owned()));
    (single.subject_kind, single.organization_id) = ("service_account".to_owned(), Some(fixture.id()));
    let mut all = vec![in_tenant.clone(), on_resource.clone(), single.clone()];
    let statements = all.iter().flat_map(|row| grants::insert(&vault, row)).collect();
    fixture.commit(&vault, statements, vec![]).await.expect("stored");
    all.sort_by_key(|row| row.grant_id);

    let engine = fixture.engine();
    let list =
        async |filter, after, limit| grants::list(engine, &vault, filter, after, limit).await.expect("reads");
    let (subject, resource) = (Some(in_tenant.subject_id), Some("doc:ada@example.com"));
    assert_eq!(list(GrantFilter::default(), None, 10).await, all);
    assert_eq!(list(GrantFilter::default(), Some(all[0].grant_id), 1).await, all[1..2]);
    let of_subject = list(GrantFilter { subject, resource: None }, None, 10).await;
    assert_eq!(of_subject.len(), 2);
    assert!(of_subject.contains(&in_tenant) && of_subject.contains(&single));
    assert_eq!(list(GrantFilter { subject: None, resource }, None, 10).await, [on_resource.clone()]);
    assert_eq!(list(GrantFilter { subject, resource }, None, 10).await, []);
    assert_eq!(grants::count(engine, vault.tenant(), in_tenant.subject_id).await, Ok(2));
    assert_eq!(grants::is_granted(engine, &vault, role.role_id).await, Ok(true));
    assert_eq!(grants::get(engine, &vault, single.grant_id).await, Ok(Some(single.clone())));

    let holders = async |place, kind, after| {
        grants::holders(engine, &vault, place, kind, after, 10).await.expect("reads")
    };
    let (user, owner) = (in_tenant.subject_id, on_resource.subject_id);
    assert_eq!(holders(GrantPlace::Tenant, "user", None).await, [user]);
    assert!(holders(GrantPlace::Tenant, "user", Some(user)).await.is_empty());
    assert!(holders(GrantPlace::Tenant, "service_account", None).await.is_empty());
    assert_eq!(holders(GrantPlace::Resource("doc:ada@example.com"), "user", None).await, [owner]);
    let place = GrantPlace::Organization(single.organization_id.expect("it has one"));
    assert_eq!(holders(place, "service_account", None).await, [user]);

    let delete = || vec![grants::delete(vault.tenant(), single.grant_id)];
    fixture.commit(&vault, delete(), vec![]).await.expect("is there");
    assert_eq!(fixture.commit(&vault, delete(), vec![]).await, Err(UnitError::Conflict("grant_state")));
    assert_eq!(grants::get(engine, &vault, single.grant_id).await, Ok(None));
}

pub async fn the_same_is_granted_once_until_it_expires(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let role = stored_role(fixture, &vault).await;
    let first = GrantRow { expires_at: Some(NOW + 5), ..grant(fixture, &role) };
    fixture.commit(&vault, grants::insert(&vault, &first).into(), vec![]).await.expect("stored");
    let again = |at| GrantRow { grant_id: fixture.id(), created_at: at, expires_at: None, ..first.clone() };
    let early = fixture.commit(&vault, grants::insert(&vault, &again(NOW + 4)).into(), vec![]).await;
    assert_eq!(early, Err(UnitError::Unique(constraint::GRANT_FINGERPRINT.to_owned())));
    let later = again(NOW + 5);
    fixture
        .commit(&vault, grants::insert(&vault, &later).into(), vec![])
        .await
        .expect("the first has expired");
    let all = grants::list(fixture.engine(), &vault, GrantFilter::default(), None, 10).await;
    assert_eq!(all, Ok(vec![later]));
}

pub async fn a_granted_role_cannot_be_removed(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let role = stored_role(fixture, &vault).await;
    let row = grant(fixture, &role);
    fixture.commit(&vault, grants::insert(&vault, &row).into(), vec![]).await.expect("stored");
    let delete = vec![roles::delete(vault.tenant(), role.role_id, 1)];
    let refused = fixture.commit(&vault, delete, vec![]).await;
    assert!(matches!(refused, Err(UnitError::Invalid(_))), "{refused:?}");
    let unknown = GrantRow { role_id: Some(fixture.id()), ..grant(fixture, &role) };
    let refused = fixture.commit(&vault, grants::insert(&vault, &unknown).into(), vec![]).await;
    assert!(matches!(refused, Err(UnitError::Invalid(_))), "{refused:?}");
}
