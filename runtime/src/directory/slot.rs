//! What the directory keeps per known key.

use crate::actor::VirtualActor;
use crate::admission::{Gate, Limiter, Permit, Pin};
use crate::directory::incarnation::Envelope;
use crate::message::Message;
use crate::observe::{DropReason, KindStats, NodeState, PassivationCause};
use crate::supervision::Trouble;
use crate::{Deadline, Refusal};
use parking_lot::Mutex;
use ractor::{ActorRef, MessagingErr};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

/// One key. Everything is sent under `state`'s lock: a switch of phase and a message can not overtake each other,
/// which is why nothing is lost or doubled across passivation. No user code runs under the lock.
pub(crate) struct Slot<V: VirtualActor> {
    pub(crate) key: V::Key,
    pub(crate) gate: Arc<Gate>,
    pub(crate) limiter: Option<Box<Limiter>>,
    pub(crate) state: Mutex<SlotState<V>>,
}

pub(crate) struct SlotState<V: VirtualActor> {
    pub(crate) phase: Phase<V>,
    /// What waits for the next incarnation, in order. Bounded by the key's permits.
    pub(crate) pending: VecDeque<Pending<V>>,
    /// Held while the key is resident.
    pub(crate) room: Option<OwnedSemaphorePermit>,
    rare: Option<Box<Rare>>,
    /// When the phase was entered, milliseconds since the system's epoch.
    pub(crate) since_ms: u64,
    pub(crate) incarnation: u32,
    /// Messages the incarnation sent to itself that it has not handled yet.
    pub(crate) queued_self: u32,
    /// The last message has been handled: nothing is accepted from the incarnation itself any more.
    pub(crate) closing: bool,
    /// Died: the next activation is a restart.
    pub(crate) reviving: bool,
    /// Whether the slot stands in one of the sweeper's buckets of live actors.
    pub(crate) listed: bool,
    /// Whether the slot stands in the sweeper's list of keys to forget.
    pub(crate) cooling: bool,
}

/// What few keys ever need, kept out of the others' memory.
#[derive(Default)]
struct Rare {
    trouble: Trouble,
    exit_waiters: Vec<oneshot::Sender<bool>>,
}

pub(crate) enum Phase<V: VirtualActor> {
    Dormant,
    Activating,
    Live(Live<V>),
    Passivating(Live<V>, PassivationCause),
    Restarting,
    Failed {
        until: Instant,
        reason: Arc<str>,
    },
    Quarantined {
        until: Instant,
        reason: Arc<str>,
    },
    /// Taken out of the map; whoever still holds the slot looks the key up again.
    Gone,
}

pub(crate) struct Live<V: VirtualActor> {
    pub(crate) actor: ActorRef<Envelope<V>>,
    pub(crate) shared: Arc<V::Shared>,
}

pub(crate) enum Pending<V: VirtualActor> {
    Work(Work<V>),
    Waiter(oneshot::Sender<Result<Arc<V::Shared>, Refusal>>),
}

/// A message under way. Dropped unhandled, it is refused: no work vanishes without a word.
pub(crate) struct Work<V: VirtualActor> {
    message: Option<V::Message>,
    pub(crate) deadline: Deadline,
    /// A cast's permit; a call's rides in its reply.
    permit: Option<Permit>,
}

impl<V: VirtualActor> Phase<V> {
    pub(crate) fn node_state(&self) -> Option<NodeState> {
        Some(match self {
            Self::Dormant => NodeState::Dormant,
            Self::Activating => NodeState::Activating,
            Self::Live(_) => NodeState::Live,
            Self::Passivating(..) => NodeState::Passivating,
            Self::Restarting => NodeState::Restarting,
            Self::Failed { .. } => NodeState::Failed,
            Self::Quarantined { .. } => NodeState::Quarantined,
            Self::Gone => return None,
        })
    }
}

impl<V: VirtualActor> Slot<V> {
    pub(crate) fn new(key: V::Key, gate: Arc<Gate>, limiter: Option<Box<Limiter>>, now_ms: u64) -> Self {
        let state = SlotState {
            phase: Phase::Dormant,
            pending: VecDeque::new(),
            room: None,
            rare: None,
            since_ms: now_ms,
            incarnation: 0,
            queued_self: 0,
            closing: false,
            reviving: false,
            listed: false,
            cooling: false,
        };
        Self { key, gate, limiter, state: Mutex::new(state) }
    }

    pub(crate) fn node_state(&self) -> Option<NodeState> {
        self.state.lock().phase.node_state()
    }

    pub(crate) fn shared_if_live(&self) -> Option<Arc<V::Shared>> {
        match &self.state.lock().phase {
            Phase::Live(live) => Some(Arc::clone(&live.shared)),
            _ => None,
        }
    }

    /// What `look` finds in what the live actor shares, for the holder of the only permit.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&V::Shared) -> Option<T>) -> Option<T> {
        if !self.gate.is_held_once() {
            return None;
        }
        let found = match &self.state.lock().phase {
            Phase::Live(live) => look(&live.shared),
            _ => None,
        };
        found.inspect(|_| self.gate.count_looked())
    }

    pub(crate) fn pin(&self) -> Option<Pin> {
        let st = self.state.lock();
        matches!(st.phase, Phase::Live(_) | Phase::Activating).then(|| self.gate.pin()).flatten()
    }

    pub(crate) fn inject_panic(&self) -> bool {
        match &self.state.lock().phase {
            Phase::Live(live) => live.actor.send_message(Envelope::Panic).is_ok(),
            _ => false,
        }
    }
}

impl<V: VirtualActor> SlotState<V> {
    pub(crate) fn enter(&mut self, phase: Phase<V>, stats: &KindStats, now_ms: u64) -> Phase<V> {
        stats.moved(self.phase.node_state(), phase.node_state());
        self.since_ms = now_ms;
        std::mem::replace(&mut self.phase, phase)
    }

    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.rare.as_ref().map(|rare| &rare.trouble)
    }

    pub(crate) fn trouble_mut(&mut self) -> &mut Trouble {
        &mut self.rare.get_or_insert_default().trouble
    }

    pub(crate) fn clear_trouble(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.trouble = Trouble::default();
        }
        self.release_rare();
    }

    fn release_rare(&mut self) {
        let idle = self
            .rare
            .as_ref()
            .is_some_and(|rare| rare.exit_waiters.is_empty() && rare.trouble.last_failure.is_none());
        if idle {
            self.rare = None;
        }
    }

    pub(crate) fn restarts(&self) -> u32 {
        self.trouble().map_or(0, |trouble| trouble.restarts)
    }

    /// Told whether this incarnation left in good order, once it has left.
    pub(crate) fn await_exit(&mut self) -> oneshot::Receiver<bool> {
        let (waiter, exit) = oneshot::channel();
        self.rare.get_or_insert_default().exit_waiters.push(waiter);
        exit
    }

    pub(crate) fn announce_exit(&mut self, in_good_order: bool) {
        if let Some(rare) = &mut self.rare {
            for waiter in rare.exit_waiters.drain(..) {
                // Whoever stopped waiting does not need to know.
                let _ = waiter.send(in_good_order);
            }
            self.release_rare();
        }
    }
}

impl<V: VirtualActor> Live<V> {
    /// Hands an item over, or gives it back if the actor has died and its supervisor does not know yet.
    pub(crate) fn hand_over(&self, item: Pending<V>) -> Option<Pending<V>> {
        match item {
            Pending::Waiter(waiter) => {
                // A waiter that has gone does not want the answer.
                drop(waiter.send(Ok(Arc::clone(&self.shared))));
                None
            }
            Pending::Work(work) => match self.actor.send_message(Envelope::Work(work)) {
                Err(MessagingErr::SendErr(Envelope::Work(work))) => Some(Pending::Work(work)),
                _ => None,
            },
        }
    }
}

impl<V: VirtualActor> Pending<V> {
    pub(crate) fn refuse(self, why: Refusal) {
        match self {
            Self::Work(work) => work.refuse(why),
            // A waiter that has gone does not want the answer.
            Self::Waiter(waiter) => drop(waiter.send(Err(why))),
        }
    }
}

impl<V: VirtualActor> Work<V> {
    pub(crate) fn new(message: V::Message, deadline: Deadline, permit: Option<Permit>) -> Self {
        Self { message: Some(message), deadline, permit }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.message.as_ref().is_none_or(Message::is_abandoned)
    }

    pub(crate) fn refuse(mut self, why: Refusal) {
        drop(self.permit.take());
        if let Some(message) = self.message.take() {
            message.refuse(why);
        }
    }

    /// The message and, for a cast, the permit to hold while it is handled.
    pub(crate) fn take(mut self) -> Option<(V::Message, Option<Permit>)> {
        self.message.take().map(|message| (message, self.permit.take()))
    }
}

impl<V: VirtualActor> Drop for Work<V> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            let cut = self.permit.as_ref().is_some_and(Permit::is_cut);
            if let Some(permit) = self.permit.take() {
                permit.stats().dropped(DropReason::Lost);
            }
            message.refuse(if cut { Refusal::Stopped } else { Refusal::Crashed });
        }
    }
}
