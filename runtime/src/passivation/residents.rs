//! The buckets themselves.

use crate::actor::VirtualActor;
use crate::directory::Slot;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Live actors in buckets by last use, and keys that are no longer live but not yet to be forgotten.
pub(crate) struct Residents<V: VirtualActor> {
    width_ms: u64,
    buckets: BTreeMap<u64, VecDeque<Arc<Slot<V>>>>,
    cooling: Vec<Arc<Slot<V>>>,
}

impl<V: VirtualActor> Residents<V> {
    pub(crate) fn new(width: Duration) -> Self {
        let width_ms = u64::try_from(width.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { width_ms, buckets: BTreeMap::new(), cooling: Vec::new() }
    }

    pub(crate) fn bucket_of(&self, last_used_ms: u64) -> u64 {
        last_used_ms / self.width_ms
    }

    pub(crate) fn list(&mut self, slot: Arc<Slot<V>>, last_used_ms: u64) {
        self.buckets.entry(last_used_ms / self.width_ms).or_default().push_back(slot);
    }

    pub(crate) fn cool(&mut self, slot: Arc<Slot<V>>) {
        self.cooling.push(slot);
    }

    pub(crate) fn take_cooling(&mut self) -> Vec<Arc<Slot<V>>> {
        std::mem::take(&mut self.cooling)
    }

    /// Takes one slot out of the oldest bucket, with the bucket's number.
    pub(crate) fn pop_oldest(&mut self) -> Option<(u64, Arc<Slot<V>>)> {
        let mut oldest = self.buckets.first_entry()?;
        let bucket = *oldest.key();
        let slot = oldest.get_mut().pop_front();
        if oldest.get().is_empty() {
            oldest.remove();
        }
        slot.map(|slot| (bucket, slot))
    }

    /// Takes every bucket that holds only actors last listed as used before `last_used_ms`.
    pub(crate) fn take_before(&mut self, last_used_ms: u64) -> Vec<(u64, VecDeque<Arc<Slot<V>>>)> {
        let newer = self.buckets.split_off(&(last_used_ms / self.width_ms));
        std::mem::replace(&mut self.buckets, newer).into_iter().collect()
    }
}
