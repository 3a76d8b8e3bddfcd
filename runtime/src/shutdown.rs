//! Shutting down in order, within two deadlines, with a report.

use crate::system::ActorSystem;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// What a shutdown achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Actors that handled what was queued, stored themselves and left.
    pub drained: u64,
    /// What had to be killed at the hard deadline, per kind. Empty after a graceful shutdown.
    pub cut: Vec<Cut>,
    /// Milliseconds it took.
    pub took_ms: u64,
}

/// The killed actors of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Kind of the actors.
    pub kind: String,
    /// How many.
    pub actors: u64,
    /// Requests that waited for them and were refused.
    pub refused: u64,
    /// Some of their paths.
    pub paths: Vec<String>,
}

impl ShutdownReport {
    /// Whether nothing was cut.
    #[must_use]
    pub fn was_graceful(&self) -> bool {
        self.cut.is_empty()
    }
}

impl ActorSystem {
    /// Drains every directory, callers before callees, and stops the system. New requests to a directory are
    /// refused with [`crate::Refusal::Stopped`] as soon as its own drain begins; until then the directories
    /// that drain before it may still call it.
    ///
    /// Until `soft` (from now) whatever is queued is handled. After that queued requests are refused; only what
    /// has begun may end and actors may store themselves. At `hard` the rest is killed and reported. What
    /// is left between the two is split evenly among the directories still to drain, so that a stuck one
    /// cannot keep the others from storing themselves.
    pub async fn shutdown(&self, soft: Duration, hard: Duration) -> ShutdownReport {
        let started = Instant::now();
        let (soft, hard) = (started + soft, started + hard.max(soft));
        let system = self.system();
        system.stop_sweeper();
        let order = system.drain_order();
        let mut report = ShutdownReport::default();
        let mut left = u32::try_from(order.len()).unwrap_or(u32::MAX);
        for directory in order {
            let from = Instant::now().max(soft);
            let give_up = from + hard.saturating_duration_since(from) / left.max(1);
            let kind = directory.stats().kind;
            let drained = directory.shut_down(soft, give_up).await;
            report.drained += drained.drained;
            if drained.cut > 0 {
                tracing::warn!(kind, actors = drained.cut, "killed at the hard deadline");
                report.cut.push(Cut {
                    kind: kind.to_owned(),
                    actors: drained.cut,
                    refused: drained.refused,
                    paths: drained.cut_paths,
                });
            }
            left -= 1;
        }
        self.stop_supervision().await;
        report.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        report
    }

    async fn stop_supervision(&self) {
        let system = self.system();
        for directory in system.drain_order() {
            directory.stop_supervisors().await;
        }
        // A root that has already stopped is as good.
        drop(system.root().stop_and_wait(None, None).await);
        system.env.tasks.close();
        let patience = Duration::from_secs(1);
        if tokio::time::timeout(patience, system.env.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = system.env.tasks.len(), "tasks of the runtime outlive the shutdown");
        }
    }
}
