use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;
use uuid::Uuid;

use super::connection::{self, Role};
use super::directory::DataDirectory;
use super::options::SqliteOptions;
use crate::engine::Scope;
use crate::error::StorageError;

/// Where databases are.
pub(super) enum Place {
    /// Files of a data directory, which stays locked while any thread holds this.
    Directory(DataDirectory),
    /// Memory: a database exists only as the open connection of its writer thread.
    Memory,
}

/// What all threads of an engine share.
pub(super) struct Shared {
    pub(super) place: Place,
    pub(super) options: SqliteOptions,
    /// Open connections of all threads.
    pub(super) open: AtomicU64,
    /// Page limit of every file, 0 for none; changes reach open connections with their next job.
    pub(super) max_pages: AtomicU32,
    /// Tenants that exist in memory.
    pub(super) in_memory: Mutex<BTreeSet<Uuid>>,
}

struct OpenFile {
    connection: Connection,
    name: String,
    used: u64,
    max_pages: u32,
}

/// The databases one thread has open, least recently used closed first.
pub(super) struct OpenFiles {
    shared: Arc<Shared>,
    role: Role,
    clock: u64,
    open: HashMap<Scope, OpenFile>,
}

impl OpenFiles {
    pub(super) fn new(shared: Arc<Shared>, role: Role) -> Self {
        Self { shared, role, clock: 0, open: HashMap::new() }
    }

    /// Runs `job` on the database of `scope`, opening it if need be. `job` also gets its name for errors.
    /// After an input/output error the connection is closed: what it has cached may not be on the disk.
    pub(super) fn with<T>(
        &mut self,
        scope: Scope,
        job: impl FnOnce(&Connection, &str) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.clock += 1;
        if !self.open.contains_key(&scope) {
            self.open(scope)?;
        }
        let file = self.open.get_mut(&scope).ok_or(StorageError::UnknownTenant)?;
        file.used = self.clock;
        let limit = self.shared.max_pages.load(Ordering::Relaxed);
        if file.max_pages != limit {
            let pages = if limit == 0 { u32::MAX - 1 } else { limit };
            file.connection
                .pragma_update(None, "max_page_count", pages)
                .map_err(|error| super::failure::storage_error(&error, &file.name))?;
            file.max_pages = limit;
        }
        let outcome = job(&file.connection, &file.name);
        let suspect = matches!(outcome, Err(StorageError::Unavailable { .. } | StorageError::Corrupt { .. }));
        if suspect && matches!(self.shared.place, Place::Directory(_)) {
            self.close(scope);
        }
        outcome
    }

    fn open(&mut self, scope: Scope) -> Result<(), StorageError> {
        let shared = Arc::clone(&self.shared);
        let Place::Directory(directory) = &shared.place else {
            // The platform always exists, a tenant only once it was created.
            let platform = scope == Scope::Platform;
            return if platform { self.create(scope) } else { Err(StorageError::UnknownTenant) };
        };
        let found = connection::open(&directory.layout, scope, self.role, &shared.options)?;
        let connection = found.ok_or(StorageError::UnknownTenant)?;
        if self.open.len() >= shared.options.open_files.max(1) {
            self.close_oldest();
        }
        let name = directory.layout.file(scope).display().to_string();
        self.keep(scope, connection, name);
        Ok(())
    }

    fn keep(&mut self, scope: Scope, connection: Connection, name: String) {
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        self.open.insert(scope, OpenFile { connection, name, used: self.clock, max_pages: 0 });
    }

    /// Makes the database of `scope` unless there is one.
    pub(super) fn create(&mut self, scope: Scope) -> Result<(), StorageError> {
        match &self.shared.place {
            Place::Directory(directory) => connection::create(&directory.layout, scope, &self.shared.options),
            Place::Memory if self.open.contains_key(&scope) => Ok(()),
            Place::Memory => {
                let connection = connection::in_memory(scope, &self.shared.options)?;
                self.keep(scope, connection, "the database in memory".to_owned());
                if let Scope::Tenant(tenant) = scope {
                    self.shared.in_memory.lock().insert(tenant);
                }
                Ok(())
            }
        }
    }

    /// Closes and removes the database of `scope`.
    pub(super) fn destroy(&mut self, scope: Scope) -> Result<(), StorageError> {
        self.close(scope);
        match &self.shared.place {
            Place::Directory(directory) => directory.layout.remove(scope),
            Place::Memory => {
                self.shared.in_memory.lock().remove(&scope.id());
                Ok(())
            }
        }
    }

    fn close_oldest(&mut self) {
        let oldest = self.open.iter().min_by_key(|(_, file)| file.used).map(|(scope, _)| *scope);
        if let Some(scope) = oldest {
            self.close(scope);
        }
    }

    pub(super) fn close(&mut self, scope: Scope) {
        let Some(file) = self.open.remove(&scope) else { return };
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
        if let Err((_, error)) = file.connection.close() {
            let code = error.sqlite_extended_error_code();
            tracing::warn!(file = %file.name, ?code, "closing a database failed");
        }
    }
}

impl Drop for OpenFiles {
    fn drop(&mut self) {
        let scopes: Vec<_> = self.open.keys().copied().collect();
        scopes.into_iter().for_each(|scope| self.close(scope));
    }
}
