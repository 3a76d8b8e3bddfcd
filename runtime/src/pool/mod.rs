//! Slow work, shared fairly.
//!
//! What takes long (hashing a password, calling out over HTTP, sending mail) runs beside the actors, in a
//! bounded number of places, handed out by weighted fair queueing: a key that floods its queue gets its
//! share and no more, and a key with one job waits for about one job of each other key.

mod fair_pool;
mod fair_queue;
mod fair_slots;
mod giving_way;
mod job;
#[cfg(test)]
mod tests;

pub use fair_pool::FairPool;
pub use fair_queue::{FairQueue, Full, Weight};
pub use fair_slots::{FairSlots, SlotGuard};
pub use giving_way::GivingWay;

use std::time::Duration;

/// Tuning of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Name, a metric label: constant, low cardinality.
    pub name: &'static str,
    /// Jobs worked on at once.
    pub workers: usize,
    /// Jobs one key may have waiting.
    pub depth_per_key: usize,
    /// Keys that may have jobs waiting.
    pub max_keys: usize,
    /// Advice given with [`crate::Refusal::Overloaded`].
    pub overload_retry: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            name: "pool",
            workers: 2,
            depth_per_key: 64,
            max_keys: 10_000,
            overload_retry: Duration::from_millis(500),
        }
    }
}
