//! What callers see of a session without asking its actor: that it is live, which is what is asked most.

use plinto_domain::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// Until when a session is live for certain, as its actor left it after its last message; nothing while it handles one.
#[derive(Debug, Default)]
pub(crate) struct Glance {
    /// Unix milliseconds; 0 if the actor must be asked.
    live_until: AtomicI64,
}

impl Glance {
    /// Whether the session is live at `now`; if not, only its actor knows.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        now.as_millis() < self.live_until.load(Ordering::Acquire)
    }

    pub(super) fn show(&self, live_until: Option<Timestamp>) {
        self.live_until.store(live_until.map_or(0, Timestamp::as_millis), Ordering::Release);
    }
}
