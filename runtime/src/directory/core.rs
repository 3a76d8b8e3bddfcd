//! The directory's inside: look-up, admission, delivery.

use crate::Refusal;
use crate::actor::VirtualActor;
use crate::admission::{Entry, Gate, Limiter, Permit};
use crate::directory::slot::{Pending, Phase, Slot, SlotState};
use crate::directory::{DirectoryConfig, activation};
use crate::observe::{Change, EventBus, KindStats, RuntimeEvent};
use crate::passivation::Residents;
use dashmap::DashMap;
use parking_lot::Mutex;
use ractor::ActorCell;
use rustc_hash::FxBuildHasher;
use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What all directories of one system share.
pub(crate) struct Env {
    pub(crate) name: String,
    pub(crate) epoch: Instant,
    pub(crate) handle: Handle,
    pub(crate) events: EventBus,
    pub(crate) tasks: TaskTracker,
    jitter: AtomicU64,
}

impl Env {
    pub(crate) fn new(name: String, event_buffer: usize, seed: u64) -> Self {
        Self {
            name,
            epoch: Instant::now(),
            handle: Handle::current(),
            events: EventBus::new(event_buffer),
            tasks: TaskTracker::new(),
            jitter: AtomicU64::new(seed),
        }
    }

    pub(crate) fn since_epoch(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.since_epoch().as_millis()).unwrap_or(u64::MAX)
    }

    /// Next number of a SplitMix64 sequence from the configured seed, within `0.0..1.0`. Spreads restarts;
    /// nothing secret hangs on it.
    fn jitter(&self) -> f64 {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.jitter.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        f64::from(u32::try_from(z >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Which limits a request passes.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) enum Limits {
    /// A permit and the rate limiter.
    Full,
    /// A permit.
    Permit,
    /// A permit is counted, not bounded.
    None,
}

/// How open the directory is. Only ever rises.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Mode {
    Open,
    /// Nothing new is accepted, what is queued is handled.
    Draining,
    /// Nothing queued is begun any more; handlers that run may end, actors may store themselves.
    Hurried,
}

pub(crate) struct Core<V: VirtualActor> {
    pub(crate) actor: V,
    pub(crate) config: DirectoryConfig,
    pub(crate) env: Arc<Env>,
    pub(crate) stats: Arc<KindStats>,
    /// Fx: four times faster than SipHash at a million keys, and not made for keys that an attacker may
    /// choose freely. Keys of actors are made by the server or have been looked up before.
    pub(crate) slots: DashMap<V::Key, Arc<Slot<V>>, FxBuildHasher>,
    pub(crate) supervisors: OnceLock<Box<[ActorCell]>>,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) waiting_for_room: std::sync::atomic::AtomicUsize,
    pub(crate) listed: Mutex<Residents<V>>,
    mode: AtomicU8,
    /// Cancelled at the hard deadline.
    pub(crate) cut: CancellationToken,
    /// Notified whenever room comes free while the directory drains.
    pub(crate) departures: Notify,
}

impl<V: VirtualActor> Core<V> {
    pub(crate) fn new(
        actor: V,
        config: DirectoryConfig,
        env: Arc<Env>,
        stats: Arc<KindStats>,
        sweep_every: Duration,
    ) -> Self {
        let room = Arc::new(Semaphore::new(config.max_live.min(Semaphore::MAX_PERMITS)));
        Self {
            actor,
            env,
            stats,
            slots: DashMap::with_hasher(FxBuildHasher),
            supervisors: OnceLock::new(),
            room,
            waiting_for_room: std::sync::atomic::AtomicUsize::new(0),
            listed: Mutex::new(Residents::new(sweep_every.min(config.idle_after))),
            mode: AtomicU8::new(Mode::Open as u8),
            cut: CancellationToken::new(),
            departures: Notify::new(),
            config,
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Ordering::SeqCst) {
            0 => Mode::Open,
            1 => Mode::Draining,
            _ => Mode::Hurried,
        }
    }

    pub(crate) fn raise_mode(&self, mode: Mode) {
        self.mode.fetch_max(mode as u8, Ordering::SeqCst);
    }

    pub(crate) fn residents(&self) -> usize {
        self.config.max_live.min(Semaphore::MAX_PERMITS) - self.room.available_permits()
    }

    /// Whether nothing is resident or on its way in.
    pub(crate) fn is_empty(&self) -> bool {
        use crate::observe::NodeState::{Activating, Restarting};
        self.residents() == 0 && self.stats.in_state(Activating) == 0 && self.stats.in_state(Restarting) == 0
    }

    pub(crate) fn supervisor_of(&self, key: &V::Key) -> ActorCell {
        let supervisors =
            self.supervisors.get().expect("supervisors are set before the directory is handed out");
        let hash = FxBuildHasher.hash_one(key);
        // The high bits: DashMap has spent the low ones.
        let shard = usize::try_from(hash >> 40).unwrap_or(0) % supervisors.len();
        supervisors[shard].clone()
    }

    pub(crate) fn known(&self, key: &V::Key) -> Option<Arc<Slot<V>>> {
        self.slots.get(key).map(|slot| Arc::clone(&slot))
    }

    fn known_or_new(&self, key: &V::Key, now_ms: u64) -> Arc<Slot<V>> {
        if let Some(slot) = self.known(key) {
            return slot;
        }
        let admission = self.actor.admission(key);
        let entry = self.slots.entry(key.clone()).or_insert_with(|| {
            let gate = Gate::new(admission.in_flight, Arc::clone(&self.stats), now_ms);
            let limiter = admission.rate.map(|rate| Box::new(Limiter::new(rate, self.actor.allowance(key))));
            self.stats.moved(None, Some(crate::observe::NodeState::Dormant));
            Arc::new(Slot::new(key.clone(), gate, limiter, now_ms))
        });
        Arc::clone(&entry)
    }

    /// Finds the key's slot and takes a permit, which keeps the slot from being forgotten.
    pub(crate) fn admit(
        self: &Arc<Self>,
        key: &V::Key,
        limits: Limits,
    ) -> Result<(Arc<Slot<V>>, Permit), Refusal> {
        if self.mode() != Mode::Open {
            return Err(Refusal::Stopped);
        }
        let now_ms = self.env.now_ms();
        let (slot, permit) = loop {
            let slot = self.known_or_new(key, now_ms);
            let entry = match limits {
                Limits::None => slot.gate.admit_beyond_limit(),
                Limits::Full | Limits::Permit => slot.gate.admit(),
            };
            match entry {
                Entry::Admitted(permit) => break (slot, permit),
                Entry::Full => {
                    // It may have been the first to name its key.
                    self.forget_or_cool(&slot);
                    return Err(Refusal::Overloaded { retry_after: self.config.overload_retry });
                }
                Entry::Closed => self.remove(&slot),
            }
        };
        if let (Limits::Full, Some(limiter)) = (limits, &slot.limiter)
            && let Err(retry_after) = limiter.check()
        {
            drop(permit);
            self.forget_or_cool(&slot);
            return Err(Refusal::RateLimited { retry_after });
        }
        slot.gate.touch(now_ms);
        Ok((slot, permit))
    }

    /// Hands an item to the live actor, or keeps it for the next incarnation. On refusal the item has been
    /// told. The caller holds a permit of the slot.
    pub(crate) fn deliver(self: &Arc<Self>, slot: &Arc<Slot<V>>, item: Pending<V>) -> Result<(), Refusal> {
        let mut st = slot.state.lock();
        if let Err(why) = self.may_enqueue(&st) {
            drop(st);
            item.refuse(why.clone());
            self.forget_or_cool(slot);
            return Err(why);
        }
        match &st.phase {
            Phase::Live(live) => {
                if let Some(item) = live.hand_over(item) {
                    st.pending.push_back(item);
                }
            }
            Phase::Activating | Phase::Passivating(..) | Phase::Restarting => st.pending.push_back(item),
            Phase::Dormant | Phase::Failed { .. } | Phase::Quarantined { .. } => {
                st.pending.push_back(item);
                activation::begin(self, slot, &mut st);
            }
            Phase::Gone => unreachable!("the caller's permit keeps the slot from being forgotten"),
        }
        Ok(())
    }

    fn may_enqueue(&self, st: &SlotState<V>) -> Result<(), Refusal> {
        // Again under the lock: the drain has either not seen this slot yet or is seen here.
        if self.mode() != Mode::Open {
            return Err(Refusal::Stopped);
        }
        if let Phase::Failed { until, reason } | Phase::Quarantined { until, reason } = &st.phase {
            let retry_after = until.saturating_duration_since(Instant::now());
            if !retry_after.is_zero() {
                return Err(Refusal::Unavailable { reason: Arc::clone(reason), retry_after });
            }
        }
        Ok(())
    }

    pub(crate) fn jitter(&self) -> f64 {
        self.env.jitter()
    }

    /// Takes a slot that is gone out of the map.
    pub(crate) fn remove(&self, slot: &Arc<Slot<V>>) {
        self.slots.remove_if(&slot.key, |_, known| Arc::ptr_eq(known, slot));
    }

    /// Call without the slot's lock held.
    pub(crate) fn emit(&self, slot: &Slot<V>, restarts: u32, change: impl FnOnce() -> Change) {
        self.env.events.emit(|| RuntimeEvent {
            at_ms: self.env.now_ms(),
            path: self.actor.path(&slot.key),
            kind: Cow::Borrowed(V::KIND),
            change: change(),
            in_flight: slot.gate.in_flight(),
            processed: slot.gate.processed(),
            restarts,
        });
    }
}
