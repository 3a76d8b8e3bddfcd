mod damage;
mod directory;
mod full_disk;
mod migrating;
mod schema;
mod secrets;
mod threads;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::directory::with_suffix;
use super::{SqliteEngine, SqliteOptions};
use crate::conformance::{Fixture, Subject};
use crate::{Scope, StorageError};

async fn on_disk() -> Subject {
    let folder = TempDir::new().unwrap();
    let engine = SqliteEngine::open(&folder.path().join("data"), SqliteOptions::default()).unwrap();
    Subject { engine: Arc::new(engine), keep: Box::new(folder) }
}

/// One open file per thread: every change of tenant closes and opens files.
async fn on_disk_with_one_file_open() -> Subject {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions { open_files: 1, writers: 1, readers: 1, ..SqliteOptions::default() };
    let engine = SqliteEngine::open(&folder.path().join("data"), options).unwrap();
    Subject { engine: Arc::new(engine), keep: Box::new(folder) }
}

async fn in_memory() -> Subject {
    let engine = SqliteEngine::in_memory(SqliteOptions::default()).unwrap();
    Subject { engine: Arc::new(engine), keep: Box::new(()) }
}

/// A data directory in a temporary folder.
struct Folder {
    _temporary: TempDir,
    root: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let temporary = TempDir::new().unwrap();
        let root = temporary.path().join("data");
        Self { _temporary: temporary, root }
    }

    fn open(&self) -> Result<SqliteEngine, StorageError> {
        SqliteEngine::open(&self.root, SqliteOptions::default())
    }

    async fn fixture(&self) -> Fixture {
        let engine = Arc::new(self.open().unwrap());
        Fixture::new(Subject { engine, keep: Box::new(()) }).await
    }

    fn file(&self, scope: Scope) -> PathBuf {
        super::directory::Layout::new(&self.root).file(scope)
    }

    /// Every byte of a database and its log.
    fn bytes(&self, scope: Scope) -> Vec<u8> {
        let file = self.file(scope);
        let log = std::fs::read(with_suffix(&file, "-wal")).unwrap_or_default();
        [std::fs::read(&file).unwrap(), log].concat()
    }
}

/// A plain connection, to do to a file what the engine would not.
fn sqlite(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

crate::conformance!(embedded_file, on_disk);
crate::conformance!(embedded_file_reopening, on_disk_with_one_file_open);
crate::conformance!(embedded_memory, in_memory);
