use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One thing of a tenant, in memory until it changes; see [`Rights`](super::rights::Rights) for the order of things.
pub(crate) struct Slot<T> {
    stamp: AtomicU64,
    kept: ArcSwapOption<(u64, Arc<T>)>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { stamp: AtomicU64::new(0), kept: ArcSwapOption::empty() }
    }
}

impl<T> Slot<T> {
    /// To be taken before it is read.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// The thing, if it is here and did not change since.
    pub(crate) fn get(&self) -> Option<Arc<T>> {
        let kept = self.kept.load();
        let kept = kept.as_ref().filter(|kept| kept.0 == self.stamp())?;
        Some(Arc::clone(&kept.1))
    }

    pub(crate) fn keep(&self, stamp: u64, value: &Arc<T>) {
        self.kept.store(Some(Arc::new((stamp, Arc::clone(value)))));
    }

    /// It has changed, or may have.
    pub(crate) fn forget(&self) {
        self.stamp.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_found_after_it() {
        let slot = Slot::default();
        assert!(slot.get().is_none());
        let before = slot.stamp();
        slot.keep(before, &Arc::new(1));
        assert_eq!(slot.get().as_deref(), Some(&1));
        slot.forget();
        assert!(slot.get().is_none());
        // A read that began before the change and is kept after it.
        slot.keep(before, &Arc::new(1));
        assert!(slot.get().is_none());
        slot.keep(slot.stamp(), &Arc::new(2));
        assert_eq!(slot.get().as_deref(), Some(&2));
    }
}
