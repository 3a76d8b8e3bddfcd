//! Whether the server answers. A task with a connection of its own asks it several times a second; when nobody
//! got an answer for most of a second, or connecting is refused and nobody else gets one, everything under way ends
//! at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::connect::{Connector, Line};
use super::failure::{Fault, Kind, READ_ONLY};

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);
/// Silence is counted in steps, so that a stalled process does not take itself for a silent server.
const STEP: Duration = Duration::from_millis(50);
/// Steps without an answer on any connection after which the server is away: 0.65 s.
const STEPS: u32 = 13;
/// Refused connections in a row, a step apart, after which it is away.
const REFUSALS: u32 = 3;
/// The same for connections that were ended while they were made: a server that lives may have been told to.
const ENDED: u32 = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Here,
    Away(String),
}

/// What is known about the server, shared by all who use it.
pub(super) struct Liveness {
    state: watch::Sender<State>,
    /// Grows when the server goes away: connections made before are not used again.
    epoch: AtomicU64,
    /// Grows with every answer on any connection.
    answers: AtomicU64,
    round_trip: Mutex<Option<Duration>>,
}

impl Liveness {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(State::Here),
            epoch: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            round_trip: Mutex::new(None),
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The server answered somebody.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// The last round trip measured.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        *self.round_trip.lock()
    }

    /// Why the server cannot be used now, if so.
    pub(super) fn away(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Here => None,
            State::Away(reason) => Some(reason.clone()),
        }
    }

    /// Waits until the server is away.
    pub(super) async fn gone(&self) -> Fault {
        let mut state = self.state.subscribe();
        let away = state.wait_for(|state| matches!(state, State::Away(_))).await;
        match away.as_deref() {
            Ok(State::Away(reason)) => Fault::Away(reason.clone()),
            Ok(State::Here) | Err(_) => Fault::Silent,
        }
    }

    fn leave(&self, reason: &str) {
        let left = self.state.send_if_modified(|state| {
            let left = *state == State::Here;
            if left {
                self.epoch.fetch_add(1, Ordering::Release);
                *state = State::Away(reason.to_owned());
            }
            left
        });
        if left {
            *self.round_trip.lock() = None;
            tracing::warn!(reason, "PostgreSQL is away, writes are refused until it answers");
        }
    }

    fn come_back(&self) {
        let back = self.state.send_if_modified(|state| {
            let back = *state != State::Here;
            *state = State::Here;
            back
        });
        if back {
            tracing::info!("PostgreSQL answers again");
        }
    }

    fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Waits for `work`, and declares the server away when meanwhile nobody gets an answer.
    async fn patiently<T>(&self, silence: &mut Silence, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            if let Ok(done) = timeout(STEP, &mut work).await {
                return done;
            }
            let now = self.answers();
            silence.steps = if now == silence.seen { silence.steps + 1 } else { 0 };
            silence.seen = now;
            if silence.steps >= STEPS {
                self.leave("PostgreSQL does not answer, look at the server and at the network");
            }
        }
    }
}

/// How long nobody got an answer, over all that was tried.
#[derive(Default)]
struct Silence {
    seen: u64,
    steps: u32,
}

/// Watches the server until the task is ended.
pub(super) async fn watch_server(liveness: Arc<Liveness>, connector: Arc<Connector>) {
    let mut silence = Silence::default();
    // What failed in a row, and how many answers there had been before.
    let (mut refusals, mut ended, mut before) = (0, 0, liveness.answers());
    loop {
        match liveness.patiently(&mut silence, connector.connect()).await {
            Ok(line) => {
                // To connect, the server was asked whether it takes writes; a pooler alone could not have answered.
                liveness.answered();
                ask(&liveness, &mut silence, &line).await;
            }
            // Counted as silence; one connection that is not answered says little by itself.
            Err(Fault::Silent) => {}
            Err(fault) if fault.kind() == Kind::Lost => {
                if fault.is_ended() {
                    ended += 1
                } else {
                    refusals += 1
                }
                if (refusals >= REFUSALS || ended >= ENDED) && liveness.answers() == before {
                    liveness.leave(match fault {
                        Fault::ReadOnly => READ_ONLY,
                        _ => "PostgreSQL cannot be reached, look at the server and at the network",
                    });
                }
            }
            // A refusal that would come again is an answer; those who want a connection are told themselves.
            Err(_) => liveness.answered(),
        }
        if liveness.answers() != before {
            (refusals, ended, before) = (0, 0, liveness.answers());
        }
        sleep(if liveness.away().is_none() { STEP } else { PAUSE }).await;
    }
}

/// Asks until the connection ends or the server falls silent.
async fn ask(liveness: &Liveness, silence: &mut Silence, line: &Line) {
    loop {
        let begun = Instant::now();
        let answer = liveness.patiently(silence, async {
            // After a silence a new connection finds the way sooner than an old one.
            timeout(STEP * (STEPS + 2), line.client.batch_execute("SELECT 1")).await
        });
        match answer.await {
            Ok(Ok(())) => {
                *liveness.round_trip.lock() = Some(begun.elapsed());
                liveness.answered();
                liveness.come_back();
            }
            Ok(Err(_)) | Err(_) => break,
        }
        sleep(PAUSE).await;
    }
    line.cut();
}
