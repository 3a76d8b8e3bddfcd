//! Sending idle actors away.

use crate::actor::VirtualActor;
use crate::directory::{Core, Phase, Slot};
use crate::observe::PassivationCause;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Slots one eviction looks at for each one it wants. Busy ones move to the newest bucket, so that the next
/// eviction does not meet them again.
const LOOKS_PER_EVICTION: usize = 64;

/// What became of a slot taken out of its bucket.
enum Fate {
    /// It leaves.
    Leaving,
    /// Used since, or busy: back into the bucket of this time.
    Relist(u64),
    /// Not live.
    Unlisted,
}

impl<V: VirtualActor> Core<V> {
    /// One turn of the sweeper.
    pub(crate) fn sweep(self: &Arc<Self>) {
        let now_ms = self.env.now_ms();
        let idle_ms = u64::try_from(self.config.idle_after.as_millis()).unwrap_or(u64::MAX);
        if let Some(threshold) = now_ms.checked_sub(idle_ms) {
            let due = self.listed.lock().take_before(threshold + 1);
            for (bucket, slots) in due {
                for slot in slots {
                    let fate = self.consider(&slot, bucket, now_ms, PassivationCause::Idle);
                    self.relist(slot, fate);
                }
            }
        }
        self.forget_cooled();
        self.evict_excess_bytes();
    }

    fn forget_cooled(self: &Arc<Self>) {
        let cooling = self.listed.lock().take_cooling();
        for slot in cooling {
            let mut st = slot.state.lock();
            if self.try_forget(&slot, &mut st) {
                drop(st);
                self.remove(&slot);
            } else if matches!(st.phase, Phase::Dormant | Phase::Failed { .. } | Phase::Quarantined { .. }) {
                drop(st);
                self.listed.lock().cool(slot);
            } else {
                st.cooling = false;
            }
        }
    }

    fn evict_excess_bytes(self: &Arc<Self>) {
        let held = usize::try_from(self.stats.bytes.load(Ordering::Relaxed)).unwrap_or(0);
        let excess = held.saturating_sub(self.config.max_bytes);
        if excess == 0 {
            return;
        }
        let live = self.stats.in_state(crate::observe::NodeState::Live).max(1);
        self.evict(excess.div_ceil((held / live).max(1)));
    }

    /// Sends up to `wanted` of the least recently used idle actors away, at once. Returns how many.
    pub(crate) fn evict(self: &Arc<Self>, wanted: usize) -> usize {
        let now_ms = self.env.now_ms();
        let (mut evicted, mut kept) = (0, Vec::new());
        let looks = wanted.saturating_mul(LOOKS_PER_EVICTION);
        // Slots that are no longer live leave the buckets for good here and so do not count as looks: after a
        // tenant's sessions were drained there may be any number of them in front.
        while evicted < wanted && kept.len() < looks {
            let Some((bucket, slot)) = self.listed.lock().pop_oldest() else { break };
            match self.consider(&slot, bucket, now_ms, PassivationCause::Evicted) {
                Fate::Leaving => evicted += 1,
                Fate::Unlisted => {}
                Fate::Relist(at) => kept.push((slot, Fate::Relist(at))),
            }
        }
        for (slot, fate) in kept {
            self.relist(slot, fate);
        }
        evicted
    }

    fn consider(&self, slot: &Arc<Slot<V>>, bucket: u64, now_ms: u64, cause: PassivationCause) -> Fate {
        let last_used = slot.gate.last_used();
        let used_since = self.listed.lock().bucket_of(last_used) > bucket;
        let mut st = slot.state.lock();
        if !matches!(st.phase, Phase::Live(_)) {
            st.listed = false;
            return Fate::Unlisted;
        }
        if slot.gate.is_in_use() {
            return Fate::Relist(now_ms);
        }
        if used_since {
            return Fate::Relist(last_used);
        }
        st.listed = false;
        self.begin_drain(slot, &mut st, cause);
        Fate::Leaving
    }

    fn relist(&self, slot: Arc<Slot<V>>, fate: Fate) {
        if let Fate::Relist(last_used_ms) = fate {
            self.listed.lock().list(slot, last_used_ms);
        }
    }
}
