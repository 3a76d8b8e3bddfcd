//! Absolute deadlines that travel with the work.

use std::time::Duration;
use tokio::time::Instant;

/// About as far as a timer can be set; a cast has no caller to give up.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The moment after which nobody wants the answer any more. Follows tokio's clock, paused or not.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self::at(Instant::now() + span.min(FAR))
    }

    /// A deadline at the given instant.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// A deadline that does not pass within the life of a process: for work nobody waits for.
    #[must_use]
    pub fn never() -> Self {
        Self::after(FAR)
    }

    /// Time left, zero once it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.has_passed_at(Instant::now())
    }

    pub(crate) fn has_passed_at(&self, now: Instant) -> bool {
        self.0 <= now
    }

    /// The instant itself, for `tokio::time::timeout_at`.
    #[must_use]
    pub const fn instant(&self) -> Instant {
        self.0
    }
}
