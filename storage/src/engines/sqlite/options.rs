use std::time::Duration;

/// How the embedded engine divides its work.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Threads that write; a tenant always has the same one. An fsync stalls only tenants of its thread.
    pub writers: usize,
    /// Threads that read; a tenant always has the same one. They never wait for an fsync.
    pub readers: usize,
    /// Jobs that may wait at one thread; more are refused as overloaded.
    pub queue_depth: usize,
    /// Database files kept open by one thread; the least recently used is closed beyond that.
    pub open_files: usize,
    /// How long to wait for a lock held by another process, such as a backup.
    pub busy_timeout: Duration,
    /// Largest size of any database file in pages of 4096 bytes; simulates a full disk in tests.
    pub max_page_count: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            writers: 4,
            readers: 4,
            queue_depth: 1_024,
            open_files: 64,
            busy_timeout: Duration::from_secs(5),
            max_page_count: None,
        }
    }
}
