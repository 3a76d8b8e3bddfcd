//! A tenant can neither read, write nor open what is another's.

use super::{Fixture, entry};
use crate::repositories::{user_emails, users};
use crate::{Scope, Statement, StorageError, Unit, UnitError, Value, VaultError};

pub async fn another_tenants_id_is_refused(fixture: &Fixture) {
    let (ours, theirs) = (fixture.tenant("ours").await, fixture.tenant("theirs").await);
    let user = fixture.stored_user(&theirs).await;
    let scope = Scope::Tenant(ours.tenant());

    let read = Statement::new(users::GET, vec![theirs.tenant().into(), user.user_id.into()]);
    let refused = fixture.engine().read(scope, read).await;
    assert!(matches!(refused, Err(StorageError::Misuse { .. })), "{refused:?}");

    let writes = [
        users::insert(&theirs, &fixture.user()),
        users::update_standing(&theirs, user.user_id, users::UserState::Blocked, 1, 1),
    ];
    for statement in writes {
        let unit = Unit { statements: vec![statement], entries: vec![entry("user.stolen", "x")] };
        let answers = fixture.engine().commit(scope, "suite", vec![unit]).await.expect("commits");
        assert!(matches!(answers[0], Err(UnitError::Invalid(_))), "{answers:?}");
    }
    let kept = users::get(fixture.engine(), &theirs, user.user_id).await.expect("reads");
    assert_eq!(kept, Some(user));
}

pub async fn a_user_of_one_tenant_is_unknown_to_another(fixture: &Fixture) {
    let (ours, theirs) = (fixture.tenant("ours").await, fixture.tenant("theirs").await);
    let user = fixture.stored_user(&theirs).await;
    let email = fixture.email(user.user_id, "ada@example.com");
    let insert = user_emails::insert(&theirs, "ada@example.com", &email);
    fixture.commit(&theirs, vec![insert], vec![]).await.expect("stored");

    let found = users::get(fixture.engine(), &ours, user.user_id).await.expect("reads");
    assert_eq!(found, None);
    let found = user_emails::find_by_email(fixture.engine(), &ours, "ada@example.com").await.expect("reads");
    assert_eq!(found, None);
}

pub async fn one_address_may_be_used_in_two_tenants(fixture: &Fixture) {
    for slug in ["ours", "theirs"] {
        let vault = fixture.tenant(slug).await;
        let user = fixture.stored_user(&vault).await;
        let email = fixture.email(user.user_id, "ada@example.com");
        let insert = user_emails::insert(&vault, "ada@example.com", &email);
        fixture.commit(&vault, vec![insert], vec![]).await.expect("free in this tenant");
    }
}

pub async fn a_row_copied_to_another_tenant_does_not_open(fixture: &Fixture) {
    let (ours, theirs) = (fixture.tenant("ours").await, fixture.tenant("theirs").await);
    let user = fixture.stored_user(&theirs).await;
    let read = Statement::new(users::GET, vec![theirs.tenant().into(), user.user_id.into()]);
    let rows = fixture.engine().read(Scope::Tenant(theirs.tenant()), read).await.expect("reads");
    let mut copied = vec![Value::Uuid(ours.tenant())];
    copied.extend(rows[0].values.iter().cloned());
    // Whatever form the engine gives ids in, they go back in as ids.
    copied[1] = user.user_id.into();

    let insert = Statement::new(users::INSERT, copied);
    fixture.commit(&ours, vec![insert], vec![]).await.expect("the copy is well formed");
    let opened = users::get(fixture.engine(), &ours, user.user_id).await;
    assert_eq!(opened, Err(StorageError::Vault(VaultError::Refused)));
}

pub async fn a_sealed_column_moved_to_another_row_does_not_open(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (from, to) = (fixture.stored_user(&vault).await, fixture.stored_user(&vault).await);
    let read = Statement::new(users::GET, vec![vault.tenant().into(), from.user_id.into()]);
    let rows = fixture.engine().read(Scope::Tenant(vault.tenant()), read).await.expect("reads");
    let name = rows[0].values[4].clone();
    let mut update = users::update_profile(&vault, to.user_id, &users::UserProfile::default(), 1, 1);
    update.params[1] = name;
    fixture.commit(&vault, vec![update], vec![]).await.expect("moved");
    let opened = users::get(fixture.engine(), &vault, to.user_id).await;
    assert_eq!(opened, Err(StorageError::Vault(VaultError::Refused)));
}
