//! Bounded concurrency for asynchronous slow work.

use crate::observe::PoolStats;
use crate::pool::{FairQueue, Full, PoolConfig, Weight};
use crate::{ActorSystem, Deadline, Refusal};
use parking_lot::Mutex;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The asynchronous twin of [`crate::FairPool`]: at most `workers` guards are out at once, handed out in
/// fair order. For outgoing HTTP and mail. Cheap to clone.
pub struct FairSlots<K: Clone + Eq + Hash>(Arc<Inner<K>>);

struct Inner<K: Clone + Eq + Hash> {
    config: PoolConfig,
    state: Mutex<State<K>>,
    stats: Arc<PoolStats>,
}

struct State<K: Clone + Eq + Hash> {
    queue: FairQueue<K, oneshot::Sender<SlotGuard<K>>>,
    free: usize,
}

/// Leave to do one piece of slow work; given back on drop.
pub struct SlotGuard<K: Clone + Eq + Hash> {
    slots: Arc<Inner<K>>,
}

impl<K: Clone + Eq + Hash> Clone for FairSlots<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Clone + Eq + Hash> std::fmt::Debug for FairSlots<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FairSlots").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash> std::fmt::Debug for SlotGuard<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlotGuard").finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash> FairSlots<K> {
    /// A set of slots, all free.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        let stats = Arc::new(PoolStats::new(config.name));
        let queue = FairQueue::new(config.depth_per_key, config.max_keys);
        let free = config.workers.max(1);
        Self(Arc::new(Inner { config, state: Mutex::new(State { queue, free }), stats }))
    }

    /// Shows the slots in the system's metrics.
    #[must_use]
    pub fn observed_by(self, system: &ActorSystem) -> Self {
        system.add_pool(Arc::clone(&self.0.stats));
        self
    }

    /// Waits for a slot in the key's fair share, at most until the deadline.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if the key has too many waiting, [`Refusal::DeadlineExceeded`].
    pub async fn acquire(
        &self,
        key: &K,
        weight: impl Into<Weight>,
        deadline: Deadline,
    ) -> Result<SlotGuard<K>, Refusal> {
        if deadline.has_passed() {
            return Err(Refusal::DeadlineExceeded);
        }
        let started = Instant::now();
        let turn = match self.enqueue(key, weight.into())? {
            Ok(guard) => return Ok(guard),
            Err(turn) => turn,
        };
        match tokio::time::timeout_at(deadline.instant(), turn).await {
            Ok(Ok(guard)) => {
                self.0.stats.wait_time.observe(started.elapsed());
                Ok(guard)
            }
            Ok(Err(_)) | Err(_) => Err(Refusal::DeadlineExceeded),
        }
    }

    fn enqueue(
        &self,
        key: &K,
        weight: Weight,
    ) -> Result<Result<SlotGuard<K>, oneshot::Receiver<SlotGuard<K>>>, Refusal> {
        let mut state = self.0.state.lock();
        if state.free > 0 {
            state.free -= 1;
            self.0.stats.running.fetch_add(1, Ordering::Relaxed);
            return Ok(Ok(SlotGuard { slots: Arc::clone(&self.0) }));
        }
        if state.queue.depth(key) >= self.0.config.depth_per_key {
            let gone = state.queue.sift(key, |waiter| !waiter.is_closed());
            self.0.stats.dropped.fetch_add(gone.len() as u64, Ordering::Relaxed);
        }
        let (waiter, turn) = oneshot::channel();
        let pushed = state.queue.push(key.clone(), weight, waiter);
        self.0.note_depth(&state);
        pushed.map(|()| Err(turn)).map_err(|Full(_waiter)| {
            self.0.stats.refused.fetch_add(1, Ordering::Relaxed);
            Refusal::Overloaded { retry_after: self.0.config.overload_retry }
        })
    }
}

impl<K: Clone + Eq + Hash> Inner<K> {
    fn note_depth(&self, state: &State<K>) {
        self.stats.queued.store(i64::try_from(state.queue.len()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// The next one whose turn it is, or the slot is free.
    fn next(&self) -> Option<oneshot::Sender<SlotGuard<K>>> {
        let mut state = self.state.lock();
        let next = loop {
            match state.queue.pop() {
                Some((_, waiter)) if waiter.is_closed() => {
                    self.stats.dropped.fetch_add(1, Ordering::Relaxed);
                }
                Some((_, waiter)) => break Some(waiter),
                None => {
                    state.free += 1;
                    self.stats.running.fetch_sub(1, Ordering::Relaxed);
                    break None;
                }
            }
        };
        self.note_depth(&state);
        next
    }
}

impl<K: Clone + Eq + Hash> Drop for SlotGuard<K> {
    fn drop(&mut self) {
        self.slots.stats.done.fetch_add(1, Ordering::Relaxed);
        if let Some(waiter) = self.slots.next() {
            // Should the waiter have gone this instant, the guard comes back and is dropped in turn.
            drop(waiter.send(Self { slots: Arc::clone(&self.slots) }));
        }
    }
}
