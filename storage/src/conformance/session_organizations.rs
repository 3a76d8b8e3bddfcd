//! The organization a session is active in.

use super::organizations::{member, stored};
use super::rows::read_session;
use super::{Fixture, NOW};
use crate::repositories::session_organizations::{self, CandidateRow, Name, Placement};
use crate::repositories::sessions::{self, ActiveOrganization, SessionRow};
use crate::repositories::{organization_members, organization_policies, organizations};
use crate::{Statement, TenantVault, UnitError};
use uuid::Uuid;

fn active(organization_id: Uuid, role: &str) -> ActiveOrganization {
    ActiveOrganization { organization_id, role: role.to_owned(), until: Some(NOW + 60_000) }
}

/// A session of a user, stored.
async fn session_of(fixture: &Fixture, vault: &TenantVault, user: Uuid) -> SessionRow {
    let row = fixture.session(vault, user);
    fixture.commit(vault, vec![sessions::insert(vault, &row)], vec![]).await.expect("is new");
    row
}

fn placed(
    vault: &TenantVault,
    row: &SessionRow,
    version: i64,
    organization: Option<(&ActiveOrganization, i64)>,
) -> Statement {
    let placement = Placement {
        session_id: row.session_id,
        expected_version: version,
        generation: 5,
        hash: [9; 32],
        idle_expires_at: NOW + 7,
        rotated_at: NOW + 1,
        client: Some([3; 32]),
        authenticated_at: NOW + 2,
        seen_at: NOW + 3,
        organization,
    };
    session_organizations::place(vault.tenant(), &placement)
}

pub async fn a_session_enters_while_its_user_is_a_member_and_the_policy_the_same(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (acme, owner) = stored(fixture, &vault, "acme").await;
    let (other, _) = stored(fixture, &vault, "beta").await;
    let row = session_of(fixture, &vault, owner.user_id).await;
    let owns = active(acme.organization_id, "owner");
    for (version, organization, policy, why) in [
        (2, owns.clone(), 1, "another version of the session"),
        (1, owns.clone(), 2, "another version of the policy"),
        (1, active(acme.organization_id, "admin"), 1, "another role"),
        (1, active(other.organization_id, "owner"), 1, "an organization of others"),
        (1, active(fixture.id(), "owner"), 1, "no organization at all"),
    ] {
        let statement = placed(&vault, &row, version, Some((&organization, policy)));
        let refused = fixture.commit(&vault, vec![statement], vec![]).await;
        assert_eq!(refused, Err(UnitError::Conflict("session_version")), "{why}");
    }
    assert_eq!(read_session(fixture, &vault, &row).await, row, "what was refused leaves no trace");

    fixture.commit(&vault, vec![placed(&vault, &row, 1, Some((&owns, 1)))], vec![]).await.expect("enters");
    let there = read_session(fixture, &vault, &row).await;
    let expected = SessionRow {
        refresh_generation: 5,
        refresh_hash: [9; 32],
        idle_expires_at: NOW + 7,
        rotated_at: NOW + 1,
        refresh_client: Some([3; 32]),
        authenticated_at: NOW + 2,
        last_seen_at: NOW + 3,
        organization: Some(owns.clone()),
        version: 2,
        ..row.clone()
    };
    assert_eq!(there, expected);
    let listed = sessions::list_for_user(fixture.engine(), &vault, owner.user_id, 9, None).await;
    assert_eq!(listed, Ok(vec![expected.clone()]));

    let for_good = ActiveOrganization { until: None, ..owns };
    fixture.commit(&vault, vec![placed(&vault, &row, 2, Some((&for_good, 1)))], vec![]).await.expect("stays");
    assert_eq!(read_session(fixture, &vault, &row).await.organization, Some(for_good));
    fixture.commit(&vault, vec![placed(&vault, &row, 3, None)], vec![]).await.expect("leaves");
    let out = read_session(fixture, &vault, &row).await;
    assert_eq!(out, SessionRow { organization: None, version: 4, ..expected });
    let revoked = sessions::revoke(vault.tenant(), row.session_id, NOW, "why");
    fixture.commit(&vault, vec![revoked], vec![]).await.expect("ends");
    let late = fixture.commit(&vault, vec![placed(&vault, &row, 5, None)], vec![]).await;
    assert_eq!(late, Err(UnitError::Conflict("session_version")));
}

pub async fn a_session_begins_in_an_organization_or_not_at_all(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (acme, owner) = stored(fixture, &vault, "acme").await;
    let stranger = fixture.stored_user(&vault).await.user_id;
    let begun = |user: Uuid, role: &str| {
        let row = fixture.session(&vault, user);
        let organization = active(acme.organization_id, role);
        let seat = session_organizations::seat(vault.tenant(), row.session_id, &organization, 1);
        (row.clone(), organization, vec![sessions::insert(&vault, &row), seat])
    };
    for (user, role) in [(stranger, "owner"), (owner.user_id, "member")] {
        let (row, _, statements) = begun(user, role);
        let refused = fixture.commit(&vault, statements, vec![]).await;
        assert_eq!(refused, Err(UnitError::Conflict("session_organization")));
        assert_eq!(sessions::get(fixture.engine(), &vault, row.session_id).await, Ok(None));
    }
    let (row, organization, statements) = begun(owner.user_id, "owner");
    fixture.commit(&vault, statements, vec![]).await.expect("begins");
    let read = read_session(fixture, &vault, &row).await;
    assert_eq!(read, SessionRow { organization: Some(organization), ..row });
}

/// An organization with two members, each with a session that is active in it: the session of the owner comes first.
async fn two_at_work(fixture: &Fixture, vault: &TenantVault) -> (Uuid, [SessionRow; 2]) {
    let (acme, owner) = stored(fixture, vault, "acme").await;
    let second = member(acme.organization_id, fixture.stored_user(vault).await.user_id, "member");
    let joining = vec![
        organizations::count_owners(vault.tenant(), acme.organization_id, 0),
        organization_members::insert(vault.tenant(), &second),
    ];
    fixture.commit(vault, joining, vec![]).await.expect("joins");
    let mut rows = Vec::new();
    for (user, role) in [(owner.user_id, "owner"), (second.user_id, "member")] {
        let row = session_of(fixture, vault, user).await;
        let organization = active(acme.organization_id, role);
        let enters = placed(vault, &row, 1, Some((&organization, 1)));
        fixture.commit(vault, vec![enters], vec![]).await.expect("enters");
        rows.push(read_session(fixture, vault, &row).await);
    }
    (acme.organization_id, rows.try_into().expect("two"))
}

pub async fn sessions_leave_with_the_membership(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (acme, [owner, second]) = two_at_work(fixture, &vault).await;
    let going = vec![
        session_organizations::member_leaves(vault.tenant(), acme, second.user_id),
        organization_members::remove(vault.tenant(), acme, second.user_id, 1),
    ];
    fixture.commit(&vault, going, vec![]).await.expect("goes");
    let left = SessionRow { organization: None, version: 3, ..second.clone() };
    assert_eq!(read_session(fixture, &vault, &second).await, left);
    assert_eq!(read_session(fixture, &vault, &owner).await, owner, "the others stay");
    let back = placed(&vault, &second, 3, Some((&active(acme, "member"), 1)));
    let back = fixture.commit(&vault, vec![back], vec![]).await;
    assert_eq!(back, Err(UnitError::Conflict("session_version")));
}

pub async fn sessions_leave_an_organization_that_goes(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (acme, rows) = two_at_work(fixture, &vault).await;
    let going = vec![
        session_organizations::all_leave(vault.tenant(), acme),
        organization_members::remove_all(vault.tenant(), acme),
        organizations::remove(vault.tenant(), acme, 1),
    ];
    fixture.commit(&vault, going, vec![]).await.expect("goes");
    for row in rows {
        let left = SessionRow { organization: None, version: 3, ..row.clone() };
        assert_eq!(read_session(fixture, &vault, &row).await, left);
    }
}

pub async fn a_new_role_is_that_of_the_sessions_too(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (acme, [owner, second]) = two_at_work(fixture, &vault).await;
    let role = session_organizations::set_role(vault.tenant(), acme, second.user_id, "admin");
    fixture.commit(&vault, vec![role], vec![]).await.expect("is set");
    let expected = SessionRow { organization: Some(active(acme, "admin")), version: 3, ..second.clone() };
    assert_eq!(read_session(fixture, &vault, &second).await, expected);
    assert_eq!(read_session(fixture, &vault, &owner).await, owner);
}

pub async fn candidates_are_found_by_id_and_slug_by_members_only(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (acme, owner) = stored(fixture, &vault, "acme").await;
    let stranger = fixture.stored_user(&vault).await.user_id;
    let find = |name, user| session_organizations::candidate(fixture.engine(), vault.tenant(), name, user);
    let expected = CandidateRow {
        organization_id: acme.organization_id,
        slug: "acme".to_owned(),
        role: "owner".to_owned(),
        policy: "{}".to_owned(),
        policy_version: 1,
    };
    for name in [Name::Id(acme.organization_id), Name::Slug("acme")] {
        assert_eq!(find(name, owner.user_id).await, Ok(Some(expected.clone())));
        assert_eq!(find(name, stranger).await, Ok(None));
    }
    for name in [Name::Id(fixture.id()), Name::Slug("beta")] {
        assert_eq!(find(name, owner.user_id).await, Ok(None));
    }
}

pub async fn a_policy_is_set_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, engine) = (vault.tenant(), fixture.engine());
    assert_eq!(organization_policies::get(engine, tenant, fixture.id()).await, Ok(None));
    let (acme, _) = stored(fixture, &vault, "acme").await;
    let set = |text: &str, version| {
        let set = organization_policies::set(tenant, acme.organization_id, text, NOW, version);
        fixture.commit(&vault, vec![set], vec![])
    };
    set(r#"{"mfa_required":true}"#, 1).await.expect("is current");
    assert_eq!(set("{}", 1).await, Err(UnitError::Conflict("policy_version")));
    let read = organization_policies::get(engine, tenant, acme.organization_id).await;
    let read = read.expect("reads").expect("is there");
    assert_eq!((read.policy.as_str(), read.version, read.updated_at), (r#"{"mfa_required":true}"#, 2, NOW));
    let same = organizations::get(engine, &vault, acme.organization_id).await;
    assert_eq!(same, Ok(Some(acme)), "the organization's own version is another matter");
}
