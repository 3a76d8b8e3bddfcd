//! Blocking work on a bounded number of threads.

use crate::observe::PoolStats;
use crate::pool::{FairQueue, Full, PoolConfig, Weight};
use crate::{ActorSystem, Deadline, Refusal};
use parking_lot::Mutex;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

type MakeLocal<L> = dyn Fn() -> L + Send + Sync;

/// Runs blocking jobs, at most `workers` at once, each with a local value that is kept from job to job (a block
/// of memory for argon2, say). Cheap to clone.
///
/// The threads are tokio's blocking ones, taken while there is work and given back after: an idle pool holds
/// no thread, and a test with paused time stands still while a job runs.
pub struct FairPool<K, L>(Arc<Inner<K, L>>);

struct Inner<K, L> {
    config: PoolConfig,
    state: Mutex<State<K, L>>,
    make_local: Box<MakeLocal<L>>,
    stats: Arc<PoolStats>,
    handle: Handle,
}

struct State<K, L> {
    queue: FairQueue<K, Box<dyn Job<L>>>,
    working: usize,
    locals: Vec<L>,
}

trait Job<L>: Send {
    fn is_wanted(&self, now: Instant) -> bool;
    /// Whether the job ended, that is, did not panic.
    fn run(self: Box<Self>, local: &mut L, stats: &PoolStats) -> bool;
}

struct OneJob<F, R> {
    work: F,
    caller: oneshot::Sender<Result<R, Refusal>>,
    deadline: Deadline,
    queued: Instant,
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
}

impl<K, L> Clone for FairPool<K, L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, L> std::fmt::Debug for FairPool<K, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FairPool").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl<K, L> FairPool<K, L>
where
    K: Clone + Eq + Hash + Send + 'static,
    L: Send + 'static,
{
    /// A pool on the current tokio runtime. `make_local` runs once per worker, and again after a job panicked.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(config: PoolConfig, make_local: impl Fn() -> L + Send + Sync + 'static) -> Self {
        let stats = Arc::new(PoolStats::new(config.name));
        let queue = FairQueue::new(config.depth_per_key, config.max_keys);
        Self(Arc::new(Inner {
            config,
            state: Mutex::new(State { queue, working: 0, locals: Vec::new() }),
            make_local: Box::new(make_local),
            stats,
            handle: Handle::current(),
        }))
    }

    /// Shows the pool in the system's metrics.
    #[must_use]
    pub fn observed_by(self, system: &ActorSystem) -> Self {
        system.add_pool(Arc::clone(&self.0.stats));
        self
    }

    /// Runs a job in the key's fair share and waits for its result. A job whose caller is gone or whose
    /// deadline has passed is dropped before it runs; one that runs is not interrupted.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if the key has too many jobs waiting, [`Refusal::DeadlineExceeded`],
    /// [`Refusal::Crashed`] if the job panicked.
    pub async fn run<R: Send + 'static>(
        &self,
        key: &K,
        weight: impl Into<Weight>,
        deadline: Deadline,
        job: impl FnOnce(&mut L) -> R + Send + 'static,
    ) -> Result<R, Refusal> {
        if deadline.has_passed() {
            return Err(Refusal::DeadlineExceeded);
        }
        let (caller, answer) = oneshot::channel();
        let job = OneJob { work: job, caller, deadline, queued: Instant::now() };
        Inner::push(&self.0, key.clone(), weight.into(), Box::new(job))?;
        match tokio::time::timeout_at(deadline.instant(), answer).await {
            Ok(Ok(outcome)) => outcome,
            // Dropped unrun: only for being late, as this caller is still here.
            Ok(Err(_closed)) => Err(Refusal::DeadlineExceeded),
            Err(_elapsed) => Err(Refusal::DeadlineExceeded),
        }
    }
}

impl<K, L> Inner<K, L>
where
    K: Clone + Eq + Hash + Send + 'static,
    L: Send + 'static,
{
    fn push(pool: &Arc<Self>, key: K, weight: Weight, job: Box<dyn Job<L>>) -> Result<(), Refusal> {
        let mut state = pool.state.lock();
        let unwanted = if state.queue.depth(&key) >= pool.config.depth_per_key {
            let now = Instant::now();
            state.queue.sift(&key, |waiting| waiting.is_wanted(now))
        } else {
            Vec::new()
        };
        let pushed = state.queue.push(key, weight, job);
        let hire = pushed.is_ok() && state.working < pool.config.workers.max(1);
        state.working += usize::from(hire);
        pool.stats.queued.store(i64::try_from(state.queue.len()).unwrap_or(i64::MAX), Ordering::Relaxed);
        drop(state);
        pool.stats.dropped.fetch_add(unwanted.len() as u64, Ordering::Relaxed);
        // Outside the lock: dropping a job runs its captures' destructors.
        drop(unwanted);
        if hire {
            let pool = Arc::clone(pool);
            let handle = pool.handle.clone();
            drop(handle.spawn_blocking(move || pool.work()));
        }
        pushed.map_err(|Full(_job)| {
            pool.stats.refused.fetch_add(1, Ordering::Relaxed);
            Refusal::Overloaded { retry_after: pool.config.overload_retry }
        })
    }

    fn work(&self) {
        let mut local = self.state.lock().locals.pop();
        while let Some(job) = self.next(&mut local) {
            if !job.is_wanted(Instant::now()) {
                self.stats.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let kept = local.get_or_insert_with(|| (self.make_local)());
            self.stats.running.fetch_add(1, Ordering::Relaxed);
            let ended = job.run(kept, &self.stats);
            self.stats.running.fetch_sub(1, Ordering::Relaxed);
            if ended {
                self.stats.done.fetch_add(1, Ordering::Relaxed);
            } else {
                self.stats.crashed.fetch_add(1, Ordering::Relaxed);
                // Half-written, perhaps: the next job gets a new one.
                local = None;
            }
        }
    }

    /// The next job, or the worker's end: its local goes back under the same lock, so that a job pushed
    /// now hires a new worker.
    fn next(&self, local: &mut Option<L>) -> Option<Box<dyn Job<L>>> {
        let mut state = self.state.lock();
        let next = state.queue.pop().map(|(_, job)| job);
        if next.is_none() {
            state.working -= 1;
            state.locals.extend(local.take());
        }
        self.stats.queued.store(i64::try_from(state.queue.len()).unwrap_or(i64::MAX), Ordering::Relaxed);
        next
    }
}
