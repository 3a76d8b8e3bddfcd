use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::files::OpenFiles;
use crate::engine::Scope;
use crate::error::StorageError;

type Work = Box<dyn FnOnce(&mut OpenFiles) + Send>;

enum Job {
    Work(Scope, Work),
    Stop,
}

/// Threads with a bounded queue each; a scope always goes to the same thread.
pub(super) struct Threads {
    queues: Vec<SyncSender<Job>>,
    handles: Mutex<Vec<JoinHandle<()>>>,
    queued: Arc<AtomicU64>,
}

impl Threads {
    pub(super) fn start(
        name: &str,
        count: usize,
        depth: usize,
        mut files: impl FnMut() -> OpenFiles,
    ) -> Result<Self, StorageError> {
        let queued = Arc::new(AtomicU64::new(0));
        let mut queues = Vec::with_capacity(count);
        let mut handles = Vec::with_capacity(count);
        for index in 0..count.max(1) {
            let (queue, jobs) = sync_channel(depth.max(1));
            let (files, queued) = (files(), Arc::clone(&queued));
            let handle = Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || work(&jobs, files, &queued))
                .map_err(|error: io::Error| {
                    StorageError::unavailable(format!("cannot start a storage thread: {}", error.kind()))
                })?;
            queues.push(queue);
            handles.push(handle);
        }
        Ok(Self { queues, handles: Mutex::new(handles), queued })
    }

    /// Jobs that wait.
    pub(super) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Runs `job` on the thread of `scope`. Refused at once when that thread's queue is full; not begun
    /// when the caller has gone meanwhile.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        scope: Scope,
        job: impl FnOnce(&mut OpenFiles) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |files| {
            if reply.is_closed() {
                return;
            }
            // A caller that leaves while the work runs does not want the answer.
            let _ = reply.send(job(files));
        });
        self.queued.fetch_add(1, Ordering::Relaxed);
        if let Err(refused) = self.queues[self.place(scope)].try_send(Job::Work(scope, work)) {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            return Err(match refused {
                TrySendError::Full(_) => StorageError::Overloaded,
                TrySendError::Disconnected(_) => closed(),
            });
        }
        answer.await.map_err(|_| {
            StorageError::unavailable("a storage thread dropped the work, look for a panic in the log")
        })?
    }

    fn place(&self, scope: Scope) -> usize {
        let mut hasher = DefaultHasher::new();
        scope.hash(&mut hasher);
        usize::try_from(hasher.finish() % self.queues.len() as u64).expect("less than the number of queues")
    }

    /// Finishes what is queued and waits for the threads to end.
    pub(super) async fn stop(&self) {
        let handles = std::mem::take(&mut *self.handles.lock());
        let queues = self.queues.clone();
        let stopped = tokio::task::spawn_blocking(move || {
            for queue in queues {
                // A disconnected queue belongs to a thread that has ended already.
                let _ = queue.send(Job::Stop);
            }
            handles.into_iter().filter_map(|handle| handle.join().err()).count()
        })
        .await;
        match stopped {
            Ok(0) => {}
            Ok(panicked) => tracing::error!(panicked, "storage threads ended by a panic"),
            Err(_) => tracing::warn!("the runtime ended before the storage threads"),
        }
    }
}

pub(super) fn closed() -> StorageError {
    StorageError::unavailable("the engine was closed")
}

fn work(jobs: &Receiver<Job>, mut files: OpenFiles, queued: &AtomicU64) {
    while let Ok(Job::Work(scope, work)) = jobs.recv() {
        queued.fetch_sub(1, Ordering::Relaxed);
        if catch_unwind(AssertUnwindSafe(|| work(&mut files))).is_err() {
            // Whatever state the connection was left in, it is not used again.
            tracing::error!(scope = ?scope, "panic in a storage job");
            files.close(scope);
        }
    }
}
