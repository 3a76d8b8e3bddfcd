//! The ractor actor round one incarnation of a virtual actor.

use crate::actor::VirtualActor;
use crate::directory::core::{Core, Mode};
use crate::directory::slot::{Phase, Slot, Work};
use crate::directory::{Context, DirectoryConfig};
use crate::observe::{DropReason, KindStats, PassivationCause};
use crate::supervision::{Exit, redact_panic};
use crate::{Deadline, Fault, Refusal};
use futures::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;
use tracing::Instrument;

/// What travels through the ractor mailbox.
pub(crate) enum Envelope<V: VirtualActor> {
    /// From a handle.
    Work(Work<V>),
    /// From the incarnation itself.
    Own(Work<V>),
    /// One of its tasks has ended; the reason if it panicked.
    TaskEnded(Result<Option<Work<V>>, Arc<str>>),
    /// Stands behind the last message from handles.
    Drain,
    /// Fault injection.
    Panic,
}

pub(crate) struct Shell<V: VirtualActor>(pub(crate) Arc<Core<V>>);

pub(crate) struct Seed<V: VirtualActor> {
    pub(crate) slot: Arc<Slot<V>>,
    pub(crate) shared: Arc<V::Shared>,
    pub(crate) state: Box<V::State>,
    pub(crate) incarnation: u32,
}

/// The state of the ractor actor; boxed, because ractor keeps it in several futures.
pub(crate) struct Incarnation<V: VirtualActor> {
    cx: Context<V>,
    /// Taken when it is passivated.
    state: Option<Box<V::State>>,
    weight: Weight,
    draining: bool,
}

/// Bytes counted for one live actor; taken off again however it ends.
struct Weight {
    bytes: i64,
    stats: Arc<KindStats>,
}

impl Weight {
    fn new(stats: Arc<KindStats>) -> Self {
        Self { bytes: 0, stats }
    }

    fn update(&mut self, state_bytes: usize) {
        let bytes = state_bytes.saturating_add(DirectoryConfig::ACTOR_BYTES);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        if bytes != self.bytes {
            self.stats.bytes.fetch_add(bytes - self.bytes, Ordering::Relaxed);
            self.bytes = bytes;
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.stats.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl<V: VirtualActor> Actor for Shell<V> {
    type Msg = Envelope<V>;
    type State = Box<Incarnation<V>>;
    type Arguments = Seed<V>;

    async fn pre_start(
        &self,
        myself: ActorRef<Envelope<V>>,
        seed: Seed<V>,
    ) -> Result<Box<Incarnation<V>>, ActorProcessingErr> {
        let mut weight = Weight::new(Arc::clone(&self.0.stats));
        weight.update(self.0.actor.weight(&seed.state));
        let stats = Arc::clone(&self.0.stats);
        let cx = Context::new(seed.slot, seed.shared, myself, stats, seed.incarnation);
        Ok(Box::new(Incarnation { cx, state: Some(seed.state), weight, draining: false }))
    }

    fn handle(
        &self,
        myself: ActorRef<Envelope<V>>,
        envelope: Envelope<V>,
        incarnation: &mut Box<Incarnation<V>>,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        // Boxed: an idle actor shall not carry room for its largest handler.
        Box::pin(self.turn(myself, envelope, incarnation))
    }
}

impl<V: VirtualActor> Shell<V> {
    async fn turn(
        &self,
        myself: ActorRef<Envelope<V>>,
        envelope: Envelope<V>,
        incarnation: &mut Incarnation<V>,
    ) -> Result<(), ActorProcessingErr> {
        match envelope {
            Envelope::Work(work) => {
                if let Some(work) = self.still_wanted(work) {
                    self.run(incarnation, work).await?;
                }
            }
            Envelope::Own(work) => {
                incarnation.cx.slot.state.lock().queued_self -= 1;
                self.run(incarnation, work).await?;
            }
            Envelope::TaskEnded(outcome) => {
                incarnation.cx.reap();
                match outcome {
                    Ok(Some(work)) => self.run(incarnation, work).await?,
                    Ok(None) => {}
                    Err(reason) => return Err(incarnation.exit(reason).into()),
                }
            }
            Envelope::Drain => incarnation.draining = true,
            Envelope::Panic => {
                // A real panic, so that an experiment takes the way a defect would take.
                let injected: Result<(), _> = catch_unwind(|| panic!("injected fault"));
                let reason = injected.err().map_or_else(Default::default, |panic| redact_panic(&*panic));
                return Err(incarnation.exit(reason).into());
            }
        }
        if incarnation.draining && incarnation.cx.has_no_tasks() && self.close(incarnation) {
            self.leave(incarnation).await?;
            myself.stop(None);
        }
        Ok(())
    }

    /// Drops what nobody wants any more before it costs anything.
    fn still_wanted(&self, work: Work<V>) -> Option<Work<V>> {
        let core = &self.0;
        if core.mode() == Mode::Hurried {
            work.refuse(Refusal::Stopped);
            return None;
        }
        if work.deadline.has_passed() {
            core.stats.dropped(DropReason::Expired);
            work.refuse(Refusal::DeadlineExceeded);
            return None;
        }
        if work.is_abandoned() {
            core.stats.dropped(DropReason::Abandoned);
            work.refuse(Refusal::DeadlineExceeded);
            return None;
        }
        Some(work)
    }

    async fn run(&self, incarnation: &mut Incarnation<V>, work: Work<V>) -> Result<(), Exit<V>> {
        let core = &self.0;
        let deadline = work.deadline;
        let Incarnation { cx, state: Some(state), .. } = incarnation else { return Ok(()) };
        let Some((message, _permit)) = work.take() else { return Ok(()) };
        cx.begin(deadline);
        let slot = Arc::clone(&cx.slot);
        let started = Instant::now();
        let span = if tracing::enabled!(tracing::Level::DEBUG) {
            core.actor.span(&slot.key)
        } else {
            tracing::Span::none()
        };
        let turn = core.actor.handle(cx, state, message).instrument(span);
        let outcome = AssertUnwindSafe(turn).catch_unwind().await;
        core.stats.handle_time.observe(started.elapsed());
        slot.gate.count_processed();
        match outcome {
            Ok(Ok(())) => {
                self.after(incarnation);
                Ok(())
            }
            Ok(Err(Fault(reason))) => Err(incarnation.exit(reason.into())),
            Err(panic) => Err(incarnation.exit(redact_panic(&*panic))),
        }
    }

    fn after(&self, incarnation: &mut Incarnation<V>) {
        if let Some(state) = &incarnation.state {
            incarnation.weight.update(self.0.actor.weight(state));
        }
        if incarnation.cx.take_retirement() {
            let slot = &incarnation.cx.slot;
            self.0.begin_drain(slot, &mut slot.state.lock(), PassivationCause::Retired);
        }
    }

    /// Whether the incarnation has handled its last message: from here on it accepts none from itself.
    fn close(&self, incarnation: &Incarnation<V>) -> bool {
        let mut st = incarnation.cx.slot.state.lock();
        let ours = st.incarnation == incarnation.cx.incarnation;
        let last = ours && matches!(st.phase, Phase::Passivating(..)) && st.queued_self == 0;
        st.closing |= last;
        last
    }

    async fn leave(&self, incarnation: &mut Incarnation<V>) -> Result<(), Exit<V>> {
        let Some(state) = incarnation.state.take() else { return Ok(()) };
        let slot = Arc::clone(&incarnation.cx.slot);
        let storing = AssertUnwindSafe(self.0.actor.passivate(&slot.key, *state)).catch_unwind();
        if let Err(panic) = storing.await {
            return Err(incarnation.exit(redact_panic(&*panic)));
        }
        self.0.departed(&slot, incarnation.cx.incarnation);
        Ok(())
    }
}

impl<V: VirtualActor> Incarnation<V> {
    fn exit(&self, reason: Arc<str>) -> Exit<V> {
        Exit { slot: Arc::clone(&self.cx.slot), incarnation: self.cx.incarnation, reason }
    }
}

/// Work for the incarnation itself: no permit, and dropped by nobody.
pub(crate) fn own_work<V: VirtualActor>(message: V::Message, deadline: Deadline) -> Work<V> {
    Work::new(message, deadline, None)
}
