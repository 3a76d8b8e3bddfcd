//! Bringing an actor to life. One task per activation; everybody who asks meanwhile waits in the slot.

use crate::Refusal;
use crate::actor::{Activated, ActivationError, VirtualActor};
use crate::directory::core::Mode;
use crate::directory::incarnation::{Seed, Shell};
use crate::directory::slot::{Live, Phase, Slot, SlotState};
use crate::directory::{Core, DirectoryConfig};
use crate::observe::{Change, NodeState, PassivationCause};
use crate::supervision::{Verdict, redact_panic};
use futures::FutureExt;
use ractor::Actor;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// How often an activation that waits for room looks whether somebody is still leaving.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Why an activation yielded no live actor.
enum Setback {
    NotFound,
    NoRoom,
    Cut,
    Dependency(Arc<str>),
    Failed(Arc<str>),
}

/// Call under the slot's lock.
pub(crate) fn begin<V: VirtualActor>(core: &Arc<Core<V>>, slot: &Arc<Slot<V>>, st: &mut SlotState<V>) {
    st.enter(Phase::Activating, &core.stats, core.env.now_ms());
    st.incarnation = st.incarnation.wrapping_add(1);
    st.queued_self = 0;
    st.closing = false;
    let incarnation = st.incarnation;
    let (core, slot) = (Arc::clone(core), Arc::clone(slot));
    let env = Arc::clone(&core.env);
    env.tasks.spawn_on(
        async move {
            let started = Instant::now();
            let outcome = tokio::select! {
                biased;
                () = core.cut.cancelled() => Err(Setback::Cut),
                outcome = Box::pin(attempt(&core, &slot, incarnation)) => outcome,
            };
            match outcome {
                Ok(live) => succeed(&core, &slot, live, started),
                Err(setback) => fail(&core, &slot, setback),
            }
        },
        &env.handle,
    );
}

async fn attempt<V: VirtualActor>(
    core: &Arc<Core<V>>,
    slot: &Arc<Slot<V>>,
    incarnation: u32,
) -> Result<Live<V>, Setback> {
    let patience = Instant::now() + core.config.activation_timeout;
    if slot.state.lock().room.is_none() {
        let room = find_room(core, patience).await?;
        slot.state.lock().room = Some(room);
    }
    let loading = AssertUnwindSafe(core.actor.activate(&slot.key)).catch_unwind();
    let Activated { state, shared } = match tokio::time::timeout_at(patience, loading).await {
        Ok(Ok(Ok(activated))) => activated,
        Ok(Ok(Err(ActivationError::NotFound))) => return Err(Setback::NotFound),
        Ok(Ok(Err(ActivationError::Dependency(why)))) => return Err(Setback::Dependency(why.into())),
        Ok(Ok(Err(ActivationError::Failed(why)))) => return Err(Setback::Failed(why.into())),
        Ok(Err(panic)) => return Err(Setback::Failed(redact_panic(&*panic))),
        Err(_elapsed) => return Err(Setback::Failed("activation timed out".into())),
    };
    let seed =
        Seed { slot: Arc::clone(slot), shared: Arc::clone(&shared), state: Box::new(state), incarnation };
    let shell = Shell(Arc::clone(core));
    match Shell::spawn_linked(None, shell, seed, core.supervisor_of(&slot.key)).await {
        Ok((actor, _task)) => Ok(Live { actor, shared }),
        Err(_) => Err(Setback::Failed("its supervisor is gone".into())),
    }
}

/// Room for one more actor, made by sending the least recently used idle one away if need be.
async fn find_room<V: VirtualActor>(
    core: &Arc<Core<V>>,
    patience: Instant,
) -> Result<OwnedSemaphorePermit, Setback> {
    let bytes = usize::try_from(core.stats.bytes.load(Ordering::Relaxed)).unwrap_or(0);
    if bytes.saturating_add(DirectoryConfig::ACTOR_BYTES) > core.config.max_bytes && core.evict(1) == 0 {
        return Err(Setback::NoRoom);
    }
    if let Ok(room) = Arc::clone(&core.room).try_acquire_owned() {
        return Ok(room);
    }
    let _waiting = Waiting::new(core);
    let mut room = pin!(Arc::clone(&core.room).acquire_owned());
    loop {
        let wanted = core.waiting_for_room.load(Ordering::Acquire);
        let leaving = || core.stats.in_state(NodeState::Passivating) + core.room.available_permits();
        let short = wanted.saturating_sub(leaving());
        // What was leaving may have left since and its room gone to another waiter, so only a search that found
        // nobody says that there is no room.
        if short > 0 && core.evict(short) == 0 && leaving() == 0 {
            return room.now_or_never().and_then(Result::ok).ok_or(Setback::NoRoom);
        }
        // Looked at from time to time: one that was leaving may have been called back, and keeps its room.
        let look_again = patience.min(Instant::now() + LOOK_AGAIN);
        match tokio::time::timeout_at(look_again, room.as_mut()).await {
            Ok(granted) => return granted.map_err(|_closed| Setback::NoRoom),
            Err(_elapsed) if look_again == patience => return Err(Setback::NoRoom),
            Err(_elapsed) => {}
        }
    }
}

struct Waiting<'c, V: VirtualActor>(&'c Core<V>);

impl<'c, V: VirtualActor> Waiting<'c, V> {
    fn new(core: &'c Core<V>) -> Self {
        core.waiting_for_room.fetch_add(1, Ordering::AcqRel);
        Self(core)
    }
}

impl<V: VirtualActor> Drop for Waiting<'_, V> {
    fn drop(&mut self) {
        self.0.waiting_for_room.fetch_sub(1, Ordering::AcqRel);
    }
}

fn succeed<V: VirtualActor>(core: &Arc<Core<V>>, slot: &Arc<Slot<V>>, live: Live<V>, started: Instant) {
    let mut st = slot.state.lock();
    let mut unsent = std::collections::VecDeque::new();
    for item in std::mem::take(&mut st.pending) {
        unsent.extend(live.hand_over(item));
    }
    st.pending = unsent;
    st.enter(Phase::Live(live), &core.stats, core.env.now_ms());
    let revived = std::mem::take(&mut st.reviving);
    if revived {
        st.trouble_mut().restarts += 1;
        core.stats.restarts.fetch_add(1, Ordering::Relaxed);
    }
    let restarts = st.restarts();
    if core.mode() != Mode::Open {
        core.begin_drain(slot, &mut st, PassivationCause::Shutdown);
    }
    let unlisted = !std::mem::replace(&mut st.listed, true);
    drop(st);
    if unlisted {
        core.listed.lock().list(Arc::clone(slot), slot.gate.last_used());
    }
    core.stats.activations.fetch_add(1, Ordering::Relaxed);
    core.stats.activation_time.observe(started.elapsed());
    core.emit(slot, restarts, || if revived { Change::Restarted } else { Change::Activated });
}

fn fail<V: VirtualActor>(core: &Arc<Core<V>>, slot: &Arc<Slot<V>>, setback: Setback) {
    let failure = match &setback {
        Setback::Dependency(why) | Setback::Failed(why) => Some(Arc::clone(why)),
        Setback::NotFound | Setback::NoRoom | Setback::Cut => None,
    };
    let mut st = slot.state.lock();
    if !matches!(st.phase, Phase::Activating) {
        return;
    }
    st.reviving = false;
    let refusal = match setback {
        Setback::NotFound => Refusal::NotFound,
        Setback::NoRoom => Refusal::Overloaded { retry_after: core.config.overload_retry },
        Setback::Cut => Refusal::Stopped,
        Setback::Dependency(reason) => {
            Refusal::Unavailable { reason, retry_after: core.config.restart.backoff_base }
        }
        Setback::Failed(reason) => {
            let verdict = core.judge(&mut st, &reason);
            let until = |span| Instant::now() + span;
            let (retry_after, phase) = match verdict {
                Verdict::Restart { after } => {
                    (after, Phase::Failed { until: until(after), reason: Arc::clone(&reason) })
                }
                Verdict::Quarantine { cool_down } => {
                    (cool_down, Phase::Quarantined { until: until(cool_down), reason: Arc::clone(&reason) })
                }
            };
            st.enter(phase, &core.stats, core.env.now_ms());
            Refusal::Unavailable { reason, retry_after }
        }
    };
    let quarantine = match &st.phase {
        Phase::Quarantined { until, .. } => Some(until.saturating_duration_since(Instant::now())),
        _ => None,
    };
    let restarts = st.restarts();
    core.go_dormant(slot, st, &refusal);
    if let Some(reason) = failure {
        core.stats.activation_failures.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(actor = %core.actor.path(&slot.key), kind = V::KIND, %reason, "activation failed");
        core.emit(slot, restarts, || Change::ActivationFailed { reason: reason.to_string() });
        if let Some(cool_down) = quarantine {
            core.announce_quarantine(slot, restarts, &reason, cool_down);
        }
    }
}
