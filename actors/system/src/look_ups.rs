//! How often the platform's reader may be asked for what is not in memory.

use crate::error::ServiceError;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use plinto_runtime::{Moment, Refusal, TokioClock};
use std::num::NonZeroU32;

/// Look-ups of names, ids and keys not remembered, per second and at once, for the whole node: a flood of made-up ones
/// must not occupy the platform's reader.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");
const AT_ONCE: NonZeroU32 = NonZeroU32::new(2_000).expect("2000 is not zero");

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>;

/// The limit of one kind of look-ups.
pub(crate) struct LookUps(Limiter);

impl Default for LookUps {
    fn default() -> Self {
        Self(Limiter::direct_with_clock(Quota::per_second(PER_SECOND).allow_burst(AT_ONCE), TokioClock))
    }
}

impl LookUps {
    /// One more.
    pub(crate) fn admit(&self) -> Result<(), ServiceError> {
        let wait = |until: NotUntil<Moment>| until.wait_time_from(TokioClock.now());
        let refused = self.0.check().map_err(wait);
        refused.map_err(|retry_after| ServiceError::Refused(Refusal::RateLimited { retry_after }))
    }
}
