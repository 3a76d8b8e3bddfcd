//! What becomes one statement, and that it has the effect of many.

use super::super::PostgresOptions;
use super::super::merging::{Shared, Step, steps};
use super::super::read::Beginning;
use super::{client, database, fixture};
use crate::conformance::entry;
use crate::repositories::users::{self, UserState};
use crate::repositories::{credentials, sessions, user_emails};
use crate::{Expect, Scope, Statement, Unit, UnitError, Value};
use tokio_postgres::types::ToSql;

fn unit(statements: Vec<Statement>) -> Unit {
    Unit { statements, entries: vec![] }
}

/// The steps in short: the first word and the table, with how many were merged.
fn shape(units: &[Unit]) -> Vec<String> {
    let units: Vec<_> = units.iter().collect();
    let short = |text: &str| {
        let words: Vec<_> = text.split(' ').filter(|word| *word != "INTO").take(2).collect();
        words.join(" ")
    };
    let count = |param: &Shared<'_>| match param {
        Shared::One(_) => None,
        Shared::Each(values) => Some(values.len()),
    };
    let shape = |step: &Step<'_>| match step {
        Step::Alone(statement) => short(statement.sql),
        Step::Merged(merged) => {
            format!("{} x{}", short(&merged.text), merged.params.iter().find_map(count).expect("keys differ"))
        }
    };
    steps(&units).iter().map(shape).collect()
}

fn id(number: u128) -> Value {
    Value::Uuid(uuid::Uuid::from_u128(number))
}

fn update(user: u128, version: i64) -> Statement {
    let params = vec![id(0), 7i64.into(), id(user), version.into()];
    Statement::new(users::TOUCH, params).expecting(1, "user_version")
}

fn insert(user: u128) -> Statement {
    let nothing = std::iter::repeat_n(Value::Null, 12);
    let params = [id(0), id(user), "active".into()].into_iter().chain(nothing).chain([
        1i64.into(),
        1i64.into(),
        1i64.into(),
    ]);
    Statement::new(users::INSERT, params.collect())
}

#[test]
fn statements_about_different_rows_become_one() {
    assert_eq!(shape(&[unit(vec![update(1, 1)]), unit(vec![update(2, 9)])]), ["UPDATE users x2"]);
    assert_eq!(
        shape(&[unit(vec![insert(1), update(2, 1)]), unit(vec![insert(3), update(4, 1)])]),
        ["INSERT users x2", "UPDATE users x2"]
    );
    assert_eq!(shape(&[unit(vec![update(1, 1)])]), ["UPDATE users"]);
    assert!(shape(&[unit(vec![])]).is_empty());
}

#[test]
fn statements_about_one_row_keep_their_order() {
    let units = [unit(vec![update(1, 1)]), unit(vec![update(2, 1)]), unit(vec![update(1, 2)])];
    assert_eq!(shape(&units), ["UPDATE users x2", "UPDATE users"]);
    assert_eq!(
        shape(&[unit(vec![insert(1), update(1, 1)]), unit(vec![insert(2)])]),
        ["INSERT users", "UPDATE users", "INSERT users"]
    );
}

#[test]
fn what_is_not_plainly_about_one_row_stands_alone_and_parts_the_others() {
    let nil = uuid::Uuid::nil();
    let all = sessions::revoke_all_for_user(nil, nil, 5, "all");
    let units = [unit(vec![update(1, 1)]), unit(vec![all]), unit(vec![update(2, 1)])];
    assert_eq!(shape(&units), ["UPDATE users", "UPDATE sessions", "UPDATE users"]);
    for text in [
        "UPDATE users SET state = $2 WHERE tenant_id = $1",
        "UPDATE users SET user_id = $2 WHERE tenant_id = $1 AND user_id = $3",
        "UPDATE users SET state = $2 WHERE tenant_id = $1 AND user_id = $3 OR version = $3",
        "UPDATE tenants SET name = $1 WHERE tenant_id = $2",
        "INSERT INTO users (tenant_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "DELETE FROM signing_keys WHERE tenant_id = $1 AND kid = $2",
    ] {
        let statement = |number| Statement::new(text, vec![id(0), id(number), id(number)]);
        assert_eq!(shape(&[unit(vec![statement(1)]), unit(vec![statement(2)])]).len(), 2, "{text}");
    }
}

#[test]
fn the_tenant_is_given_once_and_not_for_each_row() {
    let units = [unit(vec![insert(1)]), unit(vec![insert(2)])];
    let steps = steps(&units.iter().collect::<Vec<_>>());
    let [Step::Merged(merged)] = &steps[..] else { panic!("both are one") };
    assert!(matches!(merged.params[0], Shared::One(tenant) if *tenant == id(0)), "{:?}", merged.params);
    assert!(matches!(&merged.params[1], Shared::Each(users) if users.len() == 2), "{:?}", merged.params);
    assert!(merged.text.contains("SELECT $1::uuid, p.p2, "), "{}", merged.text);
}

#[test]
fn other_kinds_and_other_expectations_are_not_mixed() {
    let mut named = insert(2);
    named.params[3] = Value::Blob(vec![1]);
    assert_eq!(shape(&[unit(vec![insert(1)]), unit(vec![named])]).len(), 2);
    let mut lenient = update(2, 1);
    lenient.expect = Expect::Any;
    assert_eq!(shape(&[unit(vec![update(1, 1)]), unit(vec![lenient])]).len(), 2);
    let mut otherwise = update(2, 1);
    otherwise.otherwise = "another_version";
    assert_eq!(shape(&[unit(vec![update(1, 1)]), unit(vec![otherwise])]).len(), 2);
    let none = |user| update(user, 1).expecting(0, "nobody");
    assert_eq!(shape(&[unit(vec![none(1)]), unit(vec![none(2)])]).len(), 2, "none is not one each");
}

#[tokio::test]
async fn merged_statements_do_what_each_would_have_done() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let mut users: Vec<_> = (0..40).map(|_| fixture.user()).collect();
    users.iter_mut().step_by(3).for_each(|user| user.profile.name = None);
    let addresses: Vec<_> = (0..40).map(|number| format!("user{number}@example.com")).collect();
    let rows: Vec<_> = users.iter().map(|user| fixture.session(&vault, user.user_id)).collect();
    // As sign-up does: children after parents in every unit.
    let units = users.iter().zip(&addresses).zip(&rows).map(|((user, address), session)| Unit {
        statements: vec![
            users::insert(&vault, user),
            user_emails::insert(&vault, address, &fixture.email(user.user_id, address)),
            credentials::insert(&vault, &fixture.credential(user.user_id)),
            sessions::insert(&vault, session),
        ],
        entries: vec![entry("user.created", user.user_id)],
    });
    let units: Vec<_> = units.collect();
    assert_eq!(shape(&units).len(), 5, "named and nameless users, addresses, credentials, sessions");
    let answers = fixture.engine().commit(scope, "suite", units).await.expect("commits");
    let seqs: Vec<_> = answers.into_iter().map(|answer| answer.expect("stands").last_seq).collect();
    assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
    for (user, session) in users.iter().zip(&rows) {
        assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user.clone())));
        let read = sessions::get(fixture.engine(), &vault, session.session_id).await;
        assert_eq!(read, Ok(Some(session.clone())));
    }
}

#[tokio::test]
async fn of_many_units_exactly_those_fail_that_must() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let mut users: Vec<_> = (0..37).map(|_| fixture.user()).collect();
    let inserts = users.iter().map(|user| users::insert(&vault, user)).collect();
    fixture.commit(&vault, inserts, vec![]).await.expect("stored");
    let failing = [0, 5, 6, 20, 36];
    let units = users.iter().enumerate().map(|(number, user)| {
        let version = if failing.contains(&number) { 9 } else { 1 };
        let update = users::update_standing(&vault, user.user_id, UserState::Blocked, 5, version);
        Unit { statements: vec![update], entries: vec![entry("user.blocked", number)] }
    });
    let scope = Scope::Tenant(vault.tenant());
    let answers = fixture.engine().commit(scope, "suite", units.collect()).await.expect("commits");
    let mut seq = 0;
    for (number, answer) in answers.into_iter().enumerate() {
        if failing.contains(&number) {
            assert_eq!(answer, Err(UnitError::Conflict("user_version")), "{number}");
        } else {
            seq += 1;
            assert_eq!(answer.expect("stands").last_seq, seq, "{number}");
            (users[number].standing, users[number].version, users[number].updated_at) =
                (UserState::Blocked.into(), 2, 5);
        }
    }
    for user in users {
        assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    }
    crate::ledger::verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies");
}

/// Without statistics the planner would rather look for every row of the tenant among the parameters.
#[tokio::test]
async fn the_keys_drive_a_merged_update_whatever_the_statistics() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let tenant = fixture.tenant("ours").await.tenant();
    let client = client(&database.app_url).await;
    let begin = Beginning::new(&PostgresOptions::default()).write(Scope::Tenant(tenant));
    client.batch_execute(&begin).await.expect("begins");
    let many = "INSERT INTO users SELECT $1, gen_random_uuid(), 'active', NULL, 0, 0, 1 FROM generate_series(1, 5000)";
    client.execute(many, &[&tenant]).await.expect("inserts");
    let units = (0..200).map(|user| {
        let mut update = update(user, 1);
        update.params[0] = Value::Uuid(tenant);
        unit(vec![update])
    });
    let units: Vec<_> = units.collect();
    let steps = steps(&units.iter().collect::<Vec<_>>());
    let [Step::Merged(merged)] = &steps[..] else { panic!("all of them are one") };
    let typed = |param| (param as &(dyn ToSql + Sync), Shared::announced(param));
    let params: Vec<_> = merged.params.iter().map(typed).collect();
    let explained = client.query_typed(&format!("EXPLAIN {}", merged.text), &params).await.expect("explains");
    let plan = explained.iter().map(|line| line.get::<_, String>(0)).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("Tid Scan on users") && !plan.contains("Hash"), "{plan}");
    assert!(plan.contains("AND (user_id = p"), "{plan}");
}

/// What a distributed database may say of a statement it cannot route.
const NO_ROUTE: &str = "CREATE FUNCTION no_route() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    IF current_query() LIKE '%unnest%' THEN RAISE EXCEPTION 'no route' USING ERRCODE = 'feature_not_supported'; \
    END IF; RETURN NEW; END $$; \
    CREATE TRIGGER no_route BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION no_route()";

#[tokio::test]
async fn a_server_that_refuses_merged_statements_gets_them_one_by_one() {
    let database = database().await;
    client(&database.superuser_url).await.batch_execute(NO_ROUTE).await.unwrap();
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let users = [fixture.stored_user(&vault).await, fixture.stored_user(&vault).await];
    for version in 1..3 {
        let block = |user: &users::UserRow| {
            users::update_standing(&vault, user.user_id, UserState::Blocked, 5, version)
        };
        let units = users.iter().map(|user| unit(vec![block(user)])).collect();
        let answers = fixture.engine().commit(scope, "suite", units).await.expect("commits");
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
}
