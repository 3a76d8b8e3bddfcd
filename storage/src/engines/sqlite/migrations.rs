//! Forward-only, checksummed migrations of one database file.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::failure::storage_error;
use super::statistics;
use crate::error::StorageError;

/// One step of a schema. Its text never changes once released.
#[derive(Copy, Clone, Debug)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

pub(super) const PLATFORM: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("migrations/platform/0001_initial.sql") },
    Migration { version: 2, name: "api_keys", sql: include_str!("migrations/platform/0002_api_keys.sql") },
];

pub(super) const TENANT: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("migrations/tenant/0001_initial.sql") },
    Migration {
        version: 2,
        name: "refresh_grace",
        sql: include_str!("migrations/tenant/0002_refresh_grace.sql"),
    },
    Migration {
        version: 3,
        name: "audit_look_ups",
        sql: include_str!("migrations/tenant/0003_audit_look_ups.sql"),
    },
    Migration { version: 4, name: "outbox", sql: include_str!("migrations/tenant/0004_outbox.sql") },
    Migration {
        version: 5,
        name: "session_last_seen",
        sql: include_str!("migrations/tenant/0005_session_last_seen.sql"),
    },
    Migration {
        version: 6,
        name: "kept_answers",
        sql: include_str!("migrations/tenant/0006_kept_answers.sql"),
    },
    Migration {
        version: 7,
        name: "authorization",
        sql: include_str!("migrations/tenant/0007_authorization.sql"),
    },
    Migration {
        version: 8,
        name: "user_profiles",
        sql: include_str!("migrations/tenant/0008_user_profiles.sql"),
    },
    Migration {
        version: 9,
        name: "one_time_tokens",
        sql: include_str!("migrations/tenant/0009_one_time_tokens.sql"),
    },
    Migration { version: 10, name: "privacy", sql: include_str!("migrations/tenant/0010_privacy.sql") },
    Migration {
        version: 11,
        name: "organizations",
        sql: include_str!("migrations/tenant/0011_organizations.sql"),
    },
    Migration { version: 12, name: "flags", sql: include_str!("migrations/tenant/0012_flags.sql") },
    Migration {
        version: 13,
        name: "user_imports",
        sql: include_str!("migrations/tenant/0013_user_imports.sql"),
    },
    Migration {
        version: 14,
        name: "password_history",
        sql: include_str!("migrations/tenant/0014_password_history.sql"),
    },
    Migration {
        version: 15,
        name: "user_avatars",
        sql: include_str!("migrations/tenant/0015_user_avatars.sql"),
    },
    Migration {
        version: 16,
        name: "organization_invitations",
        sql: include_str!("migrations/tenant/0016_organization_invitations.sql"),
    },
    Migration {
        version: 17,
        name: "user_invitations",
        sql: include_str!("migrations/tenant/0017_user_invitations.sql"),
    },
    Migration { version: 18, name: "policies", sql: include_str!("migrations/tenant/0018_policies.sql") },
    Migration {
        version: 19,
        name: "active_organizations",
        sql: include_str!("migrations/tenant/0019_active_organizations.sql"),
    },
    Migration { version: 20, name: "clients", sql: include_str!("migrations/tenant/0020_clients.sql") },
    Migration {
        version: 21,
        name: "authorizations",
        sql: include_str!("migrations/tenant/0021_authorizations.sql"),
    },
    Migration {
        version: 22,
        name: "used_proofs",
        sql: include_str!("migrations/tenant/0022_used_proofs.sql"),
    },
];

const REGISTER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum BLOB NOT NULL
) STRICT";

/// Refuses a file whose applied migrations are not a prefix of `known`; returns how many are applied.
pub(super) fn check(connection: &Connection, known: &[Migration], file: &str) -> Result<usize, StorageError> {
    let failed = |error: rusqlite::Error| storage_error(&error, file);
    let registered: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'", [], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    if registered.is_none() {
        return Ok(0);
    }
    let mut statement = connection
        .prepare_cached("SELECT version, checksum FROM schema_migrations ORDER BY version")
        .map_err(failed)?;
    let applied: Vec<(i64, Vec<u8>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(failed)?;
    let newest = known.last().map_or(0, |migration| migration.version);
    if let Some((found, _)) = applied.last().filter(|(version, _)| *version > newest) {
        return Err(StorageError::NewerSchema { what: file.to_owned(), found: *found, known: newest });
    }
    for (index, (version, checksum)) in applied.iter().enumerate() {
        let same = known
            .get(index)
            .is_some_and(|migration| migration.version == *version && *checksum == sum(migration));
        if !same {
            return Err(StorageError::MigrationChanged { what: file.to_owned(), version: *version });
        }
    }
    Ok(applied.len())
}

/// Applies what is missing, in one transaction.
pub(super) fn migrate(connection: &Connection, known: &[Migration], file: &str) -> Result<(), StorageError> {
    if check(connection, known, file)? == known.len() {
        return Ok(());
    }
    let failed = |error: rusqlite::Error| storage_error(&error, file);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let outcome = apply_missing(connection, known, file)
        .and_then(|()| connection.execute_batch("COMMIT").map_err(failed));
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(failed)?;
    }
    outcome
}

fn apply_missing(connection: &Connection, known: &[Migration], file: &str) -> Result<(), StorageError> {
    let failed = |error: rusqlite::Error| storage_error(&error, file);
    connection.execute_batch(REGISTER).map_err(failed)?;
    // Again, under the lock: another connection may have migrated meanwhile.
    let applied = check(connection, known, file)?;
    for migration in &known[applied..] {
        connection.execute_batch(migration.sql).map_err(failed)?;
        connection
            .execute(
                "INSERT INTO schema_migrations (version, name, checksum) VALUES (?1, ?2, ?3)",
                params![migration.version, migration.name, sum(migration)],
            )
            .map_err(failed)?;
    }
    if is_of_one_tenant(connection).map_err(failed)? {
        statistics::write(connection).map_err(failed)?;
    }
    Ok(())
}

/// Only the platform's file registers tenants.
fn is_of_one_tenant(connection: &Connection) -> rusqlite::Result<bool> {
    let register = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tenants'", [], |_| Ok(()))
        .optional()?;
    Ok(register.is_none())
}

fn sum(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}
