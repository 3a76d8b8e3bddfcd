//! Counters of a kind of actors and of a pool.

use super::stripes::{StripedHistogram, StripedSum};
use super::tree::{NodeState, PassivationCause};
use crate::Refusal;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Why a message was dropped before a handler saw it.
#[derive(Copy, Clone, Debug)]
pub(crate) enum DropReason {
    Expired,
    Abandoned,
    /// It was queued in an incarnation that died, or was cut off at shutdown.
    Lost,
}

impl DropReason {
    pub(crate) const LABELS: [&'static str; 3] = ["expired", "abandoned", "lost"];
}

/// Everything counted per kind. One per directory.
#[derive(Default)]
pub(crate) struct KindStats {
    pub(crate) kind: &'static str,
    states: [AtomicI64; NodeState::COUNT],
    pub(crate) in_flight: StripedSum,
    pub(crate) handle_time: StripedHistogram,
    pub(crate) activation_time: StripedHistogram,
    pub(crate) activations: AtomicU64,
    pub(crate) activation_failures: AtomicU64,
    passivations: [AtomicU64; PassivationCause::COUNT],
    pub(crate) crashes: AtomicU64,
    pub(crate) restarts: AtomicU64,
    pub(crate) quarantines: AtomicU64,
    refusals: [AtomicU64; Refusal::LABELS.len()],
    drops: [AtomicU64; DropReason::LABELS.len()],
    pub(crate) owned_tasks: AtomicI64,
    /// Bytes of live actors, overhead included.
    pub(crate) bytes: AtomicI64,
    cut: AtomicBool,
}

impl KindStats {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    pub(crate) fn moved(&self, from: Option<NodeState>, to: Option<NodeState>) {
        if let Some(from) = from {
            self.states[from as usize].fetch_sub(1, Ordering::AcqRel);
        }
        if let Some(to) = to {
            self.states[to as usize].fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn in_state(&self, state: NodeState) -> usize {
        usize::try_from(self.states[state as usize].load(Ordering::Acquire)).unwrap_or(0)
    }

    pub(crate) fn refused(&self, why: &Refusal) {
        self.refusals[why.index()].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        labelled(&Refusal::LABELS, &self.refusals)
    }

    pub(crate) fn dropped(&self, why: DropReason) {
        self.drops[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn drops(&self) -> impl Iterator<Item = (&'static str, u64)> {
        labelled(&DropReason::LABELS, &self.drops)
    }

    pub(crate) fn passivated(&self, cause: PassivationCause) {
        self.passivations[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn passivations(&self) -> impl Iterator<Item = (&'static str, u64)> {
        labelled(&PassivationCause::LABELS, &self.passivations)
    }

    /// From now on, what is dropped unanswered was cut off rather than crashed.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

fn labelled(
    labels: &'static [&'static str],
    counts: &[AtomicU64],
) -> impl Iterator<Item = (&'static str, u64)> {
    labels.iter().zip(counts).map(|(label, count)| (*label, count.load(Ordering::Relaxed)))
}

/// Everything counted per pool.
#[derive(Default)]
pub(crate) struct PoolStats {
    pub(crate) name: &'static str,
    pub(crate) queued: AtomicI64,
    pub(crate) running: AtomicI64,
    pub(crate) done: AtomicU64,
    /// Jobs that were dropped before they ran: their caller had gone or their deadline had passed.
    pub(crate) dropped: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) crashed: AtomicU64,
    pub(crate) wait_time: StripedHistogram,
}

impl PoolStats {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }
}
