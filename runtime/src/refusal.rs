//! Why a request was not done.

use std::sync::Arc;
use std::time::Duration;

/// A typed "no". Refusals cost the refused caller next to nothing and their neighbours nothing at all.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// The key names nothing: its activation said so.
    #[error("nothing lives under this key")]
    NotFound,
    /// Every permit of this actor is in use, or the node has no room for one more actor.
    #[error("too much work in flight, retry in {} ms", retry_after.as_millis())]
    Overloaded {
        /// When a retry has a chance.
        retry_after: Duration,
    },
    /// The key's rate limit is used up.
    #[error("rate limit reached, retry in {} ms", retry_after.as_millis())]
    RateLimited {
        /// When the limiter lets the next request through.
        retry_after: Duration,
    },
    /// The caller's deadline passed first. The work was dropped, or its answer was not waited for.
    #[error("the deadline passed before an answer came")]
    DeadlineExceeded,
    /// The system is shutting down.
    #[error("shutting down, retry on another node")]
    Stopped,
    /// The actor could not be activated, or is quarantined after repeated failures.
    #[error("unavailable ({reason}), retry in {} ms", retry_after.as_millis())]
    Unavailable {
        /// Redacted cause, safe to show to an operator.
        reason: Arc<str>,
        /// When the next attempt is allowed.
        retry_after: Duration,
    },
    /// The actor died while it held the request. Whether the work took effect is unknown to the runtime.
    #[error("the actor died while it held the request, its effect is unknown")]
    Crashed,
}

impl Refusal {
    /// Every label [`Refusal::label`] can answer, for metrics.
    pub const LABELS: [&'static str; 7] =
        ["not_found", "overloaded", "rate_limited", "deadline_exceeded", "stopped", "unavailable", "crashed"];

    pub(crate) fn index(&self) -> usize {
        match self {
            Self::NotFound => 0,
            Self::Overloaded { .. } => 1,
            Self::RateLimited { .. } => 2,
            Self::DeadlineExceeded => 3,
            Self::Stopped => 4,
            Self::Unavailable { .. } => 5,
            Self::Crashed => 6,
        }
    }

    /// A stable, low-cardinality name for metrics and logs.
    #[must_use]
    pub fn label(&self) -> &'static str {
        Self::LABELS[self.index()]
    }

    /// When a retry makes sense, if the refusal knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after }
            | Self::RateLimited { retry_after }
            | Self::Unavailable { retry_after, .. } => Some(*retry_after),
            Self::NotFound | Self::DeadlineExceeded | Self::Stopped | Self::Crashed => None,
        }
    }
}
