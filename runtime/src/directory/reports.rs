//! What a directory tells the system: its part of the tree, its leaks, operators' wishes by path.

use crate::Refusal;
use crate::actor::VirtualActor;
use crate::directory::slot::{Phase, Slot};
use crate::directory::{Core, Drained, activation};
use crate::observe::{Change, Harvest, KindStats, KindSummary, LimiterView, NodeState, TreeNode};
use futures::future::BoxFuture;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

/// A directory as the system sees it, whatever it holds.
pub(crate) trait Registered: Send + Sync {
    fn stats(&self) -> &KindStats;
    fn drain_rank(&self) -> i32;
    fn sweep(self: Arc<Self>);
    fn harvest(&self, into: &mut Harvest<'_>);
    fn summary(&self) -> KindSummary;
    fn reset_path(self: Arc<Self>, path: &str) -> bool;
    fn panic_path(&self, path: &str) -> bool;
    fn shut_down(self: Arc<Self>, soft: Instant, give_up: Instant) -> BoxFuture<'static, Drained>;
    fn stop_supervisors(&self) -> BoxFuture<'_, ()>;
    fn leaks(&self) -> Option<String>;
}

impl<V: VirtualActor> Core<V> {
    pub(crate) fn reset(self: &Arc<Self>, slot: &Arc<Slot<V>>) -> bool {
        let mut st = slot.state.lock();
        let had_trouble = st.trouble().is_some_and(|trouble| trouble.last_failure.is_some());
        st.clear_trouble();
        match &st.phase {
            Phase::Restarting => activation::begin(self, slot, &mut st),
            Phase::Failed { .. } | Phase::Quarantined { .. } => {
                st.enter(Phase::Dormant, &self.stats, self.env.now_ms());
                self.go_dormant(slot, st, &Refusal::Stopped);
                self.emit(slot, 0, || Change::Reset);
                return true;
            }
            _ => {}
        }
        drop(st);
        if had_trouble {
            self.emit(slot, 0, || Change::Reset);
        }
        had_trouble
    }

    fn node(&self, slot: &Slot<V>, path: String, now_ms: u64) -> Option<TreeNode> {
        let st = slot.state.lock();
        let state = st.phase.node_state()?;
        let sound = matches!(state, NodeState::Live | NodeState::Dormant | NodeState::Passivating);
        let trouble = st.trouble().filter(|trouble| {
            !sound || !trouble.budget.is_spent(&self.config.restart, self.env.since_epoch())
        });
        Some(TreeNode {
            path,
            kind: Cow::Borrowed(V::KIND),
            state,
            since_ms_ago: now_ms.saturating_sub(st.since_ms),
            in_flight: slot.gate.in_flight(),
            processed: slot.gate.processed(),
            restarts: trouble.map_or(0, |trouble| trouble.restarts),
            last_failure: trouble.and_then(|t| t.last_failure.as_ref()).map(ToString::to_string),
            overloaded: slot.gate.overloaded(),
            limiter: slot.limiter.as_ref().map(|limiter| LimiterView {
                available: limiter.available(),
                burst: limiter.burst(),
                refused: limiter.refused(),
            }),
        })
    }

    /// A scan: by path only an operator asks.
    fn by_path(&self, path: &str, states: &[NodeState]) -> Option<Arc<Slot<V>>> {
        self.slots
            .iter()
            .find(|slot| {
                slot.node_state().is_some_and(|state| states.contains(&state))
                    && self.actor.path(slot.key()) == path
            })
            .map(|slot| Arc::clone(&slot))
    }
}

impl<V: VirtualActor> Registered for Core<V> {
    fn stats(&self) -> &KindStats {
        &self.stats
    }

    fn drain_rank(&self) -> i32 {
        self.config.drain_rank
    }

    fn sweep(self: Arc<Self>) {
        Core::sweep(&self);
    }

    fn harvest(&self, into: &mut Harvest<'_>) {
        let now_ms = self.env.now_ms();
        for slot in &self.slots {
            if !into.next() {
                return;
            }
            if !slot.node_state().is_some_and(|state| into.wants(state)) {
                continue;
            }
            let path = self.actor.path(slot.key());
            if into.wants_path(&path) {
                into.nodes.extend(self.node(&slot, path, now_ms));
            }
        }
    }

    fn summary(&self) -> KindSummary {
        let stats = &self.stats;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        KindSummary {
            kind: Cow::Borrowed(V::KIND),
            states: NodeState::ALL
                .into_iter()
                .map(|state| (state, stats.in_state(state) as u64))
                .filter(|&(_, keys)| keys > 0)
                .collect(),
            in_flight: count(stats.in_flight.get()),
            processed: stats.handle_time.snapshot().count,
            restarts: stats.restarts.load(Ordering::Relaxed),
            quarantines: stats.quarantines.load(Ordering::Relaxed),
            refused: stats.refusals().map(|(_, refused)| refused).sum(),
            bytes: count(stats.bytes.load(Ordering::Relaxed)),
        }
    }

    fn reset_path(self: Arc<Self>, path: &str) -> bool {
        use NodeState::{Dormant, Failed, Live, Quarantined, Restarting};
        let found = self.by_path(path, &[Quarantined, Failed, Restarting, Live, Dormant]);
        found.is_some_and(|slot| self.reset(&slot))
    }

    fn panic_path(&self, path: &str) -> bool {
        self.by_path(path, &[NodeState::Live]).is_some_and(|slot| slot.inject_panic())
    }

    fn shut_down(self: Arc<Self>, soft: Instant, give_up: Instant) -> BoxFuture<'static, Drained> {
        Box::pin(async move { Core::shut_down(&self, soft, give_up).await })
    }

    fn stop_supervisors(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for supervisor in self.supervisors.get().into_iter().flatten() {
                // One that has already stopped is as good.
                drop(supervisor.stop_and_wait(None, None).await);
            }
        })
    }

    fn leaks(&self) -> Option<String> {
        let resident = self.residents();
        let tasks = self.stats.owned_tasks.load(Ordering::Relaxed);
        let supervisors = self.supervisors.get().map_or(0, |supervisors| {
            supervisors.iter().filter(|s| s.get_status() != ractor::ActorStatus::Stopped).count()
        });
        (resident > 0 || tasks > 0 || supervisors > 0).then(|| {
            let example = self
                .slots
                .iter()
                .find(|slot| slot.state.lock().room.is_some())
                .map(|slot| format!(", such as {}", self.actor.path(slot.key())))
                .unwrap_or_default();
            format!("{}: {resident} actors, {tasks} owned tasks, {supervisors} supervisors{example}", V::KIND)
        })
    }
}
