//! Migrations go forward, once, and wholly or not at all.

use rusqlite::Connection;

use std::path::Path;

use super::super::directory::with_suffix;
use super::super::header::APPLICATION_ID;
use super::super::migrations::{Migration, PLATFORM, TENANT, check, migrate};
use super::{Folder, sqlite};
use crate::repositories::sessions;
use crate::{Engine, Scope, StorageError};

const FIRST: Migration = Migration { version: 1, name: "first", sql: "CREATE TABLE a (x INTEGER) STRICT" };
const SECOND: Migration = Migration {
    version: 2,
    name: "second",
    sql: "ALTER TABLE a ADD COLUMN y INTEGER; INSERT INTO a VALUES (1, 2)",
};
const BROKEN: Migration = Migration {
    version: 3,
    name: "broken",
    sql: "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (x INTEGER)",
};

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_missing_is_applied_once_and_rows_stay() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &[FIRST], "x").unwrap();
    connection.execute("INSERT INTO a VALUES (7)", []).unwrap();
    for _ in 0..2 {
        migrate(&connection, &[FIRST, SECOND], "x").unwrap();
    }
    assert_eq!(check(&connection, &[FIRST, SECOND], "x"), Ok(2));
    assert_eq!(count(&connection, "SELECT count(*) FROM a"), 2, "the second ran once");
    assert_eq!(count(&connection, "SELECT x FROM a WHERE y IS NULL"), 7);
}

#[test]
fn a_migration_that_fails_leaves_nothing_of_its_run() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &[FIRST], "x").unwrap();
    migrate(&connection, &[FIRST, SECOND, BROKEN], "x").expect_err("a table of that name exists");
    assert!(connection.is_autocommit(), "no transaction stays open");
    assert_eq!(check(&connection, &[FIRST, SECOND, BROKEN], "x"), Ok(1));
    assert_eq!(count(&connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
}

#[test]
fn what_was_applied_must_be_what_is_known() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &[FIRST, SECOND], "x").unwrap();
    let newer = StorageError::NewerSchema { what: "x".to_owned(), found: 2, known: 1 };
    assert_eq!(migrate(&connection, &[FIRST], "x"), Err(newer));
    let changed = Migration { sql: "CREATE TABLE a (x TEXT) STRICT", ..FIRST };
    let refused = StorageError::MigrationChanged { what: "x".to_owned(), version: 1 };
    assert_eq!(migrate(&connection, &[changed, SECOND], "x"), Err(refused));
}

/// Rewrites a tenant's file as the first schema had it, with every row it can hold.
fn as_of_the_first_schema(path: &Path) {
    let older = with_suffix(path, ".older");
    let connection = sqlite(&older);
    connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    migrate(&connection, &TENANT[..1], "older").unwrap();
    // The first versions wrote no statistics.
    connection.execute_batch("DROP TABLE sqlite_stat1; PRAGMA foreign_keys = OFF").unwrap();
    connection.execute("ATTACH ?1 AS newer", [path.to_str().unwrap()]).unwrap();
    let strings = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'schema_migrations'";
    for table in strings(tables) {
        let columns = strings(&format!("SELECT name FROM pragma_table_info('{table}', 'main')")).join(", ");
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
        connection.execute_batch(&copy).unwrap();
    }
    connection.close().unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(with_suffix(path, suffix)).ok();
    }
    std::fs::rename(&older, path).unwrap();
}

#[tokio::test]
async fn a_directory_of_the_first_schema_migrates_with_its_sessions() {
    let folder = Folder::new();
    let (vault, row) = {
        let fixture = folder.fixture().await;
        let vault = fixture.tenant("ours").await;
        let user = fixture.stored_user(&vault).await;
        let row = fixture.session(&vault, user.user_id);
        fixture.commit(&vault, vec![sessions::insert(&vault, &row)], vec![]).await.unwrap();
        fixture.engine().close().await;
        (vault, row)
    };
    let file = folder.file(Scope::Tenant(vault.tenant()));
    as_of_the_first_schema(&file);
    assert_eq!(check(&sqlite(&file), TENANT, "x"), Ok(1));

    let engine = folder.open().unwrap();
    let read = sessions::get(&engine, &vault, row.session_id).await.unwrap().unwrap();
    assert_eq!((read.rotated_at, read.refresh_client), (0, None), "never rotated, nobody's");
    assert_eq!(read, row);
    let rotation = sessions::Rotation {
        session_id: row.session_id,
        expected_version: 1,
        generation: 2,
        hash: [2; 32],
        idle_expires_at: row.idle_expires_at,
        rotated_at: 77,
        client: Some([3; 32]),
    };
    let unit = crate::Unit {
        statements: vec![sessions::rotate_refresh(vault.tenant(), &rotation)],
        entries: vec![],
    };
    engine.commit(Scope::Tenant(vault.tenant()), "suite", vec![unit]).await.unwrap().remove(0).unwrap();
    let read = sessions::get(&engine, &vault, row.session_id).await.unwrap().unwrap();
    assert_eq!((read.rotated_at, read.refresh_client), (77, Some([3; 32])));
    engine.close().await;
    assert_eq!(check(&sqlite(&file), TENANT, "x"), Ok(TENANT.len()));
}

#[test]
fn versions_are_counted_from_one() {
    for set in [PLATFORM, TENANT] {
        let versions: Vec<_> = set.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=set.len() as i64).collect::<Vec<_>>());
    }
}
