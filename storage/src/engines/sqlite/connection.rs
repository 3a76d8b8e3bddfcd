use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use uuid::Uuid;

use super::directory::{Layout, create_private, refused, sync_folder, with_suffix};
use super::failure::storage_error;
use super::header::{self, APPLICATION_ID};
use super::migrations::{self, Migration};
use super::options::SqliteOptions;
use crate::engine::Scope;
use crate::error::StorageError;
use crate::ledger::chain;
use crate::repositories::ledger;

/// Prepared statements kept per connection; more than there are texts.
const STATEMENTS: usize = 128;

/// What a connection is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

pub(super) fn schema(scope: Scope) -> &'static [Migration] {
    match scope {
        Scope::Platform => migrations::PLATFORM,
        Scope::Tenant(_) => migrations::TENANT,
    }
}

/// Opens an existing file: nothing is written before header, schema and identity are found good.
/// `Ok(None)` when there is no file.
pub(super) fn open(
    layout: &Layout,
    scope: Scope,
    role: Role,
    options: &SqliteOptions,
) -> Result<Option<Connection>, StorageError> {
    let path = layout.file(scope);
    if !header::check(&path)? {
        return Ok(None);
    }
    let file = path.display().to_string();
    let failed = |error: rusqlite::Error| storage_error(&error, &file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
    harden(&connection, options).map_err(failed)?;
    migrations::check(&connection, schema(scope), &file)?;
    identify(&connection, scope, &file)?;
    migrations::migrate(&connection, schema(scope), &file)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").map_err(failed)?;
    if role == Role::Reader {
        // A reader that closes last must not checkpoint: that would be an fsync on a reading thread.
        connection.execute_batch("PRAGMA query_only = ON").map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    }
    Ok(Some(connection))
}

/// Creates the file of a scope unless it exists. It appears under its name complete or not at all.
pub(super) fn create(layout: &Layout, scope: Scope, options: &SqliteOptions) -> Result<(), StorageError> {
    let path = layout.file(scope);
    if header::check(&path)? {
        return Ok(());
    }
    let draft = with_suffix(&path, ".creating");
    let beside = ["-journal", "-wal", "-shm"].map(|suffix| with_suffix(&draft, suffix));
    for leftover in beside.into_iter().chain([draft.clone()]) {
        match std::fs::remove_file(&leftover) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(refused(&error, "remove", &leftover));
            }
            Ok(()) | Err(_) => {}
        }
    }
    drop(create_private(&draft)?);
    initialize(&draft, scope, options)?;
    std::fs::rename(&draft, &path).map_err(|error| refused(&error, "create", &path))?;
    sync_folder(path.parent().unwrap_or(&layout.root))
}

fn initialize(draft: &Path, scope: Scope, options: &SqliteOptions) -> Result<(), StorageError> {
    let file = draft.display().to_string();
    let failed = |error: rusqlite::Error| storage_error(&error, &file);
    let connection = Connection::open(draft).map_err(failed)?;
    harden(&connection, options).map_err(failed)?;
    connection.execute_batch("PRAGMA synchronous = FULL").map_err(failed)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    furnish(&connection, scope, &file)?;
    // Now, not when it is opened first: whoever only reads could not finish a change of mode that a crash cut off. The
    // last connection to close leaves no log.
    connection.execute_batch("PRAGMA journal_mode = WAL").map_err(failed)?;
    connection.close().map_err(|(_, error)| failed(error))
}

/// A database that lives in memory and only in this connection.
pub(super) fn in_memory(scope: Scope, options: &SqliteOptions) -> Result<Connection, StorageError> {
    let failed = |error: rusqlite::Error| storage_error(&error, "the database in memory");
    let connection = Connection::open_in_memory().map_err(failed)?;
    harden(&connection, options).map_err(failed)?;
    furnish(&connection, scope, "the database in memory")?;
    Ok(connection)
}

/// Schema, identity and the genesis of the ledger.
fn furnish(connection: &Connection, scope: Scope, file: &str) -> Result<(), StorageError> {
    let failed = |error: rusqlite::Error| storage_error(&error, file);
    migrations::migrate(connection, schema(scope), file)?;
    let head = chain::genesis(scope.id());
    connection
        .execute("INSERT OR IGNORE INTO file_identity (tenant_id) VALUES (?1)", [scope.id().as_bytes()])
        .and_then(|_| {
            let id = scope.id();
            connection.execute(ledger::CREATE_HEAD, (id.as_bytes(), head.seq, head.hash))
        })
        .map_err(failed)?;
    Ok(())
}

/// Settings every connection has, whatever it is for.
pub(super) fn harden(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Otherwise a statement with a bound limit is parsed and planned again each time it runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; \
         PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024",
    )
}

/// The file must say it belongs to the scope it is opened for.
fn identify(connection: &Connection, scope: Scope, file: &str) -> Result<(), StorageError> {
    let found: Option<Vec<u8>> = connection
        .query_row("SELECT tenant_id FROM file_identity", [], |row| row.get(0))
        .optional()
        .map_err(|error| storage_error(&error, file))?;
    let found = found.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    if found == Some(scope.id()) {
        return Ok(());
    }
    Err(StorageError::corrupt(format!("{file} (it is the file of another tenant)")))
}

/// Reads every page and index and checks all constraints.
pub(super) fn integrity(connection: &Connection, file: &str) -> Result<(), StorageError> {
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| storage_error(&error, file))?;
    if verdict == "ok" { Ok(()) } else { Err(StorageError::corrupt(file)) }
}
