//! Sending actors away on demand and at shutdown.

use crate::Refusal;
use crate::actor::VirtualActor;
use crate::directory::core::Mode;
use crate::directory::slot::{Pending, Phase, Slot};
use crate::directory::{Core, activation};
use crate::observe::{Change, PassivationCause};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Cut actors named in a report.
const NAMED: usize = 20;

/// How a directory's shutdown went.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// Actors that left in good order.
    pub(crate) drained: u64,
    /// Actors that were killed, or whose activation was aborted.
    pub(crate) cut: u64,
    /// Paths of some of those.
    pub(crate) cut_paths: Vec<String>,
    /// Requests that were queued for an actor and refused.
    pub(crate) refused: u64,
}

enum Step<V: VirtualActor> {
    /// It leaves; told when it has.
    Exit(oneshot::Receiver<bool>),
    /// It is being activated; told when that has settled.
    Settle(oneshot::Receiver<Result<Arc<V::Shared>, Refusal>>),
    Over(bool),
}

impl<V: VirtualActor> Core<V> {
    pub(crate) async fn passivate(self: &Arc<Self>, slot: &Arc<Slot<V>>) -> bool {
        let step = self.passivation_step(slot);
        self.see_through(slot, step).await
    }

    /// Every actor is told before the first is waited for.
    pub(crate) async fn drain_where(self: &Arc<Self>, f: impl Fn(&V::Key) -> bool) -> usize {
        let slots: Vec<_> =
            self.slots.iter().filter(|slot| f(slot.key())).map(|slot| Arc::clone(&slot)).collect();
        let steps: Vec<_> = slots.into_iter().map(|slot| (self.passivation_step(&slot), slot)).collect();
        let mut left = 0;
        for (step, slot) in steps {
            left += usize::from(self.see_through(&slot, step).await);
        }
        left
    }

    async fn see_through(self: &Arc<Self>, slot: &Arc<Slot<V>>, mut step: Step<V>) -> bool {
        loop {
            match step {
                Step::Over(left) => return left,
                Step::Exit(exit) => return exit.await.unwrap_or(false),
                // Settled either way; the next look decides.
                Step::Settle(settled) => drop(settled.await),
            }
            step = self.passivation_step(slot);
        }
    }

    fn passivation_step(self: &Arc<Self>, slot: &Arc<Slot<V>>) -> Step<V> {
        let mut st = slot.state.lock();
        match &st.phase {
            Phase::Live(_) => {
                self.begin_drain(slot, &mut st, PassivationCause::Asked);
                return Step::Exit(st.await_exit());
            }
            Phase::Passivating(..) => return Step::Exit(st.await_exit()),
            Phase::Activating => {}
            Phase::Restarting if st.pending.is_empty() => {
                self.go_dormant(slot, st, &Refusal::Stopped);
                return Step::Over(true);
            }
            // What waits for the restart is handled first.
            Phase::Restarting => activation::begin(self, slot, &mut st),
            Phase::Dormant | Phase::Failed { .. } | Phase::Quarantined { .. } | Phase::Gone => {
                return Step::Over(false);
            }
        }
        let (waiter, settled) = oneshot::channel();
        st.pending.push_back(Pending::Waiter(waiter));
        Step::Settle(settled)
    }

    /// Drains everything: until `soft` what is queued is handled; until `give_up` what has begun may end;
    /// what is left then is killed.
    pub(crate) async fn shut_down(self: &Arc<Self>, soft: Instant, give_up: Instant) -> Drained {
        let before = self.shutdown_departures();
        self.raise_mode(Mode::Draining);
        self.drain_all();
        let mut report = Drained::default();
        if !self.empty_by(soft).await {
            self.raise_mode(Mode::Hurried);
            if !self.empty_by(give_up).await {
                self.cut_off(&mut report).await;
            }
        }
        report.drained = self.shutdown_departures() - before;
        report
    }

    fn shutdown_departures(&self) -> u64 {
        self.stats.passivations().map(|(_, count)| count).sum()
    }

    fn drain_all(self: &Arc<Self>) {
        let slots: Vec<_> = self.slots.iter().map(|slot| Arc::clone(&slot)).collect();
        for slot in slots {
            let mut st = slot.state.lock();
            match &st.phase {
                Phase::Live(_) => {
                    self.begin_drain(&slot, &mut st, PassivationCause::Shutdown);
                }
                Phase::Restarting if st.pending.is_empty() => {
                    self.go_dormant(&slot, st, &Refusal::Stopped);
                }
                Phase::Restarting => activation::begin(self, &slot, &mut st),
                _ => {}
            }
        }
    }

    async fn empty_by(&self, when: Instant) -> bool {
        loop {
            let departure = self.departures.notified();
            tokio::pin!(departure);
            departure.as_mut().enable();
            if self.is_empty() {
                return true;
            }
            if tokio::time::timeout_at(when, departure).await.is_err() {
                return self.is_empty();
            }
        }
    }

    async fn cut_off(self: &Arc<Self>, report: &mut Drained) {
        self.stats.cut();
        self.cut.cancel();
        let slots: Vec<_> = self.slots.iter().map(|slot| Arc::clone(&slot)).collect();
        for slot in slots {
            if let Some(actor) = self.cut_one(&slot, report) {
                // Waits only for its task to notice: the current handler is dropped at its next await.
                let patience = std::time::Duration::from_millis(100);
                drop(actor.kill_and_wait(Some(patience)).await);
            }
        }
    }

    fn cut_one(self: &Arc<Self>, slot: &Arc<Slot<V>>, report: &mut Drained) -> Option<ractor::ActorCell> {
        let mut st = slot.state.lock();
        let actor = match &st.phase {
            Phase::Live(live) | Phase::Passivating(live, _) => Some(live.actor.get_cell()),
            Phase::Activating | Phase::Restarting => None,
            _ => return None,
        };
        report.refused += st.pending.len() as u64;
        report.cut += 1;
        if report.cut_paths.len() < NAMED {
            report.cut_paths.push(self.actor.path(&slot.key));
        }
        st.announce_exit(false);
        let restarts = st.restarts();
        // Stale from here on: whatever the killed incarnation still reports is ignored.
        st.incarnation = st.incarnation.wrapping_add(1);
        self.go_dormant(slot, st, &Refusal::Stopped);
        self.emit(slot, restarts, || Change::Cut);
        actor
    }
}
