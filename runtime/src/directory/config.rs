//! Tuning of one directory.

use crate::supervision::RestartPolicy;
use std::time::Duration;

/// Tuning of one directory.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryConfig {
    /// Supervisors the actors are spread over; at least one.
    pub shards: usize,
    /// An actor not used for this long is passivated by the next sweep.
    pub idle_after: Duration,
    /// Actors resident at once; strict. At the cap an activation waits for the least recently used idle
    /// actor to leave, and is refused if none is idle.
    pub max_live: usize,
    /// Bytes of live actors, [`crate::VirtualActor::weight`] plus [`DirectoryConfig::ACTOR_BYTES`] each.
    /// Held by eviction at activations and sweeps, so busy actors that grow may exceed it for a while.
    pub max_bytes: usize,
    /// When to restart and when to quarantine.
    pub restart: RestartPolicy,
    /// Longest time one activation may take, the wait for room included.
    pub activation_timeout: Duration,
    /// Order at shutdown: lower ranks are drained first; within a rank the directory made last is, as callees
    /// are usually made before their callers.
    pub drain_rank: i32,
    /// Advice given with [`crate::Refusal::Overloaded`].
    pub overload_retry: Duration,
}

impl DirectoryConfig {
    /// What an actor costs besides its state: ractor's task and channels (measured 6.7 to 7.3 KB) and the slot.
    pub const ACTOR_BYTES: usize = 7_800;
}

impl Default for DirectoryConfig {
    fn default() -> Self {
        Self {
            shards: 8,
            idle_after: Duration::from_secs(300),
            max_live: 100_000,
            max_bytes: usize::MAX,
            restart: RestartPolicy::default(),
            activation_timeout: Duration::from_secs(5),
            drain_rank: 0,
            overload_retry: Duration::from_millis(250),
        }
    }
}
