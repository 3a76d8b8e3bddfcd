//! Imports of users and what was wrong with their lines; reading many users at once.

use super::{Fixture, NOW};
use crate::repositories::credentials::{self, CredentialKind};
use crate::repositories::taken;
use crate::repositories::user_emails;
use crate::repositories::user_imports::{self, ErrorPlace, UserImportErrorRow, UserImportRow};
use crate::repositories::users::{self, Identifier, UserProfile, UserRow};
use crate::{Statement, UnitError};
use uuid::Uuid;

fn import(fixture: &Fixture) -> UserImportRow {
    UserImportRow {
        import_id: fixture.id(),
        dry_run: false,
        on_conflict: "fail".to_owned(),
        source: Some("sha256:0a".to_owned()),
        state: "open".to_owned(),
        lines: 0,
        imported: 0,
        skipped: 0,
        failed: 0,
        errors: 0,
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

fn error(line: u64, ordinal: u16) -> UserImportErrorRow {
    UserImportErrorRow {
        place: ErrorPlace { line, ordinal },
        field: "email".to_owned(),
        code: "email_taken".to_owned(),
        detail: "another user has it".to_owned(),
    }
}

/// An import and an error of it.
pub(crate) fn one_with_error(fixture: &Fixture, tenant: Uuid) -> Vec<Statement> {
    let row = import(fixture);
    vec![user_imports::insert(tenant, &row), user_imports::insert_error(tenant, row.import_id, &error(1, 0))]
}

pub async fn imports_round_trip(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (engine, tenant) = (fixture.engine(), vault.tenant());
    let first = import(fixture);
    assert_eq!(user_imports::get(engine, tenant, first.import_id).await, Ok(None));
    let second = UserImportRow { dry_run: true, source: None, ..import(fixture) };
    let statements = vec![user_imports::insert(tenant, &first), user_imports::insert(tenant, &second)];
    fixture.commit(&vault, statements, vec![]).await.expect("new");
    assert_eq!(user_imports::get(engine, tenant, first.import_id).await, Ok(Some(first.clone())));
    let mut newest_first = [first.clone(), second.clone()];
    newest_first.sort_by_key(|row| std::cmp::Reverse(row.import_id));
    assert_eq!(user_imports::list(engine, tenant, 1, None).await, Ok(newest_first[..1].to_vec()));
    let cursor = Some(newest_first[0].import_id);
    assert_eq!(user_imports::list(engine, tenant, 5, cursor).await, Ok(newest_first[1..].to_vec()));
    let again = fixture.commit(&vault, vec![user_imports::insert(tenant, &first)], vec![]).await;
    assert_eq!(again, Err(UnitError::Unique("user_imports.import_id".to_owned())));
    let theirs = fixture.tenant("theirs").await.tenant();
    assert_eq!(user_imports::get(engine, theirs, first.import_id).await, Ok(None));
}

pub async fn imports_advance_once_per_version(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (engine, tenant) = (fixture.engine(), vault.tenant());
    let row = import(fixture);
    fixture.commit(&vault, vec![user_imports::insert(tenant, &row)], vec![]).await.expect("new");
    let next = UserImportRow {
        state: "completed".to_owned(),
        lines: 9,
        imported: 5,
        skipped: 1,
        failed: 3,
        errors: 4,
        updated_at: NOW + 1,
        version: 2,
        ..row.clone()
    };
    let user = fixture.user();
    let advance = || vec![users::insert(&vault, &user), user_imports::update(tenant, &next, 1)];
    fixture.commit(&vault, advance(), vec![]).await.expect("its version is 1");
    assert_eq!(user_imports::get(engine, tenant, row.import_id).await, Ok(Some(next.clone())));
    let another = fixture.user();
    let late = vec![users::insert(&vault, &another), user_imports::update(tenant, &next, 1)];
    let late = fixture.commit(&vault, late, vec![]).await;
    assert_eq!(late, Err(UnitError::Conflict("user_import_version")));
    let stored = users::get(engine, &vault, another.user_id).await;
    assert_eq!(stored, Ok(None), "nobody is imported without the place that says so");
}

pub async fn errors_are_in_order_of_lines_and_forgotten_with_their_import(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (engine, tenant) = (fixture.engine(), vault.tenant());
    let (old, new) = (import(fixture), UserImportRow { updated_at: NOW + 1, ..import(fixture) });
    let errors = [error(2, 0), error(2, 1), error(300, 0), error(70_000, 0)];
    let inserts = [&old, &new].map(|row| user_imports::insert(tenant, row)).into();
    fixture.commit(&vault, inserts, vec![]).await.expect("new");
    for row in [&old, &new] {
        let inserts =
            errors.iter().rev().map(|error| user_imports::insert_error(tenant, row.import_id, error));
        fixture.commit(&vault, inserts.collect(), vec![]).await.expect("new");
    }
    let list = async |row: &UserImportRow, limit, after| {
        user_imports::list_errors(engine, tenant, row.import_id, limit, after).await.expect("readable")
    };
    assert_eq!(list(&old, 3, None).await, errors[..3]);
    assert_eq!(list(&old, 3, Some(errors[2].place)).await, errors[3..]);
    fixture.commit(&vault, user_imports::forget(tenant, NOW), vec![]).await.expect("old ones go");
    assert_eq!(user_imports::get(engine, tenant, old.import_id).await, Ok(None));
    assert_eq!(list(&old, 9, None).await, []);
    assert_eq!(list(&new, 9, None).await.len(), errors.len());
}

pub async fn values_that_are_taken_are_found_among_many(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let engine = fixture.engine();
    let profile = UserProfile {
        username: Some("ada".to_owned()),
        external_id: Some("crm-7".to_owned()),
        phone: Some("+41791234567".to_owned()),
        ..UserProfile::default()
    };
    let user = UserRow { profile, ..fixture.user() };
    let email = fixture.email(user.user_id, "ada@example.com");
    let statements =
        vec![users::insert(&vault, &user), user_emails::insert(&vault, "ada@example.com", &email)];
    fixture.commit(&vault, statements, vec![]).await.expect("new");
    let many: Vec<String> = (0..250).map(|number| format!("u{number}@example.com")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(taken::emails(engine, &vault, &many).await, Ok(vec![]));
    assert_eq!(taken::emails(engine, &vault, &[]).await, Ok(vec![]));
    many.push("ada@example.com");
    assert_eq!(taken::emails(engine, &vault, &many).await, Ok(vec!["ada@example.com"]));
    for (kind, value) in [
        (Identifier::Username, "ada"),
        (Identifier::ExternalId, "crm-7"),
        (Identifier::Phone, "+41791234567"),
    ] {
        let among = taken::identifiers(engine, &vault, kind, &["other", value]).await;
        assert_eq!(among, Ok(vec![value]), "{kind:?}");
    }
    let theirs = fixture.tenant("theirs").await;
    assert_eq!(taken::emails(engine, &theirs, &["ada@example.com"]).await, Ok(vec![]));
}

pub async fn addresses_and_credentials_of_many_users_are_read_at_once(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let engine = fixture.engine();
    let mut ids = Vec::new();
    for number in 0..3 {
        let user = fixture.stored_user(&vault).await.user_id;
        let first = fixture.email(user, &format!("a{number}@example.com"));
        let mut second = fixture.email(user, &format!("b{number}@example.com"));
        (second.is_primary, second.created_at) = (false, first.created_at + 1);
        let statements = vec![
            user_emails::insert(&vault, &first.email, &first),
            user_emails::insert(&vault, &second.email, &second),
            credentials::insert(&vault, &fixture.credential(user)),
        ];
        fixture.commit(&vault, statements, vec![]).await.expect("new");
        ids.push((user, number));
    }
    ids.sort();
    let (from, to) = (ids[0].0, ids[1].0);
    let found = user_emails::list_between(engine, &vault, from, to).await.expect("readable");
    let found: Vec<_> = found.into_iter().map(|row| (row.user_id, row.email)).collect();
    let expected = ids[..2]
        .iter()
        .flat_map(|(user, number)| ["a", "b"].map(|letter| (*user, format!("{letter}{number}@example.com"))));
    assert_eq!(found, expected.collect::<Vec<_>>());
    let kind = CredentialKind::Password;
    let found = credentials::list_between(engine, &vault, from, to, kind).await.expect("readable");
    assert_eq!(found.iter().map(|row| row.user_id).collect::<Vec<_>>(), [from, to]);
}
