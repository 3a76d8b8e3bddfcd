//! API keys and the service accounts they belong to.

use super::{Fixture, NOW};
use crate::repositories::api_keys::{self, ApiKeyKind, ApiKeyRow, HashedSecret};
use crate::repositories::service_accounts::{self, ServiceAccountRow};
use crate::{Scope, Statement, Unit, UnitError};
use uuid::Uuid;

const OLD: HashedSecret = HashedSecret { hash: [3; 32], key_version: 0 };
const NEW: HashedSecret = HashedSecret { hash: [4; 32], key_version: 2 };

fn row(fixture: &Fixture, tenant: Option<Uuid>, kind: ApiKeyKind) -> ApiKeyRow {
    ApiKeyRow {
        key_id: fixture.id(),
        tenant,
        kind,
        name: "ci".to_owned(),
        scopes: "users:read keys:write".to_owned(),
        secret: OLD,
        previous: None,
        account: None,
        account_disabled: false,
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: 1,
    }
}

async fn commit(fixture: &Fixture, statements: Vec<Statement>) -> Result<(), UnitError> {
    let unit = Unit { statements, entries: vec![] };
    let answers = fixture.engine().commit(Scope::Platform, "suite", vec![unit]).await;
    answers.expect("commits").remove(0).map(drop)
}

async fn read(fixture: &Fixture, key: &ApiKeyRow) -> ApiKeyRow {
    api_keys::get(fixture.engine(), key.key_id).await.expect("reads").expect("is kept")
}

pub async fn keys_round_trip(fixture: &Fixture) {
    let tenant = fixture.tenant("ours").await.tenant();
    let mut rows = vec![
        row(fixture, None, ApiKeyKind::Platform),
        ApiKeyRow { expires_at: Some(NOW + 9), ..row(fixture, Some(tenant), ApiKeyKind::Secret) },
        row(fixture, Some(tenant), ApiKeyKind::Publishable),
    ];
    rows.sort_by_key(|row| row.key_id);
    commit(fixture, rows.iter().map(api_keys::insert).collect()).await.expect("are new");
    assert_eq!(api_keys::list_active(fixture.engine()).await, Ok(rows.clone()));
    let (operators, ours): (Vec<_>, Vec<_>) = rows.iter().cloned().partition(|row| row.tenant.is_none());
    assert_eq!(api_keys::list_platform(fixture.engine(), None, 9).await, Ok(operators));
    assert_eq!(api_keys::list_of_tenant(fixture.engine(), tenant, None, 9).await, Ok(ours.clone()));
    let rest = api_keys::list_of_tenant(fixture.engine(), tenant, Some(ours[0].key_id), 9).await;
    assert_eq!(rest, Ok(ours[1..].to_vec()));
    assert_eq!(api_keys::list_of_tenant(fixture.engine(), fixture.id(), None, 9).await, Ok(vec![]));

    commit(fixture, vec![api_keys::revoke(rows[0].key_id, NOW + 1)]).await.expect("was active");
    let again = commit(fixture, vec![api_keys::revoke(rows[0].key_id, NOW + 2)]).await;
    assert_eq!(again, Err(UnitError::Conflict("api_key_state")));
    assert_eq!(api_keys::list_active(fixture.engine()).await, Ok(rows[1..].to_vec()));
    let revoked = read(fixture, &rows[0]).await;
    assert_eq!((revoked.revoked_at, revoked.version), (Some(NOW + 1), 2));
}

pub async fn keys_are_renamed_and_rotated_once_per_version(fixture: &Fixture) {
    let tenant = fixture.tenant("ours").await.tenant();
    let mut key = row(fixture, Some(tenant), ApiKeyKind::Secret);
    commit(fixture, vec![api_keys::insert(&key)]).await.expect("is new");
    let stale = Err(UnitError::Conflict("api_key_version"));
    commit(fixture, vec![api_keys::rename(key.key_id, "orders", 1)]).await.expect("the version is current");
    assert_eq!(commit(fixture, vec![api_keys::rename(key.key_id, "late", 1)]).await, stale);
    let rotate = |version| vec![api_keys::rotate(key.key_id, NEW, NOW + 60, version)];
    assert_eq!(commit(fixture, rotate(1)).await, stale);
    commit(fixture, rotate(2)).await.expect("the version is current");
    (key.name, key.version) = ("orders".to_owned(), 3);
    (key.secret, key.previous) = (NEW, Some((OLD, NOW + 60)));
    assert_eq!(read(fixture, &key).await, key);
    commit(fixture, vec![api_keys::revoke(key.key_id, NOW)]).await.expect("was active");
    assert_eq!(commit(fixture, vec![api_keys::rotate(key.key_id, OLD, NOW, 4)]).await, stale);
}

pub async fn uses_are_noted_once_in_a_while(fixture: &Fixture) {
    let mut key = row(fixture, None, ApiKeyKind::Platform);
    commit(fixture, vec![api_keys::insert(&key)]).await.expect("is new");
    for (at, since, noted) in [(NOW, NOW - 60, NOW), (NOW + 59, NOW - 1, NOW), (NOW + 60, NOW, NOW + 60)] {
        commit(fixture, vec![api_keys::note_use(key.key_id, at, since)]).await.expect("never in the way");
        key.last_used_at = Some(noted);
        assert_eq!(read(fixture, &key).await, key);
    }
}

pub async fn the_last_platform_key_stays(fixture: &Fixture) {
    let keys: Vec<_> = (0..3).map(|_| row(fixture, None, ApiKeyKind::Platform)).collect();
    commit(fixture, keys.iter().map(api_keys::insert).collect()).await.expect("are new");
    // All in one batch: one of them stays, whichever comes last.
    let unit = |key: &ApiKeyRow| Unit {
        statements: vec![api_keys::revoke_unless_last(key.key_id, NOW)],
        entries: vec![],
    };
    let units = keys.iter().map(unit).collect();
    let answers = fixture.engine().commit(Scope::Platform, "suite", units).await.expect("commits");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2);
    assert_eq!(api_keys::list_active(fixture.engine()).await.expect("reads").len(), 1);
}

pub async fn a_service_account_rules_over_its_keys(fixture: &Fixture) {
    let tenant = fixture.tenant("ours").await.tenant();
    let mut account = ServiceAccountRow {
        account_id: fixture.id(),
        tenant,
        name: "orders".to_owned(),
        description: Some("takes orders".to_owned()),
        disabled: false,
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    };
    let mut key =
        ApiKeyRow { account: Some(account.account_id), ..row(fixture, Some(tenant), ApiKeyKind::Secret) };
    let of = |tenant| {
        vec![service_accounts::require(tenant, key.account.expect("has one")), api_keys::insert(&key)]
    };
    let nobodys = Err(UnitError::Conflict("service_account_state"));
    assert_eq!(commit(fixture, of(tenant)).await, nobodys, "it is not there yet");
    commit(fixture, vec![service_accounts::insert(&account)]).await.expect("is new");
    assert_eq!(commit(fixture, of(fixture.id())).await, nobodys, "it is another tenant's");
    commit(fixture, of(tenant)).await.expect("is there");
    let get = || service_accounts::get(fixture.engine(), tenant, account.account_id);
    assert_eq!(get().await, Ok(Some(account.clone())));
    assert_eq!(service_accounts::get(fixture.engine(), fixture.id(), account.account_id).await, Ok(None));

    let disabled =
        ServiceAccountRow { disabled: true, description: None, updated_at: NOW + 1, ..account.clone() };
    commit(fixture, vec![service_accounts::update(&disabled)]).await.expect("the version is current");
    let stale = commit(fixture, vec![service_accounts::update(&disabled)]).await;
    assert_eq!(stale, Err(UnitError::Conflict("service_account_version")));
    account = ServiceAccountRow { version: 2, ..disabled };
    assert_eq!(service_accounts::list(fixture.engine(), tenant, None, 9).await, Ok(vec![account.clone()]));
    key.account_disabled = true;
    assert_eq!(api_keys::list_active(fixture.engine()).await, Ok(vec![key.clone()]));

    let end = vec![
        api_keys::revoke_of_account(account.account_id, NOW + 2),
        service_accounts::remove(account.account_id, 2),
    ];
    commit(fixture, end).await.expect("the version is current");
    assert_eq!(read(fixture, &key).await.revoked_at, Some(NOW + 2));
    assert_eq!(service_accounts::list(fixture.engine(), tenant, None, 9).await, Ok(vec![]));
}
