//! The embedded engine: SQLite in WAL mode with `synchronous = FULL`, `platform.db` and one file per tenant.
//!
//! Writers and readers have threads of their own, so a slow fsync of one tenant stalls no read. A scope
//! always has the same writing thread, so writers of one file never contend. Tenant files are opened
//! when first used and closed again, least recently used first.

mod connection;
pub(crate) mod directory;
mod failure;
mod files;
mod header;
mod inspect;
mod migrations;
mod offline;
mod options;
mod statistics;
mod threads;
mod transaction;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use self::connection::Role;
use self::directory::DataDirectory;
use self::files::{OpenFiles, Place, Shared};
pub use self::inspect::{RegisteredTenant, export_file, registered_tenants};
pub(crate) use self::offline::OfflineFile;
pub use self::offline::verify_file;
pub use self::options::SqliteOptions;
use self::threads::Threads;
use crate::engine::{Counters, Engine, EngineHealth, Receipt, Row, Scope, Statement, Unit, guard};
use crate::error::{StorageError, UnitError};
use crate::repositories::write_probe;

/// How long a health check waits for an answer.
const PROBE: Duration = Duration::from_secs(1);
/// Attempts at a transaction that meets a lock of another process.
const ATTEMPTS: u32 = 3;

/// The embedded engine. Dropping it without [`close`](Engine::close) ends its threads after their queues; the
/// data directory is free again when the last of them has ended.
pub struct SqliteEngine {
    shared: Arc<Shared>,
    writers: Threads,
    readers: Option<Threads>,
    counters: Counters,
    last_write: LastWrite,
}

impl std::fmt::Debug for SqliteEngine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SqliteEngine(..)")
    }
}

impl SqliteEngine {
    /// Takes the data directory, creating it if missing, and checks the platform database in full.
    /// Tenant files are not touched. Blocks: call it before the runtime serves anything.
    pub fn open(root: &Path, options: SqliteOptions) -> Result<Self, StorageError> {
        let directory = DataDirectory::claim(root)?;
        let layout = &directory.layout;
        let present = layout.file(Scope::Platform).exists();
        if !present && !layout.list()?.is_empty() {
            let lost = layout.file(Scope::Platform).display().to_string();
            return Err(StorageError::corrupt(format!("{lost} (it is missing beside files of tenants)")));
        }
        connection::create(layout, Scope::Platform, &options)?;
        let platform = connection::open(layout, Scope::Platform, Role::Reader, &options)?
            .ok_or_else(|| StorageError::corrupt("the platform database"))?;
        connection::integrity(&platform, &layout.file(Scope::Platform).display().to_string())?;
        drop(platform);
        Self::start(Place::Directory(directory), options)
    }

    /// An engine that keeps everything in memory, for tests and the mock.
    pub fn in_memory(options: SqliteOptions) -> Result<Self, StorageError> {
        Self::start(Place::Memory, options)
    }

    fn start(place: Place, options: SqliteOptions) -> Result<Self, StorageError> {
        let on_disk = matches!(place, Place::Directory(_));
        let shared = Arc::new(Shared {
            place,
            open: AtomicU64::new(0),
            max_pages: AtomicU32::new(options.max_page_count.unwrap_or(0)),
            in_memory: Default::default(),
            options,
        });
        let SqliteOptions { writers, readers, queue_depth, .. } = shared.options;
        let threads = |name: &str, count: usize, role: Role| {
            Threads::start(name, count, queue_depth, || OpenFiles::new(Arc::clone(&shared), role))
        };
        Ok(Self {
            writers: threads("storage-write", writers, Role::Writer)?,
            readers: if on_disk { Some(threads("storage-read", readers, Role::Reader)?) } else { None },
            counters: Counters::default(),
            last_write: LastWrite::default(),
            shared,
        })
    }

    /// Changes the page limit of every file, for tests that fill a disk and free it again.
    pub fn set_max_page_count(&self, pages: Option<u32>) {
        self.shared.max_pages.store(pages.unwrap_or(0), Ordering::Relaxed);
    }

    /// A database in memory lives in its writer's connection, so reads go there too.
    fn reading(&self) -> &Threads {
        self.readers.as_ref().unwrap_or(&self.writers)
    }

    async fn transact(
        &self,
        scope: Scope,
        name: &'static str,
        units: Arc<[Unit]>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        let mut attempt = 1;
        loop {
            let units = Arc::clone(&units);
            let done = self
                .writers
                .run(scope, move |files| {
                    files.with(scope, |connection, file| transaction::commit(connection, file, scope, &units))
                })
                .await;
            match done {
                Err(StorageError::Timeout) if attempt < ATTEMPTS => {
                    attempt += 1;
                    self.counters.record(name, |total| total.retried += 1);
                }
                done => return done,
            }
        }
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        guard(scope, &statement).map_err(|what| StorageError::Misuse { what })?;
        self.reading()
            .run(scope, move |files| {
                files.with(scope, |connection, file| transaction::query(connection, file, &statement))
            })
            .await
    }

    async fn commit(
        &self,
        scope: Scope,
        name: &'static str,
        units: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let done = self.transact(scope, name, units.into()).await;
        self.last_write.record(&done);
        self.counters.record(name, |total| match &done {
            Ok(answers) => {
                let stood = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
                total.committed += 1;
                total.units += stood;
                total.refused += answers.len() as u64 - stood;
            }
            Err(_) => total.failed += 1,
        });
        done
    }

    async fn create_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        let scope = Scope::Tenant(tenant);
        self.writers.run(scope, move |files| files.create(scope)).await
    }

    async fn destroy_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        let scope = Scope::Tenant(tenant);
        self.writers.run(scope, move |files| files.destroy(scope)).await?;
        let Some(readers) = &self.readers else { return Ok(()) };
        // After the removal, so that no read in between opens the file again and keeps it.
        let forget = move |files: &mut OpenFiles| {
            files.close(scope);
            Ok(())
        };
        readers.run(scope, forget).await?;
        self.writers.run(Scope::Platform, scrub).await
    }

    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        if let Place::Directory(_) = &self.shared.place {
            let shared = Arc::clone(&self.shared);
            return self
                .reading()
                .run(Scope::Platform, move |_| match &shared.place {
                    Place::Directory(directory) => directory.layout.list(),
                    Place::Memory => Ok(Vec::new()),
                })
                .await;
        }
        Ok(self.shared.in_memory.lock().iter().copied().collect())
    }

    async fn health(&self) -> EngineHealth {
        let reading = self.read(Scope::Platform, write_probe::read());
        let read = tokio::time::timeout(PROBE, reading).await.unwrap_or(Err(StorageError::Timeout));
        if !self.last_write.good() {
            let unit = Unit { statements: vec![write_probe::write()], entries: Vec::new() };
            let probe = self.commit(Scope::Platform, "write_probe", vec![unit]);
            // Its outcome is what `last_write` says below; one that hangs leaves it as it was.
            let _ = tokio::time::timeout(PROBE, probe).await;
        }
        let refusal = self.last_write.reason();
        EngineHealth {
            engine: "sqlite",
            readable: read.is_ok(),
            writable: refusal.is_none(),
            reason: read.err().map(|error| error.to_string()).or(refusal),
            queued_reads: self.reading().queued(),
            queued_writes: self.writers.queued(),
            open: self.shared.open.load(Ordering::Relaxed),
            pool: None,
            transactions: self.counters.snapshot(),
        }
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        let mut heads = Vec::with_capacity(ids.len());
        for id in ids {
            match crate::ledger::head(self, Scope::of(*id)).await {
                Ok(Some(head)) => heads.push((*id, head.seq)),
                Ok(None) | Err(StorageError::UnknownTenant) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(heads)
    }

    async fn close(&self) {
        // Readers first, so that the last connection to a file is a writer's and empties its log.
        if let Some(readers) = &self.readers {
            readers.stop().await;
        }
        self.writers.stop().await;
        if let Place::Directory(directory) = &self.shared.place {
            directory.release();
        }
    }
}

/// Overwrites what was deleted from the platform database: wrapped keys must not survive in its log.
fn scrub(files: &mut OpenFiles) -> Result<(), StorageError> {
    files.with(Scope::Platform, |connection, file| {
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|error| failure::storage_error(&error, file))
    })
}

/// Whether the last commit reached the disk.
#[derive(Debug, Default)]
struct LastWrite(AtomicU8);

impl LastWrite {
    fn record<T>(&self, done: &Result<T, StorageError>) {
        let state = match done {
            Ok(_) => 0,
            Err(StorageError::Full) => 1,
            Err(StorageError::Unavailable { .. } | StorageError::Timeout) => 2,
            // A refusal, an unknown tenant or one damaged file says nothing about the disk.
            Err(_) => return,
        };
        self.0.store(state, Ordering::Relaxed);
    }

    fn good(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn reason(&self) -> Option<String> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(StorageError::Full.to_string()),
            _ => Some("the last write did not reach the disk, look at the log and the disk".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
