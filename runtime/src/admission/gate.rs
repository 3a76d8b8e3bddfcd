//! The per-key gate: permits, pins, and the closing of a key that is forgotten.

use crate::observe::KindStats;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const ONE_PERMIT: u64 = 1;
const PERMITS: u64 = u32::MAX as u64;
const ONE_PIN: u64 = 1 << 32;
const CLOSED: u64 = 1 << 63;

/// Counters of one key. Outlives incarnations, and is the only thing a [`Permit`] has to hold.
pub(crate) struct Gate {
    /// Bits 0..32 permits out, 32..63 pins, 63 closed. One word, so that "nobody uses this key, forget it"
    /// is one compare-and-swap and no permit can be taken from a gate that is being forgotten.
    word: AtomicU64,
    limit: u32,
    overloaded: AtomicU32,
    processed: AtomicU64,
    looked: AtomicU64,
    /// Milliseconds since the system's epoch.
    last_used: AtomicU64,
    stats: Arc<KindStats>,
}

pub(crate) enum Entry {
    Admitted(Permit),
    Full,
    /// The key was forgotten meanwhile: look it up again.
    Closed,
}

impl Gate {
    pub(crate) fn new(limit: u32, stats: Arc<KindStats>, now_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            word: AtomicU64::new(0),
            limit,
            overloaded: AtomicU32::new(0),
            processed: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            last_used: AtomicU64::new(now_ms),
            stats,
        })
    }

    pub(crate) fn admit(self: &Arc<Self>) -> Entry {
        self.enter(u64::from(self.limit))
    }

    /// A permit that is counted but not bounded by the limit.
    pub(crate) fn admit_beyond_limit(self: &Arc<Self>) -> Entry {
        self.enter(PERMITS)
    }

    fn enter(self: &Arc<Self>, limit: u64) -> Entry {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Entry::Closed;
            }
            if word & PERMITS >= limit {
                self.overloaded.fetch_add(1, Ordering::Relaxed);
                return Entry::Full;
            }
            let next = word + ONE_PERMIT;
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    self.stats.in_flight.add(1);
                    return Entry::Admitted(Permit { gate: Arc::clone(self) });
                }
                Err(seen) => word = seen,
            }
        }
    }

    /// `None` once the gate is closed.
    pub(crate) fn pin(self: &Arc<Self>) -> Option<Pin> {
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |word| {
                (word & CLOSED == 0).then_some(word + ONE_PIN)
            })
            .ok()
            .map(|_| Pin { gate: Arc::clone(self) })
    }

    /// Closes a gate that nobody holds a permit or a pin of.
    pub(crate) fn try_close(&self) -> bool {
        self.word.compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether somebody holds a permit or a pin.
    pub(crate) fn is_in_use(&self) -> bool {
        self.word.load(Ordering::Acquire) & !CLOSED != 0
    }

    pub(crate) fn in_flight(&self) -> u32 {
        u32::try_from(self.word.load(Ordering::Relaxed) & PERMITS).unwrap_or(u32::MAX)
    }

    pub(crate) fn overloaded(&self) -> u32 {
        self.overloaded.load(Ordering::Relaxed)
    }

    /// Whether there is one permit and no more: its holder then sees everything that was done under others before.
    pub(crate) fn is_held_once(&self) -> bool {
        self.word.load(Ordering::Acquire) & PERMITS == ONE_PERMIT
    }

    /// Messages handled, and answers found without one.
    pub(crate) fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed) + self.looked.load(Ordering::Relaxed)
    }

    pub(crate) fn count_looked(&self) {
        self.looked.fetch_add(1, Ordering::Relaxed);
    }

    /// Only the key's one live actor calls this, so that load and store need no read-modify-write.
    pub(crate) fn count_processed(&self) {
        self.processed.store(self.processed.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn touch(&self, now_ms: u64) {
        self.last_used.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }
}

/// One request in flight. Released on drop.
pub struct Permit {
    gate: Arc<Gate>,
}

impl Permit {
    /// Whether the directory was cut off at shutdown.
    pub(crate) fn is_cut(&self) -> bool {
        self.gate.stats.is_cut()
    }

    pub(crate) fn stats(&self) -> &KindStats {
        &self.gate.stats
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.word.fetch_sub(ONE_PERMIT, Ordering::AcqRel);
        self.gate.stats.in_flight.add(-1);
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Keeps an actor from being passivated by the sweeper while a child of it is live. Released on drop.
pub struct Pin {
    gate: Arc<Gate>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.gate.word.fetch_sub(ONE_PIN, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pin").finish_non_exhaustive()
    }
}
