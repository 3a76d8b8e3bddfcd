//! OAuth clients read back as they were written, and change once per version.

use super::{Fixture, NOW};
use crate::repositories::clients::{self, ClientRow};
use crate::repositories::constraint;
use crate::{Statement, TenantVault, UnitError};
use uuid::Uuid;

fn client(number: u128) -> ClientRow {
    ClientRow {
        client_id: Uuid::from_u128(number),
        definition: "{\"name\":\"\u{e9}\"}".to_owned(),
        secrets: "[]".to_owned(),
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

/// A row in every table of this group.
pub(crate) fn one_of_each(vault: &TenantVault) -> Vec<Statement> {
    vec![clients::insert(vault, &client(1))]
}

pub async fn clients_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let other = fixture.tenant("theirs").await;
    let (a, b) = (client(1), client(2));
    let both = vec![clients::insert(&vault, &b), clients::insert(&vault, &a)];
    fixture.commit(&vault, both, vec![]).await.expect("stored");
    let list = async |after| clients::list(fixture.engine(), &vault, after, 1).await.expect("read");
    assert_eq!(list(None).await, std::slice::from_ref(&a));
    assert_eq!(list(Some(a.client_id)).await, std::slice::from_ref(&b));
    assert_eq!(list(Some(b.client_id)).await, []);
    let get = async |vault, id| clients::get(fixture.engine(), vault, id).await.expect("read");
    assert_eq!(get(&vault, b.client_id).await.as_ref(), Some(&b));
    assert_eq!(get(&other, b.client_id).await, None);
    let count = async |vault: &TenantVault| clients::count(fixture.engine(), vault.tenant()).await;
    assert_eq!((count(&vault).await.expect("read"), count(&other).await.expect("read")), (2, 0));
    let again = fixture.commit(&vault, vec![clients::insert(&vault, &a)], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(constraint::CLIENT.to_owned())));
}

pub async fn clients_change_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let mut row = client(1);
    fixture.commit(&vault, vec![clients::insert(&vault, &row)], vec![]).await.expect("stored");
    (row.definition, row.secrets, row.updated_at) = ("{}".to_owned(), "[1]".to_owned(), NOW + 1);
    fixture
        .commit(&vault, vec![clients::update(&vault, &row)], vec![])
        .await
        .expect("the version is current");
    let stale = fixture.commit(&vault, vec![clients::update(&vault, &row)], vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("client_version")));
    row.version = 2;
    assert_eq!(clients::list(fixture.engine(), &vault, None, 9).await.expect("read"), [row.clone()]);
    let delete = |version| vec![clients::delete(vault.tenant(), row.client_id, version)];
    assert_eq!(fixture.commit(&vault, delete(1), vec![]).await, Err(UnitError::Conflict("client_version")));
    fixture.commit(&vault, delete(2), vec![]).await.expect("the version is current");
    assert_eq!(clients::list(fixture.engine(), &vault, None, 9).await.expect("read"), []);
}
