//! When keys were last used: noted in memory, written at most once a minute per key, and lost when the process ends.

use super::known::Known;
use parking_lot::Mutex;
use plinto_domain::Timestamp;
use plinto_storage::Unit;
use plinto_storage::repositories::api_keys;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// From one note of a key to the next.
const INTERVAL: Duration = Duration::from_secs(60);
/// For how long notes are collected before they are written together.
const COLLECTING: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Uses {
    due: Mutex<HashMap<Uuid, i64>>,
    noted: Notify,
}

impl Uses {
    /// Notes that a key was used now, unless that is noted already. On the hot path one load.
    pub(super) fn note(&self, key: &Known, now: Timestamp) {
        let (at, last) = (now.as_millis(), key.used.load(Ordering::Relaxed));
        if at < last.saturating_add(INTERVAL.as_millis() as i64) {
            return;
        }
        let noted = key.used.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed);
        if noted.is_ok() {
            self.due.lock().insert(key.caller.key.uuid(), at);
            self.noted.notify_one();
        }
    }

    /// Until there is something to write.
    pub(super) async fn wait(&self) {
        self.noted.notified().await;
        tokio::time::sleep(COLLECTING).await;
    }

    /// What is to be written.
    pub(super) fn take(&self) -> Unit {
        let due = std::mem::take(&mut *self.due.lock());
        let since = |at: i64| at - INTERVAL.as_millis() as i64;
        let statements = due.into_iter().map(|(key, at)| api_keys::note_use(key, at, since(at))).collect();
        Unit { statements, entries: Vec::new() }
    }
}
