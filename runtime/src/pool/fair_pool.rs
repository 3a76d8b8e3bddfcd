//! Blocking work on a bounded number of threads.

use super::giving_way::{GivingWay, Lane, Watched};
use super::job::{Job, OneJob, Repeatable, RepeatableJob};
use crate::observe::PoolStats;
use crate::pool::{FairQueue, Full, PoolConfig, Weight};
use crate::{ActorSystem, Deadline, Refusal};
use parking_lot::Mutex;
use std::hash::Hash;
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
/// no thread, and a test with paused time stands still while a job runs. Where jobs are to give way to everything else
/// the pool has threads of its own beside them ([`GivingWay`]), which tokio's then watch.
pub struct FairPool<K, L>(Arc<Inner<K, L>>);

pub(super) struct Inner<K, L> {
    config: PoolConfig,
    giving_way: Option<GivingWay>,
    state: Mutex<State<K, L>>,
    make_local: Box<MakeLocal<L>>,
    stats: Arc<PoolStats>,
    handle: Handle,
}

struct State<K, L> {
    queue: FairQueue<K, Box<dyn Job<L>>>,
    working: usize,
    locals: Vec<L>,
    lanes: Vec<Lane<L>>,
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
        Self::on(config, None, Box::new(make_local))
    }

    /// The same on threads of its own that give way to all others.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn giving_way(
        config: PoolConfig,
        giving_way: GivingWay,
        make_local: impl Fn() -> L + Send + Sync + 'static,
    ) -> Self {
        Self::on(config, Some(giving_way), Box::new(make_local))
    }

    fn on(config: PoolConfig, giving_way: Option<GivingWay>, make_local: Box<MakeLocal<L>>) -> Self {
        let stats = Arc::new(PoolStats::new(config.name));
        let queue = FairQueue::new(config.depth_per_key, config.max_keys);
        Self(Arc::new(Inner {
            config,
            giving_way,
            state: Mutex::new(State { queue, working: 0, locals: Vec::new(), lanes: Vec::new() }),
            make_local,
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
        let (caller, answer) = oneshot::channel();
        let job = OneJob { work: job, caller, deadline, queued: Instant::now() };
        self.queue(key, weight.into(), deadline, Box::new(job), answer).await
    }

    /// The same for a job that may be begun twice, on two threads at once: the first outcome counts.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_repeatable<R: Send + 'static>(
        &self,
        key: &K,
        weight: impl Into<Weight>,
        deadline: Deadline,
        job: impl Fn(&mut L) -> R + Send + Sync + 'static,
    ) -> Result<R, Refusal> {
        let (caller, answer) = oneshot::channel();
        let (work, caller): (Repeatable<L, R>, _) = (Arc::new(job), Arc::new(Mutex::new(Some(caller))));
        let job = RepeatableJob { work, caller, deadline, queued: Instant::now() };
        self.queue(key, weight.into(), deadline, Box::new(job), answer).await
    }

    async fn queue<R>(
        &self,
        key: &K,
        weight: Weight,
        deadline: Deadline,
        job: Box<dyn Job<L>>,
        answer: oneshot::Receiver<Result<R, Refusal>>,
    ) -> Result<R, Refusal> {
        if deadline.has_passed() {
            return Err(Refusal::DeadlineExceeded);
        }
        Inner::push(&self.0, key.clone(), weight, job)?;
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
            drop(handle.spawn_blocking(move || match pool.giving_way {
                None => pool.work(),
                Some(giving_way) => Self::watch(&pool, giving_way),
            }));
        }
        pushed.map_err(|Full(_job)| {
            pool.stats.refused.fetch_add(1, Ordering::Relaxed);
            Refusal::Overloaded { retry_after: pool.config.overload_retry }
        })
    }

    /// Works jobs off on this thread.
    fn work(&self) {
        let mut local = self.state.lock().locals.pop();
        loop {
            while let Some(job) = self.next() {
                self.run(job, &mut local);
            }
            if self.rests(&mut local, &mut None) {
                return;
            }
        }
    }

    /// Has jobs worked off on a thread that gives way, and on this one while that does not get on.
    fn watch(pool: &Arc<Self>, giving_way: GivingWay) {
        let rested = pool.state.lock().lanes.pop();
        let mut lane = Some(rested.unwrap_or_else(|| Lane::start(pool.config.name, giving_way)));
        let mut local = None;
        while !pool.rests(&mut local, &mut lane) {
            let lane = lane.as_ref().expect("it goes back with the worker's end only");
            let job = if lane.is_behind() {
                pool.next()
            } else {
                lane.begin(pool);
                match lane.watch(giving_way.patience) {
                    Watched::Idle => None,
                    Watched::Behind(twin) => {
                        tracing::debug!(pool = pool.config.name, "a job hurries: nobody leaves it a core");
                        Some(twin)
                    }
                }
            };
            if let Some(job) = job {
                local = local.or_else(|| pool.state.lock().locals.pop());
                pool.run(job, &mut local);
            }
        }
    }

    /// Runs a job, unless nobody waits for it any more.
    pub(super) fn run(&self, job: Box<dyn Job<L>>, local: &mut Option<L>) {
        if !job.is_wanted(Instant::now()) {
            self.stats.dropped.fetch_add(1, Ordering::Relaxed);
            return;
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
            *local = None;
        }
    }

    /// The next job.
    pub(super) fn next(&self) -> Option<Box<dyn Job<L>>> {
        let mut state = self.state.lock();
        let next = state.queue.pop().map(|(_, job)| job);
        self.stats.queued.store(i64::try_from(state.queue.len()).unwrap_or(i64::MAX), Ordering::Relaxed);
        next
    }

    /// A worker's end, if there is no job: what it has goes back under the same lock, so that a job pushed now hires a
    /// new worker, which finds it.
    fn rests(&self, local: &mut Option<L>, lane: &mut Option<Lane<L>>) -> bool {
        let mut state = self.state.lock();
        if !state.queue.is_empty() {
            return false;
        }
        state.working -= 1;
        state.locals.extend(local.take());
        state.lanes.extend(lane.take());
        true
    }
}
