//! What users granted OAuth clients reads back as it was written, and changes once per version.

use super::{Fixture, NOW};
use crate::repositories::authorizations::{self, Advance, AuthorizationRow};
use crate::repositories::client_consents::{self, ClientConsentRow};
use crate::repositories::{constraint, used_proofs};
use crate::{Statement, TenantVault, UnitError};
use uuid::Uuid;

fn authorization(number: u128) -> AuthorizationRow {
    AuthorizationRow {
        authorization_id: Uuid::from_u128(number),
        client_id: Uuid::from_u128(100),
        user_id: Uuid::from_u128(200),
        session_id: Uuid::from_u128(300),
        terms: "{\"scope\":\"\u{e9}\"}".to_owned(),
        code_expires_at: NOW + 60,
        redeemed_at: None,
        generation: 0,
        rotated_at: None,
        refresh_expires_at: NOW,
        proof_key: None,
        revoked_at: None,
        created_at: NOW,
        version: 1,
    }
}

/// A row in every table of this group.
pub(crate) fn one_of_each(vault: &TenantVault) -> Vec<Statement> {
    let row = authorization(1);
    let consent = client_consents::put(vault.tenant(), row.user_id, row.client_id, "openid", NOW);
    let proof = used_proofs::insert(vault.tenant(), [7; 32], NOW);
    vec![authorizations::insert(vault, &row), consent, proof]
}

async fn stored(fixture: &Fixture, rows: &[AuthorizationRow]) -> std::sync::Arc<TenantVault> {
    let vault = fixture.tenant("ours").await;
    let inserts = rows.iter().map(|row| authorizations::insert(&vault, row)).collect();
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    vault
}

async fn read(fixture: &Fixture, vault: &TenantVault, number: u128) -> Option<AuthorizationRow> {
    authorizations::get(fixture.engine(), vault, Uuid::from_u128(number)).await.expect("read")
}

pub async fn authorizations_round_trip(fixture: &Fixture) {
    let whole = AuthorizationRow {
        redeemed_at: Some(NOW),
        generation: 7,
        rotated_at: Some(NOW + 1),
        proof_key: Some("key".to_owned()),
        revoked_at: Some(NOW + 2),
        client_id: Uuid::from_u128(101),
        ..authorization(2)
    };
    let again = AuthorizationRow { authorization_id: Uuid::from_u128(3), ..whole.clone() };
    let vault = stored(fixture, &[authorization(1), whole.clone(), again]).await;
    let other = fixture.tenant("theirs").await;
    assert_eq!(read(fixture, &vault, 1).await, Some(authorization(1)));
    assert_eq!(read(fixture, &vault, 2).await.as_ref(), Some(&whole));
    assert_eq!(read(fixture, &other, 1).await, None);
    let session = whole.session_id;
    let clients =
        async |tenant| authorizations::clients_of_session(fixture.engine(), tenant, session, 9).await;
    assert_eq!(
        clients(vault.tenant()).await,
        Ok(vec![whole.client_id]),
        "only those that got tokens, each once"
    );
    assert_eq!(clients(other.tenant()).await, Ok(vec![]));
    let twice = fixture.commit(&vault, vec![authorizations::insert(&vault, &whole)], vec![]).await;
    assert_eq!(twice, Err(UnitError::Unique(constraint::AUTHORIZATION.to_owned())));
}

pub async fn authorizations_advance_once_per_version(fixture: &Fixture) {
    let vault = stored(fixture, &[authorization(1)]).await;
    let to = Advance {
        redeemed_at: NOW + 1,
        generation: 1,
        rotated_at: None,
        refresh_expires_at: NOW + 9,
        proof_key: Some("key"),
    };
    let advance =
        |to, version| vec![authorizations::advance(vault.tenant(), Uuid::from_u128(1), to, version)];
    fixture.commit(&vault, advance(to, 1), vec![]).await.expect("the version is current");
    let stale = fixture.commit(&vault, advance(to, 1), vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("authorization_version")));
    let expected = AuthorizationRow {
        redeemed_at: Some(NOW + 1),
        generation: 1,
        refresh_expires_at: NOW + 9,
        proof_key: Some("key".to_owned()),
        version: 2,
        ..authorization(1)
    };
    assert_eq!(read(fixture, &vault, 1).await, Some(expected));
}

pub async fn an_ended_authorization_stays_ended(fixture: &Fixture) {
    let of_another = AuthorizationRow { client_id: Uuid::from_u128(101), ..authorization(3) };
    let vault = stored(fixture, &[authorization(1), authorization(2), of_another]).await;
    let tenant = vault.tenant();
    let revoke = |number| vec![authorizations::revoke(tenant, Uuid::from_u128(number), NOW + 1)];
    fixture.commit(&vault, revoke(1), vec![]).await.expect("it stands");
    let twice = fixture.commit(&vault, revoke(1), vec![]).await;
    assert_eq!(twice, Err(UnitError::Conflict("authorization_state")));
    let to = Advance {
        redeemed_at: NOW,
        generation: 1,
        rotated_at: None,
        refresh_expires_at: NOW,
        proof_key: None,
    };
    let advance = vec![authorizations::advance(tenant, Uuid::from_u128(1), to, 2)];
    let ended = fixture.commit(&vault, advance, vec![]).await;
    assert_eq!(ended, Err(UnitError::Conflict("authorization_version")));
    let row = authorization(1);
    let all = vec![authorizations::revoke_all(tenant, row.user_id, row.client_id, NOW + 5)];
    fixture.commit(&vault, all, vec![]).await.expect("any number");
    let mut ends = Vec::new();
    for number in 1..=3 {
        ends.push(read(fixture, &vault, number).await.expect("there").revoked_at);
    }
    assert_eq!(ends, [Some(NOW + 1), Some(NOW + 5), None]);
}

pub async fn what_has_expired_is_swept(fixture: &Fixture) {
    let later = AuthorizationRow { refresh_expires_at: NOW + 10, ..authorization(2) };
    let vault = stored(fixture, &[authorization(1), later]).await;
    fixture
        .commit(&vault, vec![authorizations::sweep(vault.tenant(), NOW + 9)], vec![])
        .await
        .expect("swept");
    assert_eq!(read(fixture, &vault, 1).await, None);
    assert!(read(fixture, &vault, 2).await.is_some());
}

pub async fn client_consents_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, user) = (vault.tenant(), Uuid::from_u128(200));
    let other = fixture.tenant("theirs").await.tenant();
    let client = Uuid::from_u128;
    let put = |number, scope, at| client_consents::put(tenant, user, client(number), scope, at);
    let all = vec![put(1, "openid", NOW), put(2, "openid", NOW)];
    fixture.commit(&vault, all, vec![]).await.expect("stored");
    fixture.commit(&vault, vec![put(1, "email openid", NOW + 1)], vec![]).await.expect("replaced");
    let first = ClientConsentRow {
        client_id: client(1),
        scope: "email openid".to_owned(),
        created_at: NOW,
        given_at: NOW + 1,
    };
    let get = async |tenant, number| {
        client_consents::get(fixture.engine(), tenant, user, client(number)).await.expect("read")
    };
    assert_eq!(get(tenant, 1).await.as_ref(), Some(&first));
    assert_eq!(get(other, 1).await, None);
    let list = async |after| {
        let listed = client_consents::list(fixture.engine(), tenant, user, after, 1).await.expect("read");
        listed.into_iter().map(|row| row.client_id).collect::<Vec<_>>()
    };
    assert_eq!((list(None).await, list(Some(client(1))).await), (vec![client(1)], vec![client(2)]));
    let delete = || vec![client_consents::delete(tenant, user, client(1))];
    fixture.commit(&vault, delete(), vec![]).await.expect("it is there");
    assert_eq!(get(tenant, 1).await, None);
    assert_eq!(
        fixture.commit(&vault, delete(), vec![]).await,
        Err(UnitError::Conflict("unknown_client_consent"))
    );
}

pub async fn a_proof_is_used_once_until_it_is_swept(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let other = fixture.tenant("theirs").await;
    let insert = |vault: &TenantVault, byte, at| vec![used_proofs::insert(vault.tenant(), [byte; 32], at)];
    fixture.commit(&vault, insert(&vault, 1, NOW), vec![]).await.expect("first");
    let again = fixture.commit(&vault, insert(&vault, 1, NOW + 5), vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(constraint::USED_PROOF.to_owned())));
    fixture.commit(&other, insert(&other, 1, NOW), vec![]).await.expect("another tenant's");
    fixture.commit(&vault, insert(&vault, 2, NOW + 9), vec![]).await.expect("another");
    fixture.commit(&vault, vec![used_proofs::sweep(vault.tenant(), NOW + 8)], vec![]).await.expect("swept");
    fixture.commit(&vault, insert(&vault, 1, NOW), vec![]).await.expect("forgotten");
    let kept = fixture.commit(&vault, insert(&vault, 2, NOW), vec![]).await;
    assert_eq!(kept, Err(UnitError::Unique(constraint::USED_PROOF.to_owned())));
}
