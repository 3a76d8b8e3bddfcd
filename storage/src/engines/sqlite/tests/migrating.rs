//! Migrations go forward, once, and wholly or not at all.

use rusqlite::Connection;

use super::super::migrations::{Migration, PLATFORM, TENANT, check, migrate};
use crate::StorageError;

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

#[test]
fn versions_are_counted_from_one() {
    for set in [PLATFORM, TENANT] {
        let versions: Vec<_> = set.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=set.len() as i64).collect::<Vec<_>>());
    }
}
