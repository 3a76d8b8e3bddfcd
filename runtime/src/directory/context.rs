//! What a handler can do besides answering.

use crate::Deadline;
use crate::Refusal;
use crate::actor::VirtualActor;
use crate::directory::incarnation::{Envelope, own_work};
use crate::directory::slot::{Phase, Slot, Work};
use crate::message::Message;
use crate::observe::KindStats;
use crate::supervision::redact_panic;
use futures::FutureExt;
use ractor::ActorRef;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

/// The actor's side of the runtime, handed to every handler.
pub struct Context<V: VirtualActor> {
    pub(crate) slot: Arc<Slot<V>>,
    shared: Arc<V::Shared>,
    actor: ActorRef<Envelope<V>>,
    stats: Arc<KindStats>,
    deadline: Deadline,
    /// Dropping it aborts them: tasks do not outlive the incarnation.
    tasks: Option<Box<JoinSet<()>>>,
    running: u32,
    pub(crate) incarnation: u32,
    retiring: bool,
}

impl<V: VirtualActor> Context<V> {
    pub(crate) fn new(
        slot: Arc<Slot<V>>,
        shared: Arc<V::Shared>,
        actor: ActorRef<Envelope<V>>,
        stats: Arc<KindStats>,
        incarnation: u32,
    ) -> Self {
        let deadline = Deadline::never();
        Self { slot, shared, actor, stats, deadline, tasks: None, running: 0, incarnation, retiring: false }
    }

    /// The actor's key.
    #[must_use]
    pub fn key(&self) -> &V::Key {
        &self.slot.key
    }

    /// What the actor shares with its callers.
    #[must_use]
    pub fn shared(&self) -> &Arc<V::Shared> {
        &self.shared
    }

    /// Until when somebody waits for the current message's effect. A task's output inherits the deadline of
    /// the message that started the task.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Runs a task that the actor owns: aborted if the actor dies, waited for when it drains. A panic in it
    /// is a fault of the actor.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.launch(task.map(|()| None));
    }

    /// The same, and the task's output comes back to this very incarnation as a message, exactly once, also
    /// while it drains. It is not dropped for being late or abandoned: the handler decides.
    pub fn spawn_then(&mut self, task: impl Future<Output = V::Message> + Send + 'static) {
        self.launch(task.map(Some));
    }

    fn launch(&mut self, task: impl Future<Output = Option<V::Message>> + Send + 'static) {
        self.running += 1;
        let (actor, deadline) = (self.actor.clone(), self.deadline);
        let counted = OwnedTask::new(Arc::clone(&self.stats));
        self.tasks.get_or_insert_default().spawn(async move {
            let _counted = counted;
            let outcome = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(output) => Ok(output.map(|message| own_work::<V>(message, deadline))),
                Err(panic) => Err(redact_panic(&*panic)),
            };
            // An actor that has died meanwhile does not take it; dropping the work refuses it.
            drop(actor.send_message(Envelope::TaskEnded(outcome)));
        });
    }

    /// Lets the actor leave once it has handled what is queued. It comes back when it is next needed.
    pub fn retire(&mut self) {
        self.retiring = true;
    }

    /// A reference to this very incarnation, for its own tasks and callbacks.
    #[must_use]
    pub fn me(&self) -> SelfRef<V> {
        SelfRef {
            slot: Arc::clone(&self.slot),
            actor: self.actor.clone(),
            incarnation: self.incarnation,
            deadline: self.deadline,
        }
    }

    pub(crate) fn begin(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    pub(crate) fn take_retirement(&mut self) -> bool {
        std::mem::take(&mut self.retiring)
    }

    pub(crate) fn has_no_tasks(&self) -> bool {
        self.running == 0
    }

    /// One task has ended.
    pub(crate) fn reap(&mut self) {
        self.running = self.running.saturating_sub(1);
        if self.running == 0 {
            self.tasks = None;
        } else if let Some(tasks) = &mut self.tasks {
            while tasks.try_join_next().is_some() {}
        }
    }
}

struct OwnedTask(Arc<KindStats>);

impl OwnedTask {
    fn new(stats: Arc<KindStats>) -> Self {
        stats.owned_tasks.fetch_add(1, Ordering::Relaxed);
        Self(stats)
    }
}

impl Drop for OwnedTask {
    fn drop(&mut self) {
        self.0.owned_tasks.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends to one incarnation, without admission: what an actor sends itself is bounded by what it was asked.
pub struct SelfRef<V: VirtualActor> {
    slot: Arc<Slot<V>>,
    actor: ActorRef<Envelope<V>>,
    incarnation: u32,
    deadline: Deadline,
}

impl<V: VirtualActor> Clone for SelfRef<V> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
            actor: self.actor.clone(),
            incarnation: self.incarnation,
            deadline: self.deadline,
        }
    }
}

impl<V: VirtualActor> SelfRef<V> {
    /// Sends the message to the incarnation, which handles it even while it drains. `false` if the incarnation
    /// has ended; the message has then been refused with [`Refusal::Stopped`].
    pub fn send(&self, message: V::Message) -> bool {
        let mut st = self.slot.state.lock();
        let present = matches!(st.phase, Phase::Live(_) | Phase::Passivating(..) | Phase::Activating);
        if st.incarnation != self.incarnation || !present || st.closing {
            drop(st);
            message.refuse(Refusal::Stopped);
            return false;
        }
        let work: Work<V> = own_work(message, self.deadline);
        let sent = self.actor.send_message(Envelope::Own(work));
        st.queued_self += u32::from(sent.is_ok());
        drop(st);
        // What could not be sent is dropped here, outside the lock, and refused thereby.
        sent.is_ok()
    }
}
