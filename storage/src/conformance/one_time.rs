//! Secrets that are good once.

use super::{Fixture, NOW};
use crate::repositories::constraint::ONE_TIME_TOKEN;
use crate::repositories::one_time_tokens::{self, OneTimeTokenRow};
use crate::{Scope, TenantVault, Unit, UnitError};
use uuid::Uuid;

pub(crate) fn token(hash: u8, user_id: Option<Uuid>) -> OneTimeTokenRow {
    OneTimeTokenRow {
        token_hash: [hash; 32],
        purpose: "reset_password".to_owned(),
        user_id,
        email: "ada@example.com".to_owned(),
        sent_hash: None,
        attempts: 0,
        created_at: NOW,
        expires_at: NOW + 1_000,
        used_at: None,
        version: 1,
    }
}

async fn store(fixture: &Fixture, vault: &TenantVault, row: &OneTimeTokenRow) -> Result<(), UnitError> {
    fixture.commit(vault, vec![one_time_tokens::insert(vault, row)], vec![]).await.map(drop)
}

async fn read(fixture: &Fixture, vault: &TenantVault, hash: u8) -> Option<OneTimeTokenRow> {
    one_time_tokens::get(fixture.engine(), vault, [hash; 32]).await.expect("reads")
}

pub async fn one_time_tokens_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    assert_eq!(read(fixture, &vault, 1).await, None);
    let plain = token(1, None);
    let bound = OneTimeTokenRow { sent_hash: Some([7; 32]), ..token(2, Some(fixture.id())) };
    for row in [&plain, &bound] {
        store(fixture, &vault, row).await.expect("is new");
        assert_eq!(read(fixture, &vault, row.token_hash[0]).await.as_ref(), Some(row));
    }
    let again = store(fixture, &vault, &plain).await;
    assert_eq!(again, Err(UnitError::Unique(ONE_TIME_TOKEN.to_owned())));
    let other = fixture.tenant("other").await;
    assert_eq!(read(fixture, &other, 1).await, None);
}

pub async fn a_one_time_token_is_used_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    store(fixture, &vault, &OneTimeTokenRow { sent_hash: Some([7; 32]), ..token(1, None) })
        .await
        .expect("is new");
    let tenant = vault.tenant();
    let change = async |statement| fixture.commit(&vault, vec![statement], vec![]).await.map(drop);
    change(one_time_tokens::miss(tenant, [1; 32], 1)).await.expect("the version is current");
    change(one_time_tokens::confirm(tenant, [1; 32], 2)).await.expect("the version is current");
    let confirmed = read(fixture, &vault, 1).await.expect("is there");
    assert_eq!((confirmed.attempts, confirmed.sent_hash, confirmed.version), (1, None, 3));
    let stale = change(one_time_tokens::miss(tenant, [1; 32], 1)).await;
    assert_eq!(stale, Err(UnitError::Conflict("token_version")));
    let unit =
        || Unit { statements: vec![one_time_tokens::use_up(tenant, [1; 32], NOW, 3)], entries: vec![] };
    let answers =
        fixture.engine().commit(Scope::Tenant(tenant), "suite", vec![unit(), unit()]).await.expect("commits");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(UnitError::Conflict("token_version")));
    assert_eq!(read(fixture, &vault, 1).await.expect("is kept").used_at, Some(NOW));
}

pub async fn what_is_left_of_a_user_is_withdrawn_and_the_expired_removed(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, ada, grace) = (vault.tenant(), fixture.id(), fixture.id());
    let link = OneTimeTokenRow { purpose: "sign_in_link".to_owned(), ..token(3, Some(ada)) };
    for row in [token(1, Some(ada)), token(2, Some(grace)), link] {
        store(fixture, &vault, &row).await.expect("is new");
    }
    let withdraw = one_time_tokens::withdraw(tenant, ada, "reset_password", NOW + 1);
    fixture.commit(&vault, vec![withdraw], vec![]).await.expect("stands");
    let used = async |hash| read(fixture, &vault, hash).await.expect("is there").used_at;
    assert_eq!((used(1).await, used(2).await, used(3).await), (Some(NOW + 1), None, None));
    fixture.commit(&vault, vec![one_time_tokens::purge(tenant, NOW)], vec![]).await.expect("stands");
    assert!(read(fixture, &vault, 1).await.is_some());
    fixture.commit(&vault, vec![one_time_tokens::purge(tenant, NOW + 1_000)], vec![]).await.expect("stands");
    assert_eq!(read(fixture, &vault, 1).await, None);
}
