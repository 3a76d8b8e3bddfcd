//! Invitations to become a user.

use super::{Fixture, NOW};
use crate::repositories::constraint::USER_INVITATION;
use crate::repositories::user_invitations::{self, UserInvitationRow};
use crate::{Scope, Statement, TenantVault, Unit, UnitError};
use uuid::Uuid;

const ADA: &str = "ada@example.com";

pub(crate) fn invitation(invitation_id: Uuid, token: u8) -> UserInvitationRow {
    UserInvitationRow {
        invitation_id,
        token_hash: [token; 32],
        email: "Ada@example.com".to_owned(),
        profile: r#"{"name":"Ada"}"#.to_owned().into(),
        created_at: NOW,
        expires_at: NOW + 1_000,
        version: 1,
    }
}

async fn change(fixture: &Fixture, vault: &TenantVault, statement: Statement) -> Result<(), UnitError> {
    fixture.commit(vault, vec![statement], vec![]).await.map(drop)
}

pub async fn user_invitations_round_trip(fixture: &Fixture) {
    let (vault, other) = (fixture.tenant("ours").await, fixture.tenant("other").await);
    let mut rows: Vec<_> = (1..=3_u8).map(|token| invitation(fixture.id(), token)).collect();
    rows.sort_by_key(|row| row.invitation_id);
    for row in &rows {
        change(fixture, &vault, user_invitations::insert(&vault, ADA, row)).await.expect("is new");
    }
    let again = change(fixture, &vault, user_invitations::insert(&vault, ADA, &rows[0])).await;
    assert_eq!(again, Err(UnitError::Unique(USER_INVITATION.to_owned())));
    let get = async |vault: &TenantVault, row: &UserInvitationRow| {
        let by_id = user_invitations::get(fixture.engine(), vault, row.invitation_id).await.expect("reads");
        let by_token =
            user_invitations::by_token(fixture.engine(), vault, row.token_hash).await.expect("reads");
        assert_eq!(by_id, by_token);
        by_id
    };
    assert_eq!(get(&vault, &rows[1]).await.as_ref(), Some(&rows[1]));
    assert_eq!(get(&other, &rows[1]).await, None);
    let list = async |vault: &TenantVault, after| {
        user_invitations::list(fixture.engine(), vault, after, 2).await.expect("reads")
    };
    assert_eq!(list(&vault, None).await, rows[..2]);
    assert_eq!(list(&vault, Some(rows[1].invitation_id)).await, rows[2..]);
    assert_eq!(list(&other, None).await, []);
}

pub async fn a_user_invitation_is_accepted_once_and_a_new_one_replaces_the_last(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, row) = (vault.tenant(), invitation(fixture.id(), 1));
    change(fixture, &vault, user_invitations::insert(&vault, ADA, &row)).await.expect("is new");
    let renew = |version| user_invitations::renew(tenant, row.invitation_id, [2; 32], NOW + 2_000, version);
    change(fixture, &vault, renew(1)).await.expect("the version is current");
    assert_eq!(change(fixture, &vault, renew(1)).await, Err(UnitError::Conflict("invitation_version")));
    let by_token = async |token: u8| {
        user_invitations::by_token(fixture.engine(), &vault, [token; 32]).await.expect("reads")
    };
    assert_eq!(by_token(1).await, None, "the older link is void");
    assert_eq!(by_token(2).await.map(|row| (row.version, row.expires_at)), Some((2, NOW + 2_000)));
    let accept =
        || Unit { statements: vec![user_invitations::remove(tenant, row.invitation_id, 2)], entries: vec![] };
    let units = vec![accept(), accept()];
    let answers = fixture.engine().commit(Scope::Tenant(tenant), "suite", units).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Conflict("invitation_version")));

    let (older, newer) = (invitation(fixture.id(), 3), invitation(fixture.id(), 4));
    change(fixture, &vault, user_invitations::insert(&vault, ADA, &older)).await.expect("is new");
    let replaced =
        vec![user_invitations::replace(&vault, ADA), user_invitations::insert(&vault, ADA, &newer)];
    fixture.commit(&vault, replaced, vec![]).await.expect("stands");
    assert_eq!((by_token(3).await, by_token(4).await), (None, Some(newer)));
    change(fixture, &vault, user_invitations::purge(tenant, NOW + 999)).await.expect("stands");
    assert!(by_token(4).await.is_some());
    change(fixture, &vault, user_invitations::purge(tenant, NOW + 1_000)).await.expect("stands");
    assert_eq!(by_token(4).await, None);
}
