//! The live event stream.

use super::tree::PassivationCause;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tokio::sync::broadcast;

/// One change in the tree, with the counters of the actor it concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuntimeEvent {
    /// Milliseconds since the system started.
    pub at_ms: u64,
    /// Place in the tree.
    pub path: String,
    /// Kind of the actor.
    pub kind: Cow<'static, str>,
    /// What happened.
    #[serde(flatten)]
    pub change: Change,
    /// Requests in flight when it happened.
    pub in_flight: u32,
    /// Messages handled so far under this key while it is known.
    pub processed: u64,
    /// Restarts within the window.
    pub restarts: u32,
}

/// What happened to an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// It is live.
    Activated,
    /// It could not be activated; everybody who waited has been told.
    ActivationFailed {
        /// Redacted cause.
        reason: String,
    },
    /// It left in good order.
    Passivated {
        /// On whose initiative.
        cause: PassivationCause,
    },
    /// It died.
    Failed {
        /// Redacted cause.
        reason: String,
    },
    /// It will be activated anew.
    Restarting {
        /// Milliseconds until then.
        after_ms: u64,
    },
    /// It is live again after a failure.
    Restarted,
    /// It is left alone: too many failures within the window.
    Quarantined {
        /// Redacted cause of the last failure.
        reason: String,
        /// Milliseconds until it may be activated again.
        cool_down_ms: u64,
    },
    /// An operator cleared its failures.
    Reset,
    /// It was killed at the hard deadline of a shutdown.
    Cut,
}

/// Sends events to whoever listens; close to free when nobody does.
pub(crate) struct EventBus(broadcast::Sender<RuntimeEvent>);

impl EventBus {
    pub(crate) fn new(buffer: usize) -> Self {
        Self(broadcast::Sender::new(buffer.max(1)))
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<RuntimeEvent> {
        self.0.subscribe()
    }

    pub(crate) fn emit(&self, event: impl FnOnce() -> RuntimeEvent) {
        if self.0.receiver_count() > 0 {
            // Fails only if the last listener has just left.
            drop(self.0.send(event()));
        }
    }
}
