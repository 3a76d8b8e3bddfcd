//! Versions of policies read back as they were written, and the set changes once per version.

use super::{Fixture, NOW};
use crate::repositories::constraint;
use crate::repositories::policies::{self, PolicySetRow, PolicyVersionRow};
use crate::{Statement, TenantVault, UnitError};

fn version(number: i64) -> PolicyVersionRow {
    PolicyVersionRow { number, note: "the \u{e9} one".to_owned(), policies: 2, created_at: NOW }
}

fn set(version: i64) -> PolicySetRow {
    PolicySetRow { latest: 2, active: Some(1), activations: 3, updated_at: NOW, version }
}

/// A row in every table of this group.
pub(crate) fn one_of_each(vault: &TenantVault) -> Vec<Statement> {
    vec![policies::store_set(vault.tenant(), &set(0)), policies::insert(vault, &version(1), "{}")]
}

pub async fn policy_versions_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let other = fixture.tenant("theirs").await;
    let three = (1..=3).map(|number| policies::insert(&vault, &version(number), "a source")).collect();
    fixture.commit(&vault, three, vec![]).await.expect("stored");
    let get = async |number| policies::get(fixture.engine(), &vault, number).await.expect("read");
    assert_eq!(get(2).await, Some((version(2), "a source".to_owned())));
    assert_eq!(get(4).await, None);
    assert_eq!(policies::get(fixture.engine(), &other, 2).await, Ok(None));
    let list =
        async |before, limit| policies::list(fixture.engine(), &vault, before, limit).await.expect("read");
    assert_eq!(list(None, 2).await, [version(3), version(2)]);
    assert_eq!(list(Some(2), 2).await, [version(1)]);
    let again = fixture.commit(&vault, vec![policies::insert(&vault, &version(1), "")], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(constraint::POLICY_VERSION.to_owned())));
    let delete = || vec![policies::delete(vault.tenant(), 1)];
    fixture.commit(&vault, delete(), vec![]).await.expect("it is there");
    assert_eq!(fixture.commit(&vault, delete(), vec![]).await, Err(UnitError::Conflict("policy_version")));
}

pub async fn the_set_of_policies_changes_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenant = vault.tenant();
    let read = async || policies::set(fixture.engine(), tenant).await.expect("read");
    assert_eq!(read().await, PolicySetRow::default());
    let store = async |row: PolicySetRow| {
        fixture.commit(&vault, vec![policies::store_set(tenant, &row)], vec![]).await.map(drop)
    };
    store(set(0)).await.expect("there was none");
    assert_eq!(store(set(0)).await, Err(UnitError::Unique(constraint::POLICY_SET.to_owned())));
    assert_eq!(read().await, set(1));
    store(PolicySetRow { active: None, ..set(1) }).await.expect("the version is current");
    assert_eq!(read().await, PolicySetRow { active: None, ..set(2) });
    assert_eq!(store(set(1)).await, Err(UnitError::Conflict("policy_set_version")));
}
