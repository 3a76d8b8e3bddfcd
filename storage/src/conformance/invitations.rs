//! Invitations to organizations, and the domains they claim.

use super::organizations::{member, stored};
use super::{Fixture, NOW};
use crate::repositories::constraint::{ORGANIZATION_DOMAIN, PENDING_INVITATION, VERIFIED_DOMAIN};
use crate::repositories::organization_domains::{self, DomainAt, DomainMode, DomainRow};
use crate::repositories::organization_invitations::{
    self, InvitationAt, InvitationRow, InvitationState, ListedInvitations,
};
use crate::repositories::users::Span;
use crate::repositories::{organization_members, organizations, purge, user_emails, users};
use crate::{Scope, Statement, TenantVault, Unit, UnitError};
use uuid::Uuid;

const ADA: &str = "ada@example.com";

fn invitation(fixture: &Fixture, organization_id: Uuid) -> InvitationRow {
    let invitation_id = fixture.id();
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(invitation_id.as_bytes());
    InvitationRow {
        organization_id,
        invitation_id,
        email: "Ada@example.com".to_owned(),
        role: "admin".to_owned(),
        state: InvitationState::Pending,
        token_hash: Some(hash),
        invited_by: "usr_1".to_owned(),
        user_id: None,
        created_at: NOW,
        sent_at: NOW,
        expires_at: NOW + 1_000,
        ended_at: None,
        version: 1,
    }
}

fn domain(fixture: &Fixture, organization_id: Uuid) -> DomainRow {
    DomainRow {
        organization_id,
        domain_id: fixture.id(),
        domain: "acme.example".to_owned(),
        challenge: "challenge".to_owned(),
        mode: DomainMode::Automatic,
        role: "member".to_owned(),
        verified_at: None,
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

/// An invitation, a domain and somebody who left.
pub(crate) fn one_of_each(fixture: &Fixture, vault: &TenantVault, organization_id: Uuid) -> [Statement; 3] {
    [
        organization_invitations::insert(vault, ADA, &invitation(fixture, organization_id)),
        organization_domains::insert(vault, &domain(fixture, organization_id)),
        organization_domains::depart(vault.tenant(), organization_id, fixture.id(), NOW),
    ]
}

fn at(row: &InvitationRow, expected_version: i64) -> InvitationAt {
    let InvitationRow { organization_id, invitation_id, .. } = *row;
    InvitationAt { organization_id, invitation_id, expected_version }
}

fn domain_at(row: &DomainRow, expected_version: i64) -> DomainAt {
    DomainAt { organization_id: row.organization_id, domain_id: row.domain_id, expected_version }
}

async fn commit(fixture: &Fixture, vault: &TenantVault, statement: Statement) -> Result<(), UnitError> {
    fixture.commit(vault, vec![statement], vec![]).await.map(drop)
}

async fn read(fixture: &Fixture, vault: &TenantVault, row: &InvitationRow) -> Option<InvitationRow> {
    let found =
        organization_invitations::get(fixture.engine(), vault, row.organization_id, row.invitation_id);
    found.await.expect("reads")
}

pub async fn invitations_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (organization, _) = stored(fixture, &vault, "acme").await;
    let row = invitation(fixture, organization.organization_id);
    assert_eq!(read(fixture, &vault, &row).await, None);
    commit(fixture, &vault, organization_invitations::insert(&vault, ADA, &row)).await.expect("is new");
    assert_eq!(read(fixture, &vault, &row).await, Some(row.clone()));
    let hash = row.token_hash.expect("is open");
    let by_token = organization_invitations::find_by_token(fixture.engine(), &vault, hash).await;
    assert_eq!(by_token, Ok(Some(row.clone())));
    let nowhere = InvitationRow { organization_id: fixture.id(), ..invitation(fixture, fixture.id()) };
    let refused = commit(fixture, &vault, organization_invitations::insert(&vault, ADA, &nowhere)).await;
    assert!(matches!(refused, Err(UnitError::Invalid(_))), "{refused:?}");
    let theirs = fixture.tenant("theirs").await;
    let foreign = organization_invitations::find_by_token(fixture.engine(), &theirs, hash).await;
    assert_eq!(foreign, Ok(None));
}

pub async fn one_invitation_of_an_address_is_pending(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let (organization, _) = stored(fixture, &vault, "acme").await;
    let (first, second) = (
        invitation(fixture, organization.organization_id),
        invitation(fixture, organization.organization_id),
    );
    let insert = |row: &InvitationRow| organization_invitations::insert(&vault, ADA, row);
    let units = [&first, &second].map(|row| Unit { statements: vec![insert(row)], entries: vec![] });
    let answers =
        fixture.engine().commit(Scope::Tenant(tenant), "suite", units.into()).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Unique(PENDING_INVITATION.to_owned())));
    let found =
        organization_invitations::find_pending(fixture.engine(), &vault, organization.organization_id, ADA);
    assert_eq!(found.await, Ok(Some(first.clone())));
    // One that ended makes room, also in the same unit.
    let end = organization_invitations::end(tenant, at(&first, 1), InvitationState::Revoked, None, NOW);
    fixture.commit(&vault, vec![end, insert(&second)], vec![]).await.expect("there is room");
    let (other, _) = stored(fixture, &vault, "beta").await;
    let elsewhere = invitation(fixture, other.organization_id);
    commit(fixture, &vault, insert(&elsewhere)).await.expect("is another organization's");
}

pub async fn an_invitation_ends_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let (organization, _) = stored(fixture, &vault, "acme").await;
    let row = invitation(fixture, organization.organization_id);
    commit(fixture, &vault, organization_invitations::insert(&vault, ADA, &row)).await.expect("is new");
    let renew = organization_invitations::renew(tenant, at(&row, 1), [9; 32], NOW + 5, NOW + 2_000);
    commit(fixture, &vault, renew).await.expect("is current");
    let renewed = read(fixture, &vault, &row).await.expect("is there");
    assert_eq!(
        (renewed.token_hash, renewed.sent_at, renewed.expires_at, renewed.version),
        (Some([9; 32]), NOW + 5, NOW + 2_000, 2)
    );
    let user = Some(fixture.id());
    let accept =
        || organization_invitations::end(tenant, at(&row, 2), InvitationState::Accepted, user, NOW + 6);
    let unit = || Unit { statements: vec![accept()], entries: vec![] };
    let answers =
        fixture.engine().commit(Scope::Tenant(tenant), "suite", vec![unit(), unit()]).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Conflict("invitation_version")));
    let ended = read(fixture, &vault, &row).await.expect("is kept");
    assert_eq!(
        (ended.state, ended.user_id, ended.ended_at, ended.token_hash),
        (InvitationState::Accepted, user, Some(NOW + 6), None)
    );
}

pub async fn invitations_are_listed_by_what_became_of_them(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let (organization, _) = stored(fixture, &vault, "acme").await;
    let id = organization.organization_id;
    let mut rows = Vec::new();
    for (address, expires_at) in
        [("a@x.example", NOW + 1), ("b@x.example", NOW + 9), ("c@x.example", NOW + 9)]
    {
        let row = InvitationRow { expires_at, ..invitation(fixture, id) };
        commit(fixture, &vault, organization_invitations::insert(&vault, address, &row)).await.expect("new");
        rows.push(row.invitation_id);
    }
    let last = InvitationRow { invitation_id: rows[2], ..invitation(fixture, id) };
    let last = read(fixture, &vault, &last).await.expect("is there");
    let end = organization_invitations::end(tenant, at(&last, 1), InvitationState::Declined, None, NOW);
    commit(fixture, &vault, end).await.expect("is current");
    let list = async |which, after, limit| {
        let found = organization_invitations::list(fixture.engine(), &vault, id, which, after, limit).await;
        found.expect("reads").into_iter().map(|row| row.invitation_id).collect::<Vec<_>>()
    };
    let mut all = rows.clone();
    all.sort_unstable();
    assert_eq!(list(ListedInvitations::All, None, 9).await, all);
    assert_eq!(list(ListedInvitations::All, Some(all[0]), 1).await, all[1..2]);
    assert_eq!(list(ListedInvitations::Open(NOW + 1), None, 9).await, rows[1..2]);
    assert_eq!(list(ListedInvitations::Expired(NOW + 1), None, 9).await, rows[..1]);
    assert_eq!(list(ListedInvitations::Ended(InvitationState::Declined), None, 9).await, rows[2..]);
    assert!(list(ListedInvitations::Ended(InvitationState::Revoked), None, 9).await.is_empty());
}

pub async fn invitations_are_found_by_address_and_go_with_it(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, engine) = (vault.tenant(), fixture.engine());
    let (organization, owner) = stored(fixture, &vault, "acme").await;
    let id = organization.organization_id;
    let user = fixture.stored_user(&vault).await;
    let email = fixture.email(user.user_id, ADA);
    commit(fixture, &vault, user_emails::insert(&vault, ADA, &email)).await.expect("is new");
    let row = invitation(fixture, id);
    commit(fixture, &vault, organization_invitations::insert(&vault, ADA, &row)).await.expect("is new");
    let find = async |open_at, after| {
        let found = organization_invitations::to_address(engine, &vault, ADA, open_at, after, 9).await;
        found.expect("reads").len()
    };
    assert_eq!((find(None, None).await, find(Some(NOW), None).await), (1, 1));
    assert_eq!((find(Some(NOW + 1_000), None).await, find(None, Some(row.invitation_id)).await), (0, 0));
    let member_of = async |organization, address| {
        organization_invitations::member_of_address(engine, &vault, organization, address).await
    };
    assert_eq!(member_of(id, ADA).await, Ok(None));
    let joins = organization_members::insert(tenant, &member(id, user.user_id, "member"));
    commit(fixture, &vault, joins).await.expect("joins");
    assert_eq!(member_of(id, ADA).await, Ok(Some(user.user_id)));
    assert_eq!(member_of(fixture.id(), ADA).await, Ok(None));
    assert_eq!(member_of(id, "bob@example.com").await, Ok(None));
    let depart = organization_domains::depart(tenant, id, user.user_id, NOW);
    commit(fixture, &vault, depart).await.expect("is new");
    fixture.commit(&vault, purge::purge(tenant, user.user_id, 1), vec![]).await.expect("purges");
    assert_eq!(find(None, None).await, 0, "the invitation went with the address");
    let left = organization_members::list(engine, tenant, id, None, 9).await.expect("reads");
    assert_eq!(left, [owner]);
}

pub async fn domains_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, engine) = (vault.tenant(), fixture.engine());
    let (organization, _) = stored(fixture, &vault, "acme").await;
    let id = organization.organization_id;
    let mut row = domain(fixture, id);
    assert_eq!(organization_domains::get(engine, &vault, id, row.domain_id).await, Ok(None));
    commit(fixture, &vault, organization_domains::insert(&vault, &row)).await.expect("is new");
    assert_eq!(organization_domains::get(engine, &vault, id, row.domain_id).await, Ok(Some(row.clone())));
    let again = commit(fixture, &vault, organization_domains::insert(&vault, &domain(fixture, id))).await;
    assert_eq!(again, Err(UnitError::Unique(ORGANIZATION_DOMAIN.to_owned())));
    let change = |version| {
        organization_domains::update(
            tenant,
            domain_at(&row, version),
            DomainMode::Suggested,
            "editor",
            NOW + 1,
        )
    };
    commit(fixture, &vault, change(1)).await.expect("is current");
    assert_eq!(commit(fixture, &vault, change(1)).await, Err(UnitError::Conflict("domain_version")));
    (row.mode, row.role, row.updated_at, row.version) =
        (DomainMode::Suggested, "editor".to_owned(), NOW + 1, 2);
    assert_eq!(organization_domains::list(engine, &vault, id, None, 9).await, Ok(vec![row.clone()]));
    let after = Some(row.domain_id);
    assert_eq!(organization_domains::list(engine, &vault, id, after, 9).await, Ok(vec![]));
    commit(fixture, &vault, organization_domains::stand(tenant, domain_at(&row, 2))).await.expect("stands");
    commit(fixture, &vault, organization_domains::remove(tenant, domain_at(&row, 2))).await.expect("goes");
    let gone = commit(fixture, &vault, organization_domains::stand(tenant, domain_at(&row, 2))).await;
    assert_eq!(gone, Err(UnitError::Conflict("domain_version")));
}

pub async fn a_verified_domain_is_one_organizations(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let (first, _) = stored(fixture, &vault, "acme").await;
    let (second, _) = stored(fixture, &vault, "beta").await;
    let (ours, theirs) = (domain(fixture, first.organization_id), domain(fixture, second.organization_id));
    for row in [&ours, &theirs] {
        commit(fixture, &vault, organization_domains::insert(&vault, row)).await.expect("both may claim it");
    }
    let verify =
        |row: &DomainRow, version| organization_domains::verify(tenant, domain_at(row, version), NOW + 1);
    commit(fixture, &vault, verify(&ours, 1)).await.expect("is the first");
    let late = commit(fixture, &vault, verify(&theirs, 1)).await;
    assert_eq!(late, Err(UnitError::Unique(VERIFIED_DOMAIN.to_owned())));
    let remove = organization_domains::remove(tenant, domain_at(&ours, 2));
    commit(fixture, &vault, remove).await.expect("goes");
    commit(fixture, &vault, verify(&theirs, 1)).await.expect("it is free again");
}

pub async fn a_domain_admits_who_neither_is_nor_was_a_member(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, engine) = (vault.tenant(), fixture.engine());
    let (organization, owner) = stored(fixture, &vault, "acme").await;
    let id = organization.organization_id;
    let user = fixture.stored_user(&vault).await.user_id;
    let proved = user_emails::UserEmailRow { verified_at: Some(NOW), ..fixture.email(user, ADA) };
    commit(fixture, &vault, user_emails::insert(&vault, ADA, &proved)).await.expect("is new");
    assert_eq!(user_emails::list_proved(engine, &vault, user).await, Ok(vec![proved.clone()]));
    let row = domain(fixture, id);
    commit(fixture, &vault, organization_domains::insert(&vault, &row)).await.expect("is new");
    let admitting = async |user| {
        organization_domains::admitting(engine, &vault, "acme.example", user).await.expect("reads").is_some()
    };
    assert!(!admitting(user).await, "it is not verified");
    assert_eq!(user_emails::list_proved_for_domains(engine, &vault, user).await, Ok(vec![]));
    let verify = organization_domains::verify(tenant, domain_at(&row, 1), NOW);
    commit(fixture, &vault, verify).await.expect("is current");
    assert_eq!(user_emails::list_proved_for_domains(engine, &vault, user).await, Ok(vec![proved]));
    assert!(admitting(user).await);
    assert!(!admitting(owner.user_id).await, "is a member");
    let depart = organization_domains::depart(tenant, id, user, NOW);
    commit(fixture, &vault, depart).await.expect("is new");
    assert!(!admitting(user).await, "has left");
    commit(fixture, &vault, organization_domains::come_back(tenant, id, user)).await.expect("stands");
    assert!(admitting(user).await);
    let going = [
        vec![organization_members::remove_all(tenant, id), organization_invitations::remove_all(tenant, id)],
        organization_domains::remove_all(tenant, id).into(),
        vec![organizations::remove(tenant, id, 1)],
    ];
    fixture.commit(&vault, going.concat(), vec![]).await.expect("everything goes");
    assert!(!admitting(user).await);
}

pub async fn members_are_listed_as_users(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (organization, owner) = stored(fixture, &vault, "acme").await;
    let id = organization.organization_id;
    fixture.stored_user(&vault).await;
    let list = async |organization, after| {
        let span = Span::after(after, 9);
        let found = users::list_members(fixture.engine(), &vault, organization, span).await.expect("reads");
        found.into_iter().map(|(user, _)| user.user_id).collect::<Vec<_>>()
    };
    assert_eq!(list(id, None).await, [owner.user_id]);
    assert!(list(id, Some(owner.user_id)).await.is_empty());
    assert!(list(fixture.id(), None).await.is_empty());
}
