//! The ways an incarnation ends: in good order, or by failure.

use crate::Refusal;
use crate::actor::VirtualActor;
use crate::directory::core::Mode;
use crate::directory::incarnation::Envelope;
use crate::directory::slot::{Phase, Slot, SlotState};
use crate::directory::{Core, activation};
use crate::observe::{Change, PassivationCause};
use crate::supervision::Verdict;
use parking_lot::MutexGuard;
use ractor::ActorId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl<V: VirtualActor> Core<V> {
    /// Sends a live actor away once it has handled what is queued. Call under the slot's lock.
    pub(crate) fn begin_drain(&self, slot: &Slot<V>, st: &mut SlotState<V>, cause: PassivationCause) -> bool {
        if !matches!(st.phase, Phase::Live(_)) {
            return false;
        }
        let Phase::Live(live) = st.enter(Phase::Dormant, &self.stats, self.env.now_ms()) else {
            unreachable!("the phase was looked at under the same lock")
        };
        // An actor that has just died does not take the sentinel; its supervisor takes care of the slot.
        drop(live.actor.send_message(Envelope::Drain));
        st.enter(Phase::Passivating(live, cause), &self.stats, self.env.now_ms());
        tracing::trace!(actor = %slot.key, kind = V::KIND, ?cause, "passivating");
        true
    }

    /// The incarnation has handled its last message and stored itself.
    pub(crate) fn departed(self: &Arc<Self>, slot: &Arc<Slot<V>>, incarnation: u32) {
        let mut st = slot.state.lock();
        let Phase::Passivating(_, cause) = st.phase else { return };
        if st.incarnation != incarnation {
            return;
        }
        let restarts = st.restarts();
        st.announce_exit(true);
        self.stats.passivated(cause);
        self.rest(slot, st);
        self.emit(slot, restarts, || Change::Passivated { cause });
    }

    /// Activates the key again if something waits, else lets it go dormant.
    fn rest(self: &Arc<Self>, slot: &Arc<Slot<V>>, mut st: MutexGuard<'_, SlotState<V>>) {
        if st.pending.is_empty() || self.mode() == Mode::Hurried {
            self.go_dormant(slot, st, &Refusal::Stopped);
        } else {
            activation::begin(self, slot, &mut st);
        }
    }

    /// Releases the key's room, refuses what waits, and forgets the key altogether unless there is something to
    /// remember. A key that has failed or is quarantined stays so.
    pub(crate) fn go_dormant(
        self: &Arc<Self>,
        slot: &Arc<Slot<V>>,
        mut st: MutexGuard<'_, SlotState<V>>,
        refusal: &Refusal,
    ) {
        drop(st.room.take());
        if !matches!(st.phase, Phase::Failed { .. } | Phase::Quarantined { .. }) {
            st.enter(Phase::Dormant, &self.stats, self.env.now_ms());
        }
        let waiting = std::mem::take(&mut st.pending);
        drop(st);
        for item in waiting {
            item.refuse(refusal.clone());
        }
        self.forget_or_cool(slot);
        if self.mode() != Mode::Open {
            self.departures.notify_waiters();
        }
    }

    /// Forgets a key that is not resident, or leaves it to the sweeper to do so when it can be forgotten.
    pub(crate) fn forget_or_cool(&self, slot: &Arc<Slot<V>>) {
        let mut st = slot.state.lock();
        if !matches!(st.phase, Phase::Dormant | Phase::Failed { .. } | Phase::Quarantined { .. }) {
            return;
        }
        if self.try_forget(slot, &mut st) {
            drop(st);
            self.remove(slot);
        } else if !std::mem::replace(&mut st.cooling, true) {
            drop(st);
            self.listed.lock().cool(Arc::clone(slot));
        }
    }

    /// Forgets a key that nobody uses, whose limiter is full and whose failures are past. Call under the lock;
    /// on `true` the slot must be removed from the map after the lock is released.
    pub(crate) fn try_forget(&self, slot: &Slot<V>, st: &mut SlotState<V>) -> bool {
        let now = tokio::time::Instant::now();
        let over = match &st.phase {
            Phase::Dormant => true,
            Phase::Failed { until, .. } | Phase::Quarantined { until, .. } => *until <= now,
            _ => false,
        };
        let policy = &self.config.restart;
        let past = |st: &SlotState<V>| {
            st.trouble().is_none_or(|trouble| trouble.budget.is_spent(policy, self.env.since_epoch()))
        };
        if !over || !past(st) || slot.limiter.as_ref().is_some_and(|limiter| !limiter.is_full()) {
            return false;
        }
        if !slot.gate.try_close() {
            return false;
        }
        st.enter(Phase::Gone, &self.stats, self.env.now_ms());
        true
    }

    /// Enters a failure into the key's budget. Call under the slot's lock.
    pub(crate) fn judge(&self, st: &mut SlotState<V>, reason: &Arc<str>) -> Verdict {
        let trouble = st.trouble_mut();
        trouble.last_failure = Some(Arc::clone(reason));
        let verdict = trouble.budget.on_failure(&self.config.restart, self.env.since_epoch(), self.jitter());
        if matches!(verdict, Verdict::Quarantine { .. }) {
            self.stats.quarantines.fetch_add(1, Ordering::Relaxed);
        }
        verdict
    }

    /// Call without the slot's lock held.
    pub(crate) fn announce_quarantine(
        &self,
        slot: &Slot<V>,
        restarts: u32,
        reason: &Arc<str>,
        cool_down: Duration,
    ) {
        tracing::error!(actor = %self.actor.path(&slot.key), kind = V::KIND, %reason, "quarantined");
        self.emit(slot, restarts, || Change::Quarantined {
            reason: reason.to_string(),
            cool_down_ms: u64::try_from(cool_down.as_millis()).unwrap_or(u64::MAX),
        });
    }

    /// An incarnation has died. One-for-one: only this key is concerned.
    pub(crate) fn crashed(self: &Arc<Self>, slot: &Arc<Slot<V>>, incarnation: u32, reason: Arc<str>) {
        let mut st = slot.state.lock();
        let resident = matches!(st.phase, Phase::Live(_) | Phase::Passivating(..));
        if st.incarnation != incarnation || !resident {
            return;
        }
        self.stats.crashes.fetch_add(1, Ordering::Relaxed);
        st.announce_exit(false);
        let verdict = self.judge(&mut st, &reason);
        let restarts = st.restarts();
        let announce = || {
            tracing::error!(actor = %self.actor.path(&slot.key), kind = V::KIND, %reason, "actor failed");
            self.emit(slot, restarts, || Change::Failed { reason: reason.to_string() });
        };
        if self.mode() != Mode::Open {
            // No backoff while draining: what is queued gets its chance at once or never.
            self.rest(slot, st);
            announce();
            return;
        }
        match verdict {
            Verdict::Restart { after } => {
                st.enter(Phase::Restarting, &self.stats, self.env.now_ms());
                st.reviving = true;
                drop(st);
                // First of all: what follows runs the actor's own naming code.
                self.restart_after(slot, incarnation, after);
                announce();
                self.emit(slot, restarts, || Change::Restarting {
                    after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
                });
            }
            Verdict::Quarantine { cool_down } => {
                let until = tokio::time::Instant::now() + cool_down;
                let phase = Phase::Quarantined { until, reason: Arc::clone(&reason) };
                st.enter(phase, &self.stats, self.env.now_ms());
                let refusal = Refusal::Unavailable { reason: Arc::clone(&reason), retry_after: cool_down };
                self.go_dormant(slot, st, &refusal);
                announce();
                self.announce_quarantine(slot, restarts, &reason, cool_down);
            }
        }
    }

    fn restart_after(self: &Arc<Self>, slot: &Arc<Slot<V>>, incarnation: u32, after: Duration) {
        let (core, slot) = (Arc::clone(self), Arc::clone(slot));
        self.env.tasks.spawn_on(
            async move {
                tokio::select! {
                    biased;
                    () = core.cut.cancelled() => return,
                    () = tokio::time::sleep(after) => {}
                }
                let mut st = slot.state.lock();
                if matches!(st.phase, Phase::Restarting) && st.incarnation == incarnation {
                    activation::begin(&core, &slot, &mut st);
                }
            },
            &self.env.handle,
        );
    }

    /// An actor ended without a word to its slot: it was killed from outside. Rare, so a scan is good enough.
    pub(crate) fn vanished(self: &Arc<Self>, id: ActorId) {
        if self.stats.is_cut() {
            return;
        }
        let lost = self.slots.iter().find_map(|slot| {
            let st = slot.state.lock();
            match &st.phase {
                Phase::Live(live) | Phase::Passivating(live, _) if live.actor.get_id() == id => {
                    Some((Arc::clone(&slot), st.incarnation))
                }
                _ => None,
            }
        });
        if let Some((slot, incarnation)) = lost {
            self.crashed(&slot, incarnation, Arc::from("killed"));
        }
    }
}
