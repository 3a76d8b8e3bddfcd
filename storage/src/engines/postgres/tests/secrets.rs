//! No text, log or `Debug` holds a password or a value.

use super::super::value::{Column, Param};
use super::super::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use super::{APPLICATION, database, fixture, url};
use crate::repositories::users;
use crate::{Scope, Statement, StorageError, UnitError, Value};

const SECRET: &str = "hunter2secret";

#[test]
fn a_url_hides_its_password() {
    let text = format!("postgres://plinto:{SECRET}@db.example:5433/identity?sslmode=require");
    let parsed = url(&text);
    assert_eq!(parsed.to_string(), "postgres://plinto:***@db.example:5433/identity");
    assert_eq!(format!("{parsed:?}"), "DatabaseUrl(postgres://plinto:***@db.example:5433/identity)");
    assert_eq!(parsed.user(), "plinto");
}

#[test]
fn what_is_wrong_with_a_url_is_said_without_quoting_it() {
    for text in [
        format!("mysql://plinto:{SECRET}@h/d"),
        format!("postgres://plinto:{SECRET}@h/d?sslmode=sometimes"),
        format!("postgres://plinto:{SECRET}@h/d?unknown={SECRET}"),
        format!("postgres://plinto:{SECRET}@h:port/d"),
        format!("postgres://plinto:{SECRET}@h"),
        format!("postgres://:{SECRET}@h/d"),
        format!("postgres://plinto:{SECRET}@/d"),
        format!("host=h password={SECRET}"),
        String::new(),
    ] {
        let refused = DatabaseUrl::parse(&text).expect_err(&text);
        assert!(matches!(refused, StorageError::Unsuitable { .. }), "{refused:?}");
        assert!(!format!("{refused} {refused:?}").contains(SECRET), "{refused}");
    }
}

#[tokio::test]
async fn a_refused_password_is_not_repeated() {
    let database = database().await;
    let (before, at) = database.app_url.rsplit_once('@').unwrap();
    let (before, _) = before.rsplit_once(':').unwrap();
    let wrong = url(&format!("{before}:{SECRET}@{at}"));
    let refused = PostgresEngine::open(&wrong, PostgresOptions::default()).await.expect_err("is wrong");
    assert!(matches!(refused, StorageError::Unsuitable { .. }), "{refused:?}");
    assert!(!format!("{refused} {refused:?}").contains(SECRET));
    let refused = migrate(&wrong, APPLICATION, &PostgresOptions::default()).await.expect_err("is wrong");
    assert!(!format!("{refused} {refused:?}").contains(SECRET));
    let without = url(&format!("{before}@{at}"));
    let refused = PostgresEngine::open(&without, PostgresOptions::default()).await;
    assert!(matches!(refused, Err(StorageError::Unsuitable { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_refused_value_is_not_repeated() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let tenant = Value::from(vault.tenant());
    let insert = |state: Value, user: Value| {
        Statement::new(
            users::INSERT,
            vec![tenant.clone(), user, state, Value::Null, 1i64.into(), 1i64.into(), 1i64.into()],
        )
    };
    let mut short = insert("active".into(), fixture.id().into());
    short.params.pop();
    let cases = [
        insert(SECRET.into(), fixture.id().into()),
        insert("active".into(), SECRET.into()),
        insert(7i64.into(), fixture.id().into()),
        insert("active".into(), Value::Null),
        short,
    ];
    for statement in cases {
        // Alone it travels with its types, twice it is prepared: the same refusal.
        for statements in [vec![statement.clone()], vec![statement.clone(), statement.clone()]] {
            let refused = fixture.commit(&vault, statements, vec![]).await.expect_err("is refused");
            assert!(matches!(refused, UnitError::Invalid(_)), "{refused:?}");
            assert!(!format!("{refused} {refused:?}").contains(SECRET), "{refused}");
        }
    }
    let read = Statement::new(users::GET, vec![tenant, SECRET.into()]);
    let refused = fixture.engine().read(Scope::Tenant(vault.tenant()), read).await.expect_err("is refused");
    assert!(matches!(refused, StorageError::Misuse { .. }), "{refused:?}");
    assert!(!format!("{refused} {refused:?}").contains(SECRET), "{refused}");
}

#[test]
fn parameters_show_their_kind_only() {
    let value = Value::from(SECRET);
    assert_eq!(format!("{:?}", Param(&value)), "Param(Text(..))");
    assert_eq!(format!("{:?}", Column(&[SECRET])), "Column(1 values)");
}
