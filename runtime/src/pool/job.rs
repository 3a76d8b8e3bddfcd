//! What a pool is asked to do.

use crate::observe::PoolStats;
use crate::{Deadline, Refusal};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

type Caller<R> = oneshot::Sender<Result<R, Refusal>>;

/// Work that may be begun twice, on two threads at once: the first outcome counts.
pub(super) type Repeatable<L, R> = Arc<dyn Fn(&mut L) -> R + Send + Sync>;

/// A job somebody waits for.
pub(super) trait Job<L>: Send {
    /// Whether somebody still does.
    fn is_wanted(&self, now: Instant) -> bool;
    /// Whether the job ended, that is, did not panic.
    fn run(self: Box<Self>, local: &mut L, stats: &PoolStats) -> bool;
    /// The same once more, if it can be done twice.
    fn twin(&self) -> Option<Box<dyn Job<L>>>;
}

pub(super) struct OneJob<F, R> {
    pub(super) work: F,
    pub(super) caller: Caller<R>,
    pub(super) deadline: Deadline,
    pub(super) queued: Instant,
}

impl<L, R: Send, F: FnOnce(&mut L) -> R + Send> Job<L> for OneJob<F, R> {
    fn is_wanted(&self, now: Instant) -> bool {
        !self.caller.is_closed() && !self.deadline.has_passed_at(now)
    }

    fn run(self: Box<Self>, local: &mut L, stats: &PoolStats) -> bool {
        let Self { work, caller, queued, .. } = *self;
        stats.wait_time.observe(queued.elapsed());
        let outcome = catch_unwind(AssertUnwindSafe(|| work(local)));
        let ended = outcome.is_ok();
        // A caller that has gone does not want the answer.
        drop(caller.send(outcome.map_err(|_panic| Refusal::Crashed)));
        ended
    }

    fn twin(&self) -> Option<Box<dyn Job<L>>> {
        None
    }
}

pub(super) struct RepeatableJob<L, R> {
    pub(super) work: Repeatable<L, R>,
    /// None as soon as it was answered.
    pub(super) caller: Arc<Mutex<Option<Caller<R>>>>,
    pub(super) deadline: Deadline,
    pub(super) queued: Instant,
}

impl<L: 'static, R: Send + 'static> Job<L> for RepeatableJob<L, R> {
    fn is_wanted(&self, now: Instant) -> bool {
        let waits = self.caller.lock().as_ref().is_some_and(|caller| !caller.is_closed());
        waits && !self.deadline.has_passed_at(now)
    }

    fn run(self: Box<Self>, local: &mut L, stats: &PoolStats) -> bool {
        stats.wait_time.observe(self.queued.elapsed());
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(local)));
        let ended = outcome.is_ok();
        if let Some(caller) = self.caller.lock().take() {
            drop(caller.send(outcome.map_err(|_panic| Refusal::Crashed)));
        }
        ended
    }

    fn twin(&self) -> Option<Box<dyn Job<L>>> {
        Some(Box::new(Self {
            work: Arc::clone(&self.work),
            caller: Arc::clone(&self.caller),
            deadline: self.deadline,
            queued: self.queued,
        }))
    }
}
