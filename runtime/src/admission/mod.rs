//! Admission: checked in the caller's task, before anything is enqueued.
//!
//! A ractor mailbox is unbounded, and a limiter inside the actor would check after the queue has grown. So the
//! bound is a count of permits ([`Permit`] rides with the message and is released with its reply), and the
//! rate limiter is asked before the message exists.

mod allowance;
mod gate;
mod limiter;
#[cfg(test)]
mod tests;

pub use allowance::Allowance;
pub(crate) use gate::{Entry, Gate};
pub use gate::{Permit, Pin};
pub(crate) use limiter::Limiter;
pub use limiter::{Moment, TokioClock};

use std::num::NonZeroU32;

/// How much one key may ask for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Requests that may be in flight (queued or being handled) at once.
    pub in_flight: u32,
    /// Sustained rate and burst, `None` for no limit.
    pub rate: Option<Rate>,
}

/// A token bucket (GCRA): `burst` at once, then `per_second`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Sustained requests per second.
    pub per_second: NonZeroU32,
    /// Requests that may come at once after a pause.
    pub burst: NonZeroU32,
}

/// What is left of a key's rate limit in this process.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The limit.
    pub rate: Rate,
    /// Requests that may come at once now.
    pub left: u32,
}

impl Budget {
    /// Seconds, rounded up, in which a spent bucket is full again.
    #[must_use]
    pub fn window_seconds(&self) -> u32 {
        self.rate.burst.get().div_ceil(self.rate.per_second.get())
    }

    /// Seconds, rounded up, until the bucket is full again.
    #[must_use]
    pub fn full_in_seconds(&self) -> u32 {
        self.rate.burst.get().saturating_sub(self.left).div_ceil(self.rate.per_second.get())
    }
}

impl Admission {
    /// Bounded concurrency, no rate limit.
    #[must_use]
    pub const fn concurrent(in_flight: u32) -> Self {
        Self { in_flight, rate: None }
    }

    /// The same, with a rate limit.
    #[must_use]
    pub const fn with_rate(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }
}

impl Rate {
    /// A rate of at least one per second and a burst of at least one.
    #[must_use]
    pub const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: at_least_one(per_second), burst: at_least_one(burst) }
    }
}

const fn at_least_one(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}
