//! Threads of the engine's own, for connections and commits.
//!
//! A commit is several steps between us and the server. On the threads that serve requests each step waits behind every
//! request that is ready to run, hundreds where a tenant is busy, and all that time the server has nothing to do while
//! it holds the head of the ledger. Here a step waits for nobody but other steps.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;

use crate::error::StorageError;

/// Cores of the machine for each of these threads: the server's answers are little work beside what is asked for them.
const CORES_EACH: usize = 4;

/// The threads; what runs on them ends when they are dropped.
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start() -> Result<Self, StorageError> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores.div_ceil(CORES_EACH))
            .thread_name("plinto-postgres")
            .enable_all()
            .build()
            .map_err(|error| StorageError::Unsuitable {
                reason: format!("no thread can be started: {error}"),
            })?;
        Ok(Self(Some(runtime)))
    }

    pub(super) fn handle(&self) -> &Handle {
        self.0.as_ref().expect("they are there until they are dropped").handle()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for them is not possible where an engine is usually dropped.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs work on these threads; it is cut off when nobody waits for it any more.
pub(super) async fn run<T: Send + 'static>(
    threads: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, StorageError> {
    AbortOnDropHandle::new(threads.spawn(work)).await.map_err(|ended| match ended.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_cancelled) => StorageError::unavailable("storage was closed"),
    })
}
