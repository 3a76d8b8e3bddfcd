//! One database file read by itself, without the lock of its data directory and without writing to it.
//!
//! SQLite may leave an empty log beside a file of a stopped server: to promise it that the file does not
//! change (`immutable`) would be a lie whenever a server starts meanwhile.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use uuid::Uuid;

use super::connection::{harden, integrity, schema};
use super::directory::create_private;
use super::failure::storage_error;
use super::{SqliteOptions, header, migrations, transaction};
use crate::engine::Scope;
use crate::error::StorageError;
use crate::ledger::{
    BadEntry, Checkpoint, Entry, Head, Verified, Verifier, VerifyError, decode_checkpoint, decode_entry,
    decode_head,
};
use crate::repositories::{ledger, ledger_checkpoints, tenants};

const PAGE: u32 = 1_000;

/// What a ledger is made of.
pub(crate) enum LedgerPart {
    /// Its last link, and where it begins.
    Ends {
        /// Its last link.
        head: Head,
        /// Where it begins, if its oldest entries were pruned.
        checkpoint: Option<Checkpoint>,
    },
    /// An entry.
    Entry(Entry),
}

/// A database file, of a running server or of a backup, opened for reading only.
pub(crate) struct OfflineFile {
    connection: Connection,
    name: String,
    scope: Scope,
}

impl OfflineFile {
    /// `Ok(None)` when there is no such file.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, StorageError> {
        if !header::check(path)? {
            return Ok(None);
        }
        let name = path.display().to_string();
        let failed = |error: rusqlite::Error| storage_error(&error, &name);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        harden(&connection, &SqliteOptions::default()).map_err(failed)?;
        let owner: Option<Vec<u8>> = connection
            .query_row("SELECT tenant_id FROM file_identity", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let scope = owner
            .and_then(|bytes| Uuid::from_slice(&bytes).ok())
            .map(Scope::of)
            .ok_or_else(|| StorageError::corrupt(name.clone()))?;
        migrations::check(&connection, schema(scope), &name)?;
        Ok(Some(Self { connection, name, scope }))
    }

    /// Whose file it says it is.
    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// Tenants a platform database lists as served, in order of id.
    pub(crate) fn active_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        let rows = transaction::query(&self.connection, &self.name, &tenants::active())?;
        rows.into_iter().map(tenants::id).collect()
    }

    /// Tenants a platform database lists as served, with their slugs, in order of id.
    pub(crate) fn register(&self) -> Result<Vec<(Uuid, String)>, StorageError> {
        let rows = transaction::query(&self.connection, &self.name, &tenants::register())?;
        rows.into_iter().map(tenants::id_and_slug).collect()
    }

    /// Where the ledger begins, if its oldest entries were pruned. A file that has no such table is older than pruning.
    fn checkpoint(&self, snapshot: &Connection) -> Result<Option<Checkpoint>, StorageError> {
        let known: Option<i64> = snapshot
            .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'ledger_checkpoints'", [], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(&error))?;
        if known.is_none() {
            return Ok(None);
        }
        let rows = transaction::query(snapshot, &self.name, &ledger_checkpoints::latest(self.scope.id()))?;
        rows.into_iter().next().map(decode_checkpoint).transpose()
    }

    /// Hands the ledger as of now to `visit`: how it begins and ends, then every entry.
    pub(crate) fn read_ledger(
        &self,
        mut visit: impl FnMut(LedgerPart) -> Result<(), StorageError>,
    ) -> Result<Head, StorageError> {
        let id = self.scope.id();
        // One read transaction, so that head and entries belong together while a server writes.
        let snapshot = self.connection.unchecked_transaction().map_err(|error| self.failed(&error))?;
        let head = transaction::query(&snapshot, &self.name, &ledger::head(id))?;
        let head = head.into_iter().next().map(decode_head).transpose()?;
        let head =
            head.ok_or_else(|| StorageError::corrupt(format!("{} (its ledger has no head)", self.name)))?;
        visit(LedgerPart::Ends { head, checkpoint: self.checkpoint(&snapshot)? })?;
        let mut after = 0;
        loop {
            let rows = transaction::query(&snapshot, &self.name, &ledger::page(id, after, PAGE))?;
            if rows.is_empty() {
                return Ok(head);
            }
            for row in rows {
                let entry = decode_entry(row)?;
                after = entry.seq;
                visit(LedgerPart::Entry(entry))?;
            }
        }
    }

    /// Writes a consistent copy as of now; a server may go on writing meanwhile.
    pub(crate) fn copy_to(&self, target: &Path) -> Result<(), StorageError> {
        let file = create_private(target)?;
        let text = target
            .to_str()
            .ok_or_else(|| StorageError::unavailable("the path of the copy is not UTF-8, choose another"))?;
        self.connection
            .execute("VACUUM INTO ?1", [text])
            .map_err(|error| storage_error(&error, &self.name))?;
        file.sync_all().map_err(|error| super::directory::refused(&error, "sync", target))
    }

    /// Checks every page, index and constraint, then the ledger from its first entry to its head.
    pub(crate) fn verify(&self, progress: &mut dyn FnMut(i64, i64)) -> Result<Verified, VerifyError> {
        integrity(&self.connection, &self.name)?;
        let id = self.scope.id();
        // One read transaction, so that head and entries belong together while a server writes.
        let snapshot = self.connection.unchecked_transaction().map_err(|error| self.failed(&error))?;
        let head = transaction::query(&snapshot, &self.name, &ledger::head(id))?;
        let head = head.into_iter().next().map(decode_head).transpose()?;
        let mut verifier = Verifier::behind(id, self.checkpoint(&snapshot)?.as_ref())?;
        let head = head.ok_or_else(|| verifier.bad(BadEntry::NoHead))?;
        // From the very first entry that is there: nothing may stand before the checkpoint.
        let mut after = 0;
        loop {
            let rows = transaction::query(&snapshot, &self.name, &ledger::page(id, after, PAGE))?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                verifier.push(&decode_entry(row)?)?;
            }
            after = verifier.position().seq;
            progress(verifier.position().seq, head.seq);
        }
        verifier.finish(head)
    }

    fn failed(&self, error: &rusqlite::Error) -> StorageError {
        storage_error(error, &self.name)
    }
}

/// Verifies structure and ledger of one database file, offline or beside a running server, reading only.
/// `progress` is called with (verified, total) entries.
pub fn verify_file(path: &Path, progress: &mut dyn FnMut(i64, i64)) -> Result<Verified, VerifyError> {
    let file = OfflineFile::open(path)?.ok_or_else(|| {
        StorageError::unavailable(format!("{} does not exist, check the path", path.display()))
    })?;
    file.verify(progress)
}
