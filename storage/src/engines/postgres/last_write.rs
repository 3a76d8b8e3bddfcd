use parking_lot::Mutex;

use crate::error::StorageError;

/// Whether the last commit reached the server's disk.
#[derive(Debug, Default)]
pub(super) struct LastWrite(Mutex<Option<String>>);

impl LastWrite {
    pub(super) fn record<T>(&self, done: &Result<T, StorageError>) {
        *self.0.lock() = match done {
            Ok(_) => None,
            Err(
                error @ (StorageError::Full
                | StorageError::Unavailable { .. }
                | StorageError::Unacknowledged
                | StorageError::Unsuitable { .. }
                | StorageError::Timeout),
            ) => Some(error.to_string()),
            // A refusal or an unknown tenant says nothing about the server.
            Err(_) => return,
        };
    }

    /// Why the last one did not, if it did not.
    pub(super) fn refusal(&self) -> Option<String> {
        self.0.lock().clone()
    }
}
