//! Traffic on several nodes: workers that act as users through the proxy and never give up, whatever breaks.
//!
//! Unlike [`load`](crate::load), which ends with the server it works on, this goes on until it is told to stop. After a
//! lost answer a client does what an honest one does: it asks again, with the same token.

mod calls;
#[cfg(test)]
mod tests;
mod watch;
mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;

pub use calls::{Calls, Spread, Verdict, Window, Windows};
pub use watch::{BOUND, Refused, Watch};

use crate::api::Api;
use crate::journal::Journal;
use crate::seed::Seed;

/// Users that act at once, unless said otherwise: two cores of a test machine carry three nodes, the databases, and this.
pub const WORKERS: u64 = 8;

/// Who works on what.
pub struct Traffic<'a> {
    /// The installation, through its proxy.
    pub api: &'a Api,
    /// The operator's key.
    pub platform_key: &'a str,
    /// What is known.
    pub journal: &'a Journal,
    /// What became of the calls.
    pub calls: &'a Calls,
    /// Looks on every node for tokens of ended sessions.
    pub watch: Watch<'a>,
    /// Where the choices come from.
    pub seed: Seed,
    /// How many users act at once.
    pub workers: u64,
    /// How long a user waits between two calls.
    pub pause: Duration,
}

/// Tells the traffic to stop.
#[derive(Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// From now on nobody begins anything new.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Traffic<'_> {
    /// Works until told to stop, and finishes what was begun.
    pub async fn until(&self, stop: &Stop) {
        join_all((0..self.workers).map(|worker| self.worker(worker, stop))).await;
    }
}
