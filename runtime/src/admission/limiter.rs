//! A governor limiter on tokio's clock, whose fill can be read.

use crate::admission::{Allowance, Budget, Rate};
use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// An instant of [`TokioClock`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Instant);

impl Add<Nanos> for Moment {
    type Output = Self;
    fn add(self, span: Nanos) -> Self {
        Self(self.0 + Duration::from(span))
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }
    fn saturating_sub(&self, span: Nanos) -> Self {
        Self(self.0.checked_sub(span.into()).unwrap_or(self.0))
    }
}

/// A clock for governor limiters that follows tokio's paused time, which governor's own does not.
#[derive(Copy, Clone, Debug, Default)]
pub struct TokioClock;

impl Clock for TokioClock {
    type Instant = Moment;
    fn now(&self) -> Moment {
        Moment(Instant::now())
    }
}

/// The limiter's one word, kept where it can be read: governor's own store hides it, but an idle key is only
/// forgotten once its bucket is full again, or passivation would hand out fresh bursts.
#[derive(Clone)]
struct TheoreticalArrival(Arc<AtomicU64>);

impl StateStore for TheoreticalArrival {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            let (outcome, next) = f((seen != 0).then(|| seen.into()))?;
            match self.0.compare_exchange_weak(seen, next.into(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(outcome),
                Err(now) => seen = now,
            }
        }
    }
}

type Governor = RateLimiter<NotKeyed, TheoreticalArrival, TokioClock, NoOpMiddleware<Moment>>;

/// One key's limiter.
pub(crate) struct Limiter {
    governor: Governor,
    arrival: TheoreticalArrival,
    start: Instant,
    rate: Rate,
    allowance: Option<Arc<dyn Allowance>>,
    refused: AtomicU32,
}

impl Limiter {
    pub(crate) fn new(rate: Rate, allowance: Option<Arc<dyn Allowance>>) -> Self {
        let arrival = TheoreticalArrival(Arc::new(AtomicU64::new(0)));
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        // Read before governor reads it, so that the fill is never overstated.
        let start = Instant::now();
        let governor = RateLimiter::new(quota, arrival.clone(), TokioClock);
        Self { governor, arrival, start, rate, allowance, refused: AtomicU32::new(0) }
    }

    /// Takes one token, then asks the allowance if there is one.
    ///
    /// # Errors
    /// How long until the next token.
    pub(crate) fn check(&self) -> Result<(), Duration> {
        let own = self.governor.check().map_err(|not_until| not_until.wait_time_from(TokioClock.now()));
        let outcome = own.and_then(|()| self.allowance.as_ref().map_or(Ok(()), |shared| shared.take()));
        if outcome.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// Tokens that could be taken now.
    pub(crate) fn available(&self) -> u32 {
        let arrival = self.arrival.0.load(Ordering::Acquire);
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let per_token = 1_000_000_000 / u64::from(self.rate.per_second.get());
        let used = arrival.saturating_sub(now).div_ceil(per_token.max(1));
        self.rate.burst.get().saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget { rate: self.rate, left: self.available() }
    }

    pub(crate) fn burst(&self) -> u32 {
        self.rate.burst.get()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.available() == self.burst()
    }

    pub(crate) fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }
}
