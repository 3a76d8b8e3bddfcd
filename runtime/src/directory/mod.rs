//! The directory: finds the one live actor of a key or activates it, and is the only way to reach it.

mod activation;
mod config;
mod context;
mod core;
mod departure;
mod drain;
mod incarnation;
mod reports;
mod slot;

pub use config::DirectoryConfig;
pub use context::{Context, SelfRef};
pub(crate) use core::{Core, Env};
pub(crate) use drain::Drained;
pub(crate) use reports::Registered;
pub(crate) use slot::{Phase, Slot};

use crate::actor::VirtualActor;
use crate::admission::{Budget, Entry, Permit, Pin};
use crate::message::{Answer, Reply};
use crate::observe::NodeState;
use crate::{Deadline, Refusal};
use core::Limits;
use slot::{Pending, Work};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Actors told one after the other before other tasks get their turn.
const TOLD_AT_ONCE: usize = 1_024;

/// Handle of all actors of one kind on this node. Cheap to clone.
pub struct Directory<V: VirtualActor>(Arc<Core<V>>);

impl<V: VirtualActor> Clone for Directory<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: VirtualActor> std::fmt::Debug for Directory<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("kind", &V::KIND).finish_non_exhaustive()
    }
}

/// Leave to act for a key in the caller's own task, on what its actor shares.
#[derive(Debug)]
pub struct Entered<V: VirtualActor> {
    /// What the live actor shares.
    pub shared: Arc<V::Shared>,
    /// Counts as one request in flight until dropped.
    pub permit: Permit,
}

impl<V: VirtualActor> Directory<V> {
    pub(crate) fn new(core: Arc<Core<V>>) -> Self {
        Self(core)
    }

    /// Asks the actor and waits for its answer, at most until the deadline. Takes one permit and one token
    /// of the key's rate limiter before anything is enqueued.
    ///
    /// # Errors
    /// A [`Refusal`]; see its variants.
    pub async fn call<T>(
        &self,
        key: &V::Key,
        deadline: Deadline,
        make: impl FnOnce(Reply<T>) -> V::Message,
    ) -> Result<T, Refusal> {
        self.ask(key, deadline, Limits::Full, make).await
    }

    /// The same without the rate limiter; the permit is still needed. For calls between actors.
    ///
    /// # Errors
    /// A [`Refusal`]; see its variants.
    pub async fn call_unlimited<T>(
        &self,
        key: &V::Key,
        deadline: Deadline,
        make: impl FnOnce(Reply<T>) -> V::Message,
    ) -> Result<T, Refusal> {
        self.ask(key, deadline, Limits::Permit, make).await
    }

    /// Like [`call`](Self::call), but looks first at what the live actor shares, in the caller's own task, where nobody
    /// else has business with the actor: it has then handled everything that was sent before, and what it shares is as
    /// good as its answer. While it handles a message an actor must share nothing that the message may change.
    ///
    /// # Errors
    /// A [`Refusal`]; see its variants.
    pub async fn look_or_call<T>(
        &self,
        key: &V::Key,
        deadline: Deadline,
        look: impl FnOnce(&V::Shared) -> Option<T>,
        make: impl FnOnce(Reply<T>) -> V::Message,
    ) -> Result<T, Refusal> {
        let outcome = match self.admit(key, deadline, Limits::Full) {
            Ok((slot, permit)) => match slot.look(look) {
                Some(found) => Ok(found),
                None => self.enqueue(&slot, permit, deadline, make).wait().await,
            },
            Err(why) => Err(why),
        };
        self.counted(outcome)
    }

    async fn ask<T>(
        &self,
        key: &V::Key,
        deadline: Deadline,
        limits: Limits,
        make: impl FnOnce(Reply<T>) -> V::Message,
    ) -> Result<T, Refusal> {
        let outcome = match self.admit(key, deadline, limits) {
            Ok((slot, permit)) => self.enqueue(&slot, permit, deadline, make).wait().await,
            Err(why) => Err(why),
        };
        self.counted(outcome)
    }

    fn admit(
        &self,
        key: &V::Key,
        deadline: Deadline,
        limits: Limits,
    ) -> Result<(Arc<Slot<V>>, Permit), Refusal> {
        if deadline.has_passed() {
            return Err(Refusal::DeadlineExceeded);
        }
        self.0.admit(key, limits)
    }

    fn enqueue<T>(
        &self,
        slot: &Arc<Slot<V>>,
        permit: Permit,
        deadline: Deadline,
        make: impl FnOnce(Reply<T>) -> V::Message,
    ) -> Answer<T> {
        let (reply, answer) = Reply::admitted(Some(permit), deadline);
        let work = Work::new(make(reply), deadline, None);
        // A refusal has already gone through the reply.
        drop(self.0.deliver(slot, Pending::Work(work)));
        answer
    }

    /// Sends a message nobody waits for, activating the actor if need be. Takes a permit, which is held
    /// until the message has been handled; the rate limiter is not asked.
    ///
    /// # Errors
    /// A [`Refusal`], in which case the message has been refused with it as well.
    pub fn cast(&self, key: &V::Key, message: V::Message) -> Result<(), Refusal> {
        let outcome = match self.0.admit(key, Limits::Permit) {
            Ok((slot, permit)) => {
                let work = Work::new(message, Deadline::never(), Some(permit));
                self.0.deliver(&slot, Pending::Work(work))
            }
            Err(why) => {
                crate::message::Message::refuse(message, why.clone());
                Err(why)
            }
        };
        self.counted(outcome)
    }

    /// Sends a message only if the actor is live or being activated; otherwise the message is dropped and
    /// `false` answered: what is activated later reads the world as it is then. Counted but never refused
    /// for want of a permit, so that a revocation arrives at an overloaded actor, too.
    pub fn cast_if_live(&self, key: &V::Key, message: V::Message) -> bool {
        self.0.known(key).is_some_and(|slot| self.tell_if_live(&slot, message))
    }

    /// The same for every key the predicate holds for. Returns how many were told. Lets others run in between: there may
    /// be very many.
    pub async fn cast_where_live(
        &self,
        f: impl Fn(&V::Key) -> bool,
        message: impl Fn() -> V::Message,
    ) -> usize {
        let slots: Vec<_> =
            self.0.slots.iter().filter(|slot| f(slot.key())).map(|slot| Arc::clone(&slot)).collect();
        let mut told = 0;
        for some in slots.chunks(TOLD_AT_ONCE) {
            told += some.iter().filter(|slot| self.tell_if_live(slot, message())).count();
            tokio::task::yield_now().await;
        }
        told
    }

    fn tell_if_live(&self, slot: &Arc<Slot<V>>, message: V::Message) -> bool {
        let Entry::Admitted(permit) = slot.gate.admit_beyond_limit() else { return false };
        if !matches!(slot.node_state(), Some(NodeState::Live | NodeState::Activating)) {
            return false;
        }
        let work = Work::new(message, Deadline::never(), Some(permit));
        self.0.deliver(slot, Pending::Work(work)).is_ok()
    }

    /// Activates the actor if need be and passes its limiter and permit like a call, but hands out what it
    /// shares instead of sending a message.
    ///
    /// # Errors
    /// A [`Refusal`]; see its variants.
    pub async fn enter(&self, key: &V::Key, deadline: Deadline) -> Result<Entered<V>, Refusal> {
        let outcome = match self.0.admit(key, Limits::Full) {
            Ok((slot, permit)) => {
                self.shared_of(&slot, deadline).await.map(|shared| Entered { shared, permit })
            }
            Err(why) => Err(why),
        };
        self.counted(outcome)
    }

    /// What is left of the key's rate limit, if it has one and the key was heard of lately.
    #[must_use]
    pub fn budget(&self, key: &V::Key) -> Option<Budget> {
        self.0.known(key)?.limiter.as_ref().map(|limiter| limiter.budget())
    }

    /// What the key's actor shares, if it is live. It does not count as its work.
    pub fn peek(&self, key: &V::Key) -> Option<Arc<V::Shared>> {
        let slot = self.0.slots.get(key).map(|slot| Arc::clone(&slot))?;
        slot.shared_if_live()
    }

    /// What the key's actor shares, activating it if need be. No limiter, no bound on permits.
    ///
    /// # Errors
    /// A [`Refusal`]; see its variants.
    pub async fn shared(&self, key: &V::Key, deadline: Deadline) -> Result<Arc<V::Shared>, Refusal> {
        let outcome = match self.0.admit(key, Limits::None) {
            Ok((slot, _permit)) => self.shared_of(&slot, deadline).await,
            Err(why) => Err(why),
        };
        self.counted(outcome)
    }

    /// The caller holds a permit of the slot.
    async fn shared_of(&self, slot: &Arc<Slot<V>>, deadline: Deadline) -> Result<Arc<V::Shared>, Refusal> {
        if let Some(shared) = slot.shared_if_live() {
            return Ok(shared);
        }
        let (waiter, activated) = oneshot::channel();
        self.0.deliver(slot, Pending::Waiter(waiter))?;
        match tokio::time::timeout_at(deadline.instant(), activated).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_closed)) => Err(Refusal::Crashed),
            Err(_elapsed) => Err(Refusal::DeadlineExceeded),
        }
    }

    fn counted<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
        if let Err(why) = &outcome {
            self.0.stats.refused(why);
        }
        outcome
    }

    /// Lets the actor handle everything queued and leave. Returns once it has left; `false` if there was
    /// none to leave or it crashed instead.
    pub async fn passivate(&self, key: &V::Key) -> bool {
        match self.0.known(key) {
            Some(slot) => self.0.passivate(&slot).await,
            None => false,
        }
    }

    /// The same for every key the predicate holds for, all at once. Returns how many left.
    pub async fn drain_where(&self, f: impl Fn(&V::Key) -> bool) -> usize {
        self.0.drain_where(f).await
    }

    /// Clears a key's failures: lifts a quarantine, ends a backoff. `false` if there was nothing to clear.
    pub fn reset(&self, key: &V::Key) -> bool {
        self.0.known(key).is_some_and(|slot| self.0.reset(&slot))
    }

    /// Fault injection: the live actor panics once it has handled what is queued now. `false` if it is not
    /// live.
    pub fn inject_panic(&self, key: &V::Key) -> bool {
        self.0.known(key).is_some_and(|slot| slot.inject_panic())
    }

    /// Whether the key's actor holds resources: live, on its way in or out, or waiting for a restart.
    #[must_use]
    pub fn is_resident(&self, key: &V::Key) -> bool {
        use NodeState::{Activating, Live, Passivating, Restarting};
        let state = self.0.known(key).and_then(|slot| slot.node_state());
        matches!(state, Some(Activating | Live | Passivating | Restarting))
    }

    /// Keys whose actors hold resources, in no order.
    #[must_use]
    pub fn resident_keys(&self) -> Vec<V::Key> {
        let keys: Vec<V::Key> = self.0.slots.iter().map(|slot| slot.key().clone()).collect();
        keys.into_iter().filter(|key| self.is_resident(key)).collect()
    }

    /// How many actors are live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.stats.in_state(NodeState::Live)
    }

    /// How many actors hold resources: live, on their way in or out, or waiting for a restart. Never more than
    /// [`DirectoryConfig::max_live`].
    #[must_use]
    pub fn resident(&self) -> usize {
        self.0.residents()
    }

    /// Keeps a live actor from being passivated by the sweeper until the pin is dropped. `None` if it is not
    /// live.
    #[must_use]
    pub fn pin(&self, key: &V::Key) -> Option<Pin> {
        self.0.known(key).and_then(|slot| slot.pin())
    }
}
