//! Organizations and their members.

use super::{Fixture, NOW};
use crate::repositories::organization_members::{self, OrganizationMemberRow};
use crate::repositories::organizations::{self, OrganizationRow, OrganizationUpdate};
use crate::{Scope, Statement, TenantVault, Unit, UnitError};
use uuid::Uuid;

fn organization(fixture: &Fixture, slug: &str) -> OrganizationRow {
    OrganizationRow {
        organization_id: fixture.id(),
        slug: slug.to_owned(),
        name: "Acme".to_owned(),
        metadata: r#"{"plan":"gold"}"#.to_owned(),
        owners: 1,
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

pub(crate) fn member(organization_id: Uuid, user_id: Uuid, role: &str) -> OrganizationMemberRow {
    OrganizationMemberRow {
        organization_id,
        user_id,
        role: role.to_owned(),
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

/// An organization with its owner and one of each of what belongs to it.
pub(crate) fn one_with_owner(fixture: &Fixture, vault: &TenantVault, owner: Uuid) -> Vec<Statement> {
    let row = organization(fixture, "acme");
    let id = row.organization_id;
    let mut statements = vec![
        organizations::insert(vault, &row),
        organization_members::insert(vault.tenant(), &member(id, owner, "owner")),
    ];
    statements.extend(super::invitations::one_of_each(fixture, vault, id));
    statements
}

/// An organization with one owner, stored.
pub(crate) async fn stored(
    fixture: &Fixture,
    vault: &TenantVault,
    slug: &str,
) -> (OrganizationRow, OrganizationMemberRow) {
    let owner = fixture.stored_user(vault).await;
    let row = organization(fixture, slug);
    let member = member(row.organization_id, owner.user_id, "owner");
    let statements =
        vec![organizations::insert(vault, &row), organization_members::insert(vault.tenant(), &member)];
    fixture.commit(vault, statements, vec![]).await.expect("is new");
    (row, member)
}

pub async fn organizations_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let engine = fixture.engine();
    assert_eq!(organizations::get(engine, &vault, fixture.id()).await, Ok(None));
    assert_eq!(organizations::find_by_slug(engine, &vault, "acme").await, Ok(None));
    let (first, owner) = stored(fixture, &vault, "acme").await;
    let (second, _) = stored(fixture, &vault, "beta").await;
    assert_eq!(organizations::get(engine, &vault, first.organization_id).await, Ok(Some(first.clone())));
    assert_eq!(organizations::find_by_slug(engine, &vault, "beta").await, Ok(Some(second.clone())));
    let mut expected = vec![first.clone(), second];
    expected.sort_by_key(|row| row.organization_id);
    assert_eq!(organizations::list(engine, &vault, None, 9).await, Ok(expected.clone()));
    let after = Some(expected[0].organization_id);
    assert_eq!(organizations::list(engine, &vault, after, 9).await, Ok(expected[1..].to_vec()));
    let of_owner = organizations::list_for_user(engine, &vault, owner.user_id, None, 9).await;
    assert_eq!(of_owner, Ok(vec![(first, "owner".to_owned())]));

    let taken =
        fixture.commit(&vault, vec![organizations::insert(&vault, &organization(fixture, "acme"))], vec![]);
    assert_eq!(taken.await, Err(UnitError::Unique("organizations.slug".to_owned())));
    let theirs = fixture.tenant("theirs").await;
    stored(fixture, &theirs, "acme").await;
}

pub async fn organizations_change_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (mut row, _) = stored(fixture, &vault, "acme").await;
    let update = |expected_version| {
        let update = OrganizationUpdate {
            organization_id: row.organization_id,
            slug: "acme-2",
            name: "Acme Ltd",
            metadata: "{}",
            at: NOW + 1,
            expected_version,
        };
        organizations::update(&vault, &update)
    };
    fixture.commit(&vault, vec![update(1)], vec![]).await.expect("is current");
    let stale = fixture.commit(&vault, vec![update(1)], vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("organization_version")));
    row.slug = "acme-2".to_owned();
    (row.name, row.metadata, row.updated_at, row.version) =
        ("Acme Ltd".to_owned(), "{}".to_owned(), NOW + 1, 2);
    assert_eq!(organizations::get(fixture.engine(), &vault, row.organization_id).await, Ok(Some(row)));
}

fn demotion(vault: &TenantVault, member: &OrganizationMemberRow) -> Vec<Statement> {
    let tenant = vault.tenant();
    vec![
        organizations::count_owners(tenant, member.organization_id, -1),
        organization_members::set_role(tenant, member.organization_id, member.user_id, "member", NOW + 1, 1),
    ]
}

pub async fn of_two_owners_one_stays_whatever_happens_at_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, engine) = (vault.tenant(), fixture.engine());
    let (row, first) = stored(fixture, &vault, "acme").await;
    let second = member(row.organization_id, fixture.stored_user(&vault).await.user_id, "owner");
    let joining = vec![
        organizations::count_owners(tenant, row.organization_id, 1),
        organization_members::insert(tenant, &second),
    ];
    fixture.commit(&vault, joining, vec![]).await.expect("joins");
    let leaving = vec![
        organizations::count_owners(tenant, row.organization_id, -1),
        organization_members::remove(tenant, row.organization_id, second.user_id, 1),
    ];
    let units = [demotion(&vault, &first), leaving].map(|statements| Unit { statements, entries: vec![] });
    let answers = engine.commit(Scope::Tenant(tenant), "suite", units.into()).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Conflict("organization_owners")));
    let members =
        organization_members::list(engine, tenant, row.organization_id, None, 9).await.expect("reads");
    let mut roles: Vec<_> = members.iter().map(|member| member.role.as_str()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["member", "owner"]);
    let read = organization_members::get(engine, tenant, row.organization_id, first.user_id).await;
    let read = read.expect("reads").expect("is there");
    assert_eq!((read.version, read.updated_at, read.created_at), (2, NOW + 1, NOW));
}

pub async fn an_organization_goes_with_its_members(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, engine) = (vault.tenant(), fixture.engine());
    let (row, owner) = stored(fixture, &vault, "acme").await;
    let going = |version| {
        vec![
            organization_members::remove_all(tenant, row.organization_id),
            organizations::remove(tenant, row.organization_id, version),
        ]
    };
    let stale = fixture.commit(&vault, going(7), vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("organization_version")));
    assert_eq!(
        organization_members::get(engine, tenant, row.organization_id, owner.user_id).await,
        Ok(Some(owner.clone())),
        "a refused removal leaves no trace"
    );
    fixture.commit(&vault, going(1), vec![]).await.expect("is current");
    assert_eq!(organizations::get(engine, &vault, row.organization_id).await, Ok(None));
    assert_eq!(organization_members::list(engine, tenant, row.organization_id, None, 9).await, Ok(vec![]));
    let joining = vec![organizations::count_owners(tenant, row.organization_id, 0)];
    let late = fixture.commit(&vault, joining, vec![]).await;
    assert_eq!(late, Err(UnitError::Conflict("organization_owners")), "nobody joins what is gone");
}
