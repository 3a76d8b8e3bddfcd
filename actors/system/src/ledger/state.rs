use super::messages::Appended;
use plinto_runtime::Reply;
use plinto_storage::Unit;
use std::collections::VecDeque;

/// Work waiting for the next transaction. At most one transaction of a tenant is under way, so what arrives
/// meanwhile forms the next batch by itself: group commit without a timer.
#[derive(Default)]
pub(crate) struct LedgerState {
    waiting: VecDeque<(Unit, Reply<Appended>)>,
    committing: bool,
}

impl LedgerState {
    pub(super) fn push(&mut self, unit: Unit, reply: Reply<Appended>) {
        self.waiting.push_back((unit, reply));
    }

    /// How many units wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The next transaction may start.
    pub(super) fn ready(&mut self) {
        self.committing = false;
    }

    /// The next batch, unless one is under way or nothing waits. Work whose caller left before it began is dropped.
    pub(super) fn next_batch(&mut self, most: usize) -> Option<(Vec<Unit>, Vec<Reply<Appended>>)> {
        if self.committing {
            return None;
        }
        let mut units = Vec::with_capacity(self.waiting.len().min(most));
        let mut replies = Vec::with_capacity(units.capacity());
        while units.len() < most
            && let Some((unit, reply)) = self.waiting.pop_front()
        {
            if !reply.is_abandoned() {
                units.push(unit);
                replies.push(reply);
            }
        }
        if units.is_empty() {
            return None;
        }
        self.committing = true;
        Some((units, replies))
    }
}
