//! Batches of units: expectations, uniqueness, isolation, refusals.

use super::{Fixture, entry};
use crate::repositories::users::UserState;
use crate::repositories::{constraint, credentials, sessions, signing_keys, user_emails, users};
use crate::{Receipt, Scope, Statement, StorageError, Unit, UnitError};

pub async fn a_duplicate_is_named(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let email = fixture.email(user.user_id, "ada@example.com");
    let session = fixture.session(&vault, user.user_id);
    let key = super::rows::signing_key("k1");
    let cases = [
        (users::insert(&vault, &fixture.user()), None),
        (users::insert(&vault, &user), Some(constraint::USER)),
        (user_emails::insert(&vault, "ada@example.com", &email), None),
        (user_emails::insert(&vault, "ada@example.com", &email), Some(constraint::USER_EMAIL)),
        (credentials::insert(&vault, &fixture.credential(user.user_id)), None),
        (credentials::insert(&vault, &fixture.credential(user.user_id)), Some(constraint::CREDENTIAL)),
        (sessions::insert(&vault, &session), None),
        (sessions::insert(&vault, &session), Some(constraint::SESSION)),
        (signing_keys::insert(&vault, &key), None),
        (signing_keys::insert(&vault, &key), Some(constraint::SIGNING_KEY)),
    ];
    for (statement, taken) in cases {
        let refused = fixture.commit(&vault, vec![statement], vec![]).await.err();
        assert_eq!(refused, taken.map(|name| UnitError::Unique(name.to_owned())));
    }
}

pub async fn a_conflict_is_named_and_leaves_no_trace(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (user, second) = (fixture.stored_user(&vault).await, fixture.user());
    let statements = vec![
        users::insert(&vault, &second),
        users::update_standing(&vault, user.user_id, UserState::Blocked, 5, 99),
    ];
    let refused = fixture.commit(&vault, statements, vec![entry("user.blocked", 1)]).await;
    assert_eq!(refused, Err(UnitError::Conflict("user_version")));
    assert_eq!(users::get(fixture.engine(), &vault, second.user_id).await, Ok(None));
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    let head = crate::ledger::head(fixture.engine(), Scope::Tenant(vault.tenant())).await;
    assert_eq!(head.expect("reads").expect("has a head").seq, 0);
}

pub async fn a_failing_unit_does_not_fail_its_neighbours(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let taken = fixture.stored_user(&vault).await;
    let (first, last) = (fixture.user(), fixture.user());
    let unit = |statement| Unit { statements: vec![statement], entries: vec![entry("user.created", 1)] };
    let units = vec![
        unit(users::insert(&vault, &first)),
        unit(users::insert(&vault, &taken)),
        unit(users::update_standing(&vault, fixture.id(), UserState::Blocked, 1, 1)),
        unit(credentials::insert(&vault, &fixture.credential(fixture.id()))),
        unit(Statement::new("SELECT nonsense FROM nowhere WHERE x = $1", vec![vault.tenant().into()])),
        unit(users::insert(&vault, &last)),
    ];
    let scope = Scope::Tenant(vault.tenant());
    let answers = fixture.engine().commit(scope, "suite", units).await.expect("commits");
    assert_eq!(answers[0], Ok(Receipt { first_seq: 1, last_seq: 1 }));
    assert_eq!(answers[1], Err(UnitError::Unique(constraint::USER.to_owned())));
    assert_eq!(answers[2], Err(UnitError::Conflict("user_version")));
    assert!(matches!(answers[3], Err(UnitError::Invalid(_))), "{:?}", answers[3]);
    assert!(matches!(answers[4], Err(UnitError::Invalid(_))), "{:?}", answers[4]);
    assert_eq!(answers[5], Ok(Receipt { first_seq: 2, last_seq: 2 }));
    for user in [first, last] {
        assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    }
}

pub async fn a_reference_to_nothing_is_invalid(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let nobody = fixture.id();
    let statements = [
        sessions::insert(&vault, &fixture.session(&vault, nobody)),
        user_emails::insert(&vault, "a@b.c", &fixture.email(nobody, "a@b.c")),
    ];
    for statement in statements {
        let refused = fixture.commit(&vault, vec![statement], vec![]).await;
        assert!(matches!(refused, Err(UnitError::Invalid(_))), "{refused:?}");
    }
}

pub async fn a_nul_byte_is_invalid_everywhere(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let mut session = fixture.session(&vault, user.user_id);
    session.revoked_reason = Some("nul\0".to_owned());
    let insert = sessions::insert(&vault, &session);
    let refused = fixture.commit(&vault, vec![insert], vec![]).await;
    assert!(matches!(refused, Err(UnitError::Invalid(_))), "{refused:?}");
    let refused = fixture.commit(&vault, vec![], vec![entry("user.seen", "nul\0")]).await;
    assert!(matches!(refused, Err(UnitError::Invalid(_))), "{refused:?}");
    // Inside sealed columns and inside JSON it is content like any other.
    let mut named = fixture.user();
    named.profile.name = Some("nul\0".to_owned());
    let mut seen = entry("user.seen", "x");
    seen.data = serde_json::json!({ "nul": "\0" });
    let insert = users::insert(&vault, &named);
    fixture.commit(&vault, vec![insert], vec![seen]).await.expect("stands");
    assert_eq!(users::get(fixture.engine(), &vault, named.user_id).await, Ok(Some(named)));
}

pub async fn strange_text_is_kept_as_it_is(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    for name in ["", "'; DROP TABLE users; --", "\u{202e}evil", "ａｄａ", "💂", &"x".repeat(10_240)] {
        let mut user = fixture.user();
        user.profile.name = Some(name.to_owned());
        let insert = users::insert(&vault, &user);
        fixture.commit(&vault, vec![insert], vec![entry("user.named", name)]).await.expect("stands");
        assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    }
    let scope = Scope::Tenant(vault.tenant());
    crate::ledger::verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies");
}

pub async fn an_empty_batch_is_nothing(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let answers = fixture.engine().commit(Scope::Tenant(vault.tenant()), "suite", vec![]).await;
    assert_eq!(answers, Ok(vec![]));
}

pub async fn a_write_given_to_read_is_refused(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.user();
    let insert = users::insert(&vault, &user);
    let refused = fixture.engine().read(Scope::Tenant(vault.tenant()), insert).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(None));
}

pub async fn transactions_are_counted_by_name(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let user = fixture.user();
    let insert = || users::insert(&vault, &user);
    fixture.commit(&vault, vec![insert()], vec![]).await.expect("stands");
    fixture.commit(&vault, vec![insert()], vec![]).await.expect_err("is a duplicate");
    let health = fixture.engine().health().await;
    assert!(health.ready(), "{health:?}");
    assert_eq!(health.reason, None);
    let total = health.transactions.iter().find(|total| total.name == "suite").expect("was counted");
    assert_eq!((total.committed, total.units, total.refused, total.failed), (2, 1, 1, 0));
}

pub async fn a_closed_engine_says_so(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    fixture.engine().close().await;
    let read = users::get(fixture.engine(), &vault, fixture.id()).await;
    assert!(matches!(read, Err(StorageError::Unavailable { .. })), "{read:?}");
    let health = fixture.engine().health().await;
    assert!(!health.ready());
    assert!(health.reason.is_some());
}
