//! The embedded engine: in memory, or in a temporary folder where data must outlive an app.

use crate::app::this_node;
use parking_lot::Mutex;
use plinto_cluster::{Cluster, InProcess};
use plinto_storage::Engine;
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use std::path::Path;
use std::sync::Arc;

/// Where apps keep their data.
pub(crate) struct Place {
    directory: Option<tempfile::TempDir>,
    opened: Mutex<Option<Arc<SqliteEngine>>>,
}

impl Place {
    /// For one app.
    pub(crate) async fn passing() -> Self {
        Self { directory: None, opened: Mutex::default() }
    }

    /// For apps one after the other.
    pub(crate) async fn lasting() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory: Some(directory), opened: Mutex::default() }
    }

    pub(crate) async fn open(&self) -> (Arc<dyn Engine>, Arc<dyn Cluster>) {
        let options = SqliteOptions::default();
        let engine = match &self.directory {
            Some(directory) => SqliteEngine::open(directory.path(), options),
            None => SqliteEngine::in_memory(options),
        };
        let engine = Arc::new(engine.expect("engine"));
        *self.opened.lock() = Some(Arc::clone(&engine));
        (engine, Arc::new(InProcess::alone(this_node())))
    }

    fn limit_pages(&self, pages: Option<u32>) {
        self.opened.lock().as_ref().expect("an app runs").set_max_page_count(pages);
    }

    /// From now on the disk is full.
    pub(crate) async fn fill(&self) {
        self.limit_pages(Some(1));
    }

    /// There is room again.
    pub(crate) async fn free(&self) {
        self.limit_pages(None);
    }

    /// Everything that is stored, as a thief of the disk would see it: files and write-ahead logs.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        every_byte_under(self.directory.as_ref().expect("a lasting place").path())
    }
}

fn every_byte_under(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(every_byte_under(&path));
        } else {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    all
}
