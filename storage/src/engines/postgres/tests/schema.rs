//! The shape of the tables, and how a schema changes under those who serve.

use super::super::migrations::{KNOWN, LOCK, Migration, apply_all, check};
use super::super::suitability::{TABLES, TENANT_TABLES};
use super::super::{PostgresEngine, PostgresOptions, SchemaState, migrate, schema_state};
use super::{APPLICATION, client, database, empty_database, fixture, url};
use crate::StorageError;
use crate::repositories::{constraint, ledger};

fn options() -> PostgresOptions {
    PostgresOptions::default()
}

#[tokio::test]
async fn the_lists_of_tables_are_those_of_the_catalogue() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    let names = async |text: &str| -> Vec<String> {
        let rows = superuser.query(text, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let sorted = |names: &[&str]| {
        let mut names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    };
    let all = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
               ORDER BY relname::text COLLATE \"C\"";
    assert_eq!(names(all).await, sorted(TABLES));
    let of_tenants = "SELECT polrelid::regclass::text FROM pg_policy WHERE polname = 'tenant' \
                      ORDER BY polrelid::regclass::text COLLATE \"C\"";
    let mut expected = TENANT_TABLES.to_vec();
    expected.push("ledger_heads");
    assert_eq!(names(of_tenants).await, sorted(&expected));
}

#[tokio::test]
async fn tenant_id_comes_first_in_every_key_and_index_of_a_tenant() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    let text = "SELECT i.indexrelid::regclass::text, a.attname::text, i.indisprimary FROM pg_index i \
                JOIN pg_policy p ON p.polrelid = i.indrelid AND p.polname = 'tenant' \
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]";
    let indexes = superuser.query(text, &[]).await.unwrap();
    let primary = indexes.iter().filter(|row| row.get(2)).count();
    assert_eq!(primary, TENANT_TABLES.len() + 1, "every table has a primary key");
    for index in &indexes {
        assert_eq!(index.get::<_, &str>(1), "tenant_id", "{}", index.get::<_, &str>(0));
    }
    let text = "SELECT c.conname::text, a.attname::text FROM pg_constraint c \
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'";
    for reference in superuser.query(text, &[]).await.unwrap() {
        assert_eq!(reference.get::<_, &str>(1), "tenant_id", "{}", reference.get::<_, &str>(0));
    }
}

#[tokio::test]
async fn looking_into_the_ledger_uses_the_index_made_for_it() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    superuser.batch_execute("SET enable_seqscan = off").await.unwrap();
    let texts = [
        (ledger::CHANGES, "ledger_entries_changes"),
        (ledger::OF_SUBJECT_UPWARD, "ledger_entries_subject"),
        (ledger::OF_SUBJECT_DOWNWARD, "ledger_entries_subject"),
        (ledger::OF_ACTOR_UPWARD, "ledger_entries_actor"),
        (ledger::OF_ACTOR_DOWNWARD, "ledger_entries_actor"),
    ];
    for (text, index) in texts {
        let plan = format!("EXPLAIN {text}")
            .replace("$1", "'00000000-0000-0000-0000-000000000000'")
            .replace("$2", "0")
            .replace("$3", "1")
            .replace("$4", "1")
            .replace("$5", "'usr_1'");
        let lines = superuser.query(&plan, &[]).await.unwrap();
        let plan = lines.iter().map(|line| line.get(0)).collect::<Vec<String>>().join("\n");
        assert!(plan.contains(index), "{plan}");
    }
}

#[tokio::test]
async fn uniqueness_rules_carry_their_portable_names() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    for (table, columns, name) in constraint::KEYS {
        let text = "SELECT array(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
                    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place) \
                    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                    WHERE c.relname = $1 AND i.indrelid = $2::text::regclass AND i.indisunique";
        let found: Vec<String> = superuser.query_one(text, &[name, table]).await.expect(name).get(0);
        assert_eq!(found, *columns, "{name}");
    }
}

#[tokio::test]
async fn migrating_twice_and_at_once_applies_once() {
    let database = empty_database().await;
    let before = schema_state(&url(&database.app_url), &options()).await;
    let pending: Vec<_> = KNOWN.iter().map(|migration| migration.name).collect();
    let known = KNOWN.last().unwrap().version;
    assert_eq!(before, Ok(SchemaState { found: 0, known, pending }));
    let refused = PostgresEngine::open(&url(&database.app_url), options()).await.err();
    assert_eq!(refused, Some(StorageError::OlderSchema { found: 0, needed: known }));

    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let owner = url(&database.owner_url);
        tasks.spawn(async move { migrate(&owner, APPLICATION, &options()).await });
    }
    let done: Vec<_> = tasks.join_all().await.into_iter().map(|done| done.expect("migrates")).collect();
    assert_eq!(done.iter().map(|done| done.applied.len()).sum::<usize>(), KNOWN.len());
    assert!(done.iter().all(|done| done.version == known));
    for url in [url(&database.app_url), url(&database.owner_url)] {
        assert_eq!(
            schema_state(&url, &options()).await,
            Ok(SchemaState { found: known, known, pending: vec![] })
        );
    }
}

/// What the next versions of Plinto might bring.
fn known_by(versions: i64, oldest_compatible: i64) -> &'static [Migration] {
    let mut known = KNOWN.to_vec();
    for version in known.len() as i64 + 1..=versions {
        let sql = "ALTER TABLE users ADD COLUMN IF NOT EXISTS nickname bytea";
        known.push(Migration { version, name: "next", sql, oldest_compatible });
    }
    known.leak()
}

#[tokio::test]
async fn a_newer_schema_is_served_while_it_allows_it() {
    let database = database().await;
    let serving = fixture(&database, options()).await;
    let vault = serving.tenant("ours").await;
    let now = KNOWN.len() as i64;
    let owner = url(&database.owner_url);
    apply_all(&owner, APPLICATION, &options(), known_by(now + 1, now)).await.expect("expands");
    serving.stored_user(&vault).await;
    super::open(&database, options()).await;
    let state = schema_state(&owner, &options()).await.expect("reads");
    assert_eq!((state.found, state.known, state.pending.len()), (now + 1, now, 0));

    apply_all(&owner, APPLICATION, &options(), known_by(now + 2, now + 2)).await.expect("contracts");
    let refused = PostgresEngine::open(&url(&database.app_url), options()).await.err();
    let newer = StorageError::NewerSchema { what: "the database".to_owned(), found: now + 2, known: now };
    assert_eq!(refused, Some(newer.clone()));
    assert_eq!(migrate(&owner, APPLICATION, &options()).await, Err(newer));

    // A build that knows more than the database has.
    let line = super::super::connect::Connector::new(&owner, &options(), tokio::runtime::Handle::current())
        .unwrap()
        .connect()
        .await
        .unwrap();
    super::super::migrations::begin(&line.client).await.unwrap();
    let older = check(&line.client, known_by(now + 3, now)).await.expect_err("is older").storage();
    assert_eq!(older, StorageError::OlderSchema { found: now + 2, needed: now + 3 });
}

#[tokio::test]
async fn a_changed_migration_is_refused_and_a_failing_one_leaves_nothing() {
    let database = database().await;
    let owner = url(&database.owner_url);
    let mut failing = KNOWN.to_vec();
    failing.push(Migration {
        version: KNOWN.len() as i64 + 1,
        name: "fails halfway",
        sql: "CREATE TABLE half (id bigint); SELECT nonsense",
        oldest_compatible: 1,
    });
    apply_all(&owner, APPLICATION, &options(), failing.leak()).await.expect_err("is not valid");
    let superuser = client(&database.superuser_url).await;
    let there: bool = superuser.query_one("SELECT to_regclass('half') IS NULL", &[]).await.unwrap().get(0);
    assert!(there, "nothing of it is left");

    superuser.batch_execute("UPDATE schema_migrations SET checksum = sha256('other')").await.unwrap();
    let changed = StorageError::MigrationChanged { what: "the database".to_owned(), version: 1 };
    let refused = PostgresEngine::open(&url(&database.app_url), options()).await.err();
    assert_eq!(refused, Some(changed.clone()));
    assert_eq!(migrate(&owner, APPLICATION, &options()).await, Err(changed.clone()));
    assert_eq!(schema_state(&owner, &options()).await, Err(changed));
}

#[tokio::test]
async fn a_migration_that_does_not_end_is_named_to_the_next() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    superuser.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.expect("locks");
    let options = PostgresOptions {
        migration_wait: std::time::Duration::from_millis(100),
        ..PostgresOptions::default()
    };
    let refused = migrate(&url(&database.owner_url), APPLICATION, &options).await;
    let Err(StorageError::Unavailable { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("another migration"), "{reason}");
}

/// A server that accepts connections and then says nothing.
#[tokio::test]
async fn looking_at_a_database_that_hangs_ends_by_itself() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    superuser
        .batch_execute("BEGIN; LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("locks");
    let (at, options) = (url(&database.app_url), options());
    let (opened, looked) =
        tokio::join!(PostgresEngine::open(&at, options.clone()), schema_state(&at, &options));
    for answer in [opened.err(), looked.err()] {
        assert!(matches!(answer, Some(StorageError::Unavailable { .. })), "{answer:?}");
    }
}
