use std::sync::Arc;

use tempfile::TempDir;

use super::{SqliteEngine, SqliteOptions};
use crate::conformance::Subject;

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

crate::conformance!(embedded_file, on_disk);
crate::conformance!(embedded_file_reopening, on_disk_with_one_file_open);
crate::conformance!(embedded_memory, in_memory);
