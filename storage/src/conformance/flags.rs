//! Flags read back as they were written, and change once per version.

use super::{Fixture, NOW};
use crate::repositories::constraint;
use crate::repositories::flags::{self, FlagRow};
use crate::{Statement, TenantVault, UnitError};

fn flag(key: &str) -> FlagRow {
    FlagRow {
        key: key.to_owned(),
        definition: "{\"type\":\"boolean\",\"description\":\"\u{e9}\"}".to_owned(),
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

/// A row in every table of this group.
pub(crate) fn one_of_each(vault: &TenantVault) -> Vec<Statement> {
    vec![flags::insert(vault, &flag("dark-mode"))]
}

pub async fn flags_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let other = fixture.tenant("theirs").await;
    let (b, a) = (flag("b.flag"), flag("a-flag"));
    let both = vec![flags::insert(&vault, &b), flags::insert(&vault, &a)];
    fixture.commit(&vault, both, vec![]).await.expect("stored");
    let list = async |after| flags::list(fixture.engine(), &vault, after, 1).await.expect("read");
    assert_eq!(list(None).await, std::slice::from_ref(&a));
    assert_eq!(list(Some("a-flag")).await, std::slice::from_ref(&b));
    assert_eq!(list(Some("b.flag")).await, []);
    assert_eq!(flags::list(fixture.engine(), &other, None, 9).await.expect("read"), []);
    let again = fixture.commit(&vault, vec![flags::insert(&vault, &a)], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique(constraint::FLAG.to_owned())));
    fixture.commit(&other, vec![flags::insert(&other, &a)], vec![]).await.expect("keys are the tenant's own");
}

pub async fn flags_change_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let mut row = flag("flag");
    fixture.commit(&vault, vec![flags::insert(&vault, &row)], vec![]).await.expect("stored");
    (row.definition, row.updated_at) = ("{}".to_owned(), NOW + 1);
    fixture.commit(&vault, vec![flags::update(&vault, &row)], vec![]).await.expect("the version is current");
    let stale = fixture.commit(&vault, vec![flags::update(&vault, &row)], vec![]).await;
    assert_eq!(stale, Err(UnitError::Conflict("flag_version")));
    row.version = 2;
    assert_eq!(flags::list(fixture.engine(), &vault, None, 9).await.expect("read"), [row]);
    let delete = |version| vec![flags::delete(vault.tenant(), "flag", version)];
    assert_eq!(fixture.commit(&vault, delete(1), vec![]).await, Err(UnitError::Conflict("flag_version")));
    fixture.commit(&vault, delete(2), vec![]).await.expect("the version is current");
    assert_eq!(flags::list(fixture.engine(), &vault, None, 9).await.expect("read"), []);
}
