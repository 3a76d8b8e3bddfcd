//! Work in the background that belongs to the system and to no actor.

use crate::supervision::redact_panic;
use crate::system::ActorSystem;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// Pause before the first restart; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl ActorSystem {
    /// Runs a service until it ends by itself or the system shuts down, which drops it where it waits. One that panics
    /// is made and run again after a pause. It stands in the tree under `path`; each run counts as one piece of work.
    pub fn service<F>(
        &self,
        path: impl Into<String>,
        kind: &'static str,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let node = self.register_node(path, kind);
        let stopping = self.system().stopping();
        let run = async move {
            let mut pause = FIRST_PAUSE;
            loop {
                let running = node.begin();
                let Err(panic) = AssertUnwindSafe(make()).catch_unwind().await else { return };
                drop(running);
                tracing::error!(kind, reason = %redact_panic(&*panic), "a service panicked and is started again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        self.system().env.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = run => {}
            }
        });
    }
}

impl ActorSystem {
    /// Runs one piece of work in a task of the system: dropped where it waits when the system shuts down, and a leak if
    /// it is still there afterwards.
    pub fn background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.system().stopping();
        self.system().env.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = work => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::{ActorSystem, SystemConfig};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_service_that_panics_runs_again_and_ends_with_the_system() {
        let system = ActorSystem::start(SystemConfig::default());
        let runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&runs);
        system.service("/services/test", "test", move || {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(run >= 2, "the first two runs fail");
                std::future::pending::<()>().await;
            }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert!(system.tree().nodes.iter().any(|node| node.path == "/services/test"));
        let report = system.shutdown(Duration::from_secs(1), Duration::from_secs(2)).await;
        assert!(report.was_graceful());
        assert_eq!(system.leaks(), Vec::<String>::new());
    }
}
