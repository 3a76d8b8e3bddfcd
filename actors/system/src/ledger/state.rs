use super::messages::Appended;
use plinto_runtime::Reply;
use plinto_storage::Unit;
use std::collections::VecDeque;

/// Transactions of a tenant that may be under way at once. The second begins only where half of a full one waits: the
/// storage then has it at hand when it ends the first, instead of waiting for us to hear of the end and answer.
const UNDER_WAY: usize = 2;

/// The part of a full transaction that is worth one of its own.
const ENOUGH: usize = 2;

/// Work waiting for the next transaction. What arrives while one is under way forms the next batch by itself: group
/// commit without a timer.
pub(crate) struct LedgerState {
    waiting: VecDeque<(Unit, Reply<Appended>)>,
    under_way: usize,
    /// Callers who were just answered are given a moment to come along.
    gathering: bool,
    /// Most units of a transaction.
    most: usize,
}

impl LedgerState {
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), under_way: 0, gathering: false, most }
    }

    pub(super) fn push(&mut self, unit: Unit, reply: Reply<Appended>) {
        self.waiting.push_back((unit, reply));
    }

    /// A transaction of one or `several` units has ended. Whether there should be a moment to gather before the next,
    /// the end of which is to be told by [`gathered`](Self::gathered).
    pub(super) fn ended(&mut self, several: bool) -> bool {
        self.under_way -= 1;
        self.gathering = several && self.under_way == 0 && !self.has_enough();
        self.gathering
    }

    /// The moment is over.
    pub(super) fn gathered(&mut self) {
        self.gathering = false;
    }

    fn has_enough(&self) -> bool {
        self.waiting.len() >= self.most / ENOUGH
    }

    fn may_begin(&self) -> bool {
        match self.under_way {
            0 => !self.gathering || self.has_enough(),
            some => some < UNDER_WAY && self.has_enough(),
        }
    }

    /// The next batch, unless it has to wait or nothing waits. Work whose caller left before it began is dropped.
    pub(super) fn next_batch(&mut self) -> Option<(Vec<Unit>, Vec<Reply<Appended>>)> {
        if !self.may_begin() {
            return None;
        }
        let mut units = Vec::with_capacity(self.waiting.len().min(self.most));
        let mut replies = Vec::with_capacity(units.capacity());
        while units.len() < self.most
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
        self.under_way += 1;
        Some((units, replies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_runtime::{Answer, Deadline};
    use std::time::Duration;

    fn push(state: &mut LedgerState, units: usize) -> Vec<Answer<Appended>> {
        let one = |_| {
            let (reply, answer) = Reply::channel(Deadline::after(Duration::from_secs(1)));
            state.push(Unit { statements: Vec::new(), entries: Vec::new() }, reply);
            answer
        };
        (0..units).map(one).collect()
    }

    fn begun(state: &mut LedgerState) -> Option<usize> {
        state.next_batch().map(|(units, _)| units.len())
    }

    #[tokio::test]
    async fn what_arrives_meanwhile_forms_the_next_transaction() {
        let mut state = LedgerState::new(8);
        let _answers = (push(&mut state, 1), begun(&mut state), push(&mut state, 3));
        assert_eq!(begun(&mut state), None, "one is under way, and few wait");
        assert!(!state.ended(false));
        assert_eq!(begun(&mut state), Some(3));
    }

    #[tokio::test]
    async fn a_second_begins_beside_the_first_where_half_of_a_full_one_waits_and_a_third_never() {
        let mut state = LedgerState::new(8);
        let _answers = (push(&mut state, 1), begun(&mut state), push(&mut state, 4));
        assert_eq!(begun(&mut state), Some(4));
        let _more = push(&mut state, 9);
        assert_eq!(begun(&mut state), None);
        assert!(!state.ended(true), "enough waits");
        assert_eq!(begun(&mut state), Some(8));
        assert_eq!(begun(&mut state), None, "one is left over, and two are under way");
    }

    #[tokio::test]
    async fn those_who_were_just_answered_get_a_moment_to_come_along() {
        let mut state = LedgerState::new(8);
        let _answers = (push(&mut state, 2), begun(&mut state), push(&mut state, 1));
        assert!(state.ended(true));
        assert_eq!(begun(&mut state), None, "they may be on their way");
        let _more = push(&mut state, 1);
        state.gathered();
        assert_eq!(begun(&mut state), Some(2));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_moment_when_enough_have_come() {
        let mut state = LedgerState::new(8);
        let _answers = (push(&mut state, 2), begun(&mut state));
        assert!(state.ended(true));
        let _more = push(&mut state, 4);
        assert_eq!(begun(&mut state), Some(4));
        state.gathered();
        assert_eq!(begun(&mut state), None);
    }

    #[tokio::test]
    async fn work_nobody_waits_for_is_dropped() {
        let mut state = LedgerState::new(8);
        drop(push(&mut state, 3));
        assert_eq!(begun(&mut state), None);
        let _answer = push(&mut state, 1);
        assert_eq!(begun(&mut state), Some(1));
    }
}
