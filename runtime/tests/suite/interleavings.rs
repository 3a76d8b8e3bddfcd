//! Random interleavings of requests, passivations, sweeps, evictions and failing activations, in paused time.
//!
//! The invariants: what was accepted is applied exactly once and in its caller's order; what was refused is not
//! applied; nothing that was acknowledged is missing from what is stored in the end; every caller gets an answer.

use crate::rig::*;
use futures::FutureExt;
use plinto_runtime::{ActivationError, ActorSystem, Deadline, DirectoryConfig, Refusal, SystemConfig};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

const KEYS: u32 = 4;
const CALLERS: u32 = 3;

#[derive(Clone, Debug)]
enum Op {
    Call { caller: u32, key: u32 },
    Slow { caller: u32, key: u32, ms: u64 },
    Cast { caller: u32, key: u32 },
    Later { caller: u32, key: u32, ms: u64 },
    ViaSelf { caller: u32, key: u32 },
    Enter { key: u32 },
    Passivate { key: u32 },
    Crash { key: u32 },
    DrainEven,
    Break { key: u32, how: u8 },
    Mend { key: u32 },
    Yield { turns: u8 },
    Advance { ms: u64 },
}

fn op() -> impl Strategy<Value = Op> {
    let (caller, key) = (0..CALLERS, 0..KEYS);
    prop_oneof![
        6 => (caller.clone(), key.clone()).prop_map(|(caller, key)| Op::Call { caller, key }),
        2 => (caller.clone(), key.clone(), 0u64..40).prop_map(|(caller, key, ms)| Op::Slow { caller, key, ms }),
        5 => (caller.clone(), key.clone()).prop_map(|(caller, key)| Op::Cast { caller, key }),
        2 => (caller.clone(), key.clone(), 0u64..40).prop_map(|(caller, key, ms)| Op::Later { caller, key, ms }),
        2 => (caller, key.clone()).prop_map(|(caller, key)| Op::ViaSelf { caller, key }),
        1 => key.clone().prop_map(|key| Op::Enter { key }),
        4 => key.clone().prop_map(|key| Op::Passivate { key }),
        1 => Just(Op::DrainEven),
        1 => (key.clone(), 0u8..3).prop_map(|(key, how)| Op::Break { key, how }),
        2 => key.prop_map(|key| Op::Mend { key }),
        4 => (0u8..6).prop_map(|turns| Op::Yield { turns }),
        4 => prop_oneof![0u64..5, 5u64..60, 100u64..2_000].prop_map(|ms| Op::Advance { ms }),
    ]
}

fn op_or_crash() -> impl Strategy<Value = Op> {
    prop_oneof![12 => op(), 1 => (0..KEYS).prop_map(|key| Op::Crash { key })]
}

#[derive(Clone, Debug)]
struct Setting {
    activation_ms: u64,
    passivation_ms: u64,
    max_live: usize,
    idle_ms: u64,
}

fn setting() -> impl Strategy<Value = Setting> {
    (prop_oneof![Just(0), 1u64..30], prop_oneof![Just(0), 1u64..30], 1usize..6, 20u64..400).prop_map(
        |(activation_ms, passivation_ms, max_live, idle_ms)| Setting {
            activation_ms,
            passivation_ms,
            max_live,
            idle_ms,
        },
    )
}

/// What became of one message.
struct Sent {
    key: u32,
    entry: Entry,
    /// Handled in the order it was sent in: not by way of a task or of the actor itself.
    direct: bool,
    outcome: Outcome,
}

enum Outcome {
    Called(JoinHandle<Result<Option<usize>, Refusal>>),
    /// Taken or not, and whether it was refused later.
    Cast(Result<(), Refusal>, Arc<AtomicU64>),
}

struct Run {
    rig: Rig,
    sent: Vec<Sent>,
    others: Vec<JoinHandle<()>>,
    sequence: u32,
}

/// Polls once here, so that messages are enqueued in program order, and the rest elsewhere.
fn start<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let mut call = Box::pin(call);
    match (&mut call).now_or_never() {
        Some(done) => tokio::spawn(std::future::ready(done)),
        None => tokio::spawn(call),
    }
}

impl Run {
    async fn new(setting: &Setting) -> Self {
        let sweep_every = Duration::from_millis(10);
        let system = ActorSystem::start(SystemConfig { sweep_every, ..SystemConfig::default() });
        let world = Arc::new(World::default());
        *world.activation_time.lock() = ms(setting.activation_ms);
        *world.passivation_time.lock() = ms(setting.passivation_ms);
        let config =
            DirectoryConfig { max_live: setting.max_live, idle_after: ms(setting.idle_ms), ..config() };
        let counters = system.directory(Counter(Arc::clone(&world)), config).await;
        Self { rig: Rig { system, counters, world }, sent: Vec::new(), others: Vec::new(), sequence: 0 }
    }

    fn entry(&mut self, caller: u32) -> Entry {
        self.sequence += 1;
        (caller, self.sequence)
    }

    fn call(
        &mut self,
        key: u32,
        entry: Entry,
        direct: bool,
        make: impl FnOnce(plinto_runtime::Reply<usize>) -> Ask + Send + 'static,
    ) {
        let counters = self.rig.counters.clone();
        let call = async move { counters.call(&key, Deadline::after(600 * SECOND), make).await.map(Some) };
        self.sent.push(Sent { key, entry, direct, outcome: Outcome::Called(start(call)) });
    }

    async fn apply(&mut self, op: Op) {
        match op {
            Op::Call { caller, key } => {
                let entry = self.entry(caller);
                self.call(key, entry, true, move |reply| Ask::Add(entry, reply));
            }
            Op::Slow { caller, key, ms: n } => {
                let entry = self.entry(caller);
                self.call(key, entry, true, move |reply| Ask::Slow(ms(n), entry, reply));
            }
            Op::Later { caller, key, ms: n } => {
                let entry = self.entry(caller);
                self.call(key, entry, false, move |reply| Ask::Later(ms(n), entry, reply));
            }
            Op::ViaSelf { caller, key } => {
                let (entry, refused) = (self.entry(caller), Arc::new(AtomicU64::new(0)));
                let counters = self.rig.counters.clone();
                let call = async move {
                    let via = |reply| Ask::ViaSelf(entry, refused, reply);
                    counters.call(&key, Deadline::after(600 * SECOND), via).await.map(|()| None)
                };
                let outcome = Outcome::Called(start(call));
                self.sent.push(Sent { key, entry, direct: false, outcome });
            }
            Op::Cast { caller, key } => {
                let (entry, refused) = (self.entry(caller), Arc::new(AtomicU64::new(0)));
                let taken = self.rig.counters.cast(&key, Ask::Note(entry, Arc::clone(&refused)));
                self.sent.push(Sent { key, entry, direct: true, outcome: Outcome::Cast(taken, refused) });
            }
            Op::Enter { key } => {
                let counters = self.rig.counters.clone();
                self.others.push(start(async move { drop(counters.enter(&key, soon()).await) }));
            }
            Op::Passivate { key } => {
                let counters = self.rig.counters.clone();
                self.others.push(start(async move {
                    let _ = counters.passivate(&key).await;
                }));
            }
            Op::Crash { key } => {
                let counters = self.rig.counters.clone();
                self.others.push(start(async move {
                    let crashed = counters.call(&key, Deadline::after(600 * SECOND), Ask::Panic).await;
                    assert_ne!(crashed, Err(Refusal::DeadlineExceeded), "even a crash is answered");
                }));
            }
            Op::DrainEven => {
                let counters = self.rig.counters.clone();
                let drain = async move {
                    let _ = counters.drain_where(|key| key % 2 == 0).await;
                };
                self.others.push(start(drain));
            }
            Op::Break { key, how } => {
                let error = match how {
                    0 => ActivationError::NotFound,
                    1 => ActivationError::Dependency("down".into()),
                    _ => ActivationError::Failed("damaged".into()),
                };
                self.rig.world.failing.lock().insert(key, error);
            }
            Op::Mend { key } => drop(self.rig.world.failing.lock().remove(&key)),
            Op::Yield { turns } => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            }
            Op::Advance { ms: n } => tokio::time::sleep(ms(n)).await,
        }
    }

    async fn check_after_crashes(self) -> Result<(), TestCaseError> {
        self.rig.world.failing.lock().clear();
        for other in self.others {
            other.await.expect("it ends");
        }
        let mut outcomes = Vec::new();
        for Sent { key, entry, outcome, .. } in self.sent {
            let (refused, crashed) = match outcome {
                Outcome::Called(answer) => match answer.await.expect("it ends") {
                    Ok(_) => (false, false),
                    Err(Refusal::DeadlineExceeded | Refusal::Stopped) => {
                        return Err(TestCaseError::fail("nobody may wait in vain"));
                    }
                    Err(why) => (true, why == Refusal::Crashed),
                },
                Outcome::Cast(taken, _) => (taken.is_err(), false),
            };
            outcomes.push((key, entry, refused && !crashed));
        }
        let report = self.rig.system.shutdown(600 * SECOND, 700 * SECOND).await;
        prop_assert!(report.was_graceful(), "{:?}", report);
        prop_assert_eq!(self.rig.system.leaks(), Vec::<String>::new());
        for (key, entry, refused) in outcomes {
            let times = self.rig.world.stored(key).iter().filter(|&&e| e == entry).count();
            prop_assert!(times <= usize::from(!refused), "{:?} applied {} times", entry, times);
        }
        Ok(())
    }

    async fn check(self) -> Result<(), TestCaseError> {
        self.rig.world.failing.lock().clear();
        for other in self.others {
            other.await.expect("it ends");
        }
        // Those that wait for an answer first: a shutdown then meets idle and busy actors alike.
        let mut called = Vec::new();
        let mut casts = Vec::new();
        for Sent { key, entry, direct, outcome } in self.sent {
            match outcome {
                Outcome::Called(answer) => {
                    called.push((key, entry, direct, answer.await.expect("it ends")));
                }
                Outcome::Cast(taken, refused) => casts.push((key, entry, taken, refused)),
            }
        }
        let report = self.rig.system.shutdown(600 * SECOND, 700 * SECOND).await;
        prop_assert!(report.was_graceful(), "{:?}", report);
        prop_assert_eq!(self.rig.system.leaks(), Vec::<String>::new());
        let world = &self.rig.world;
        let times = |key: u32, entry: Entry| world.stored(key).iter().filter(|&&e| e == entry).count();
        let mut ordered: HashMap<Entry, bool> = HashMap::new();
        for (key, entry, direct, answer) in called {
            ordered.insert(entry, direct);
            match answer {
                Ok(place) => {
                    prop_assert_eq!(times(key, entry), 1, "accepted {:?} at {}", entry, key);
                    if let Some(place) = place {
                        prop_assert_eq!(world.stored(key)[place - 1], entry, "acknowledged place");
                    }
                }
                Err(why) => {
                    let explained = matches!(
                        why,
                        Refusal::NotFound | Refusal::Overloaded { .. } | Refusal::Unavailable { .. }
                    );
                    prop_assert!(explained, "{:?}", why);
                    prop_assert_eq!(times(key, entry), 0, "refused {:?} with {:?}", entry, why);
                }
            }
        }
        for (key, entry, taken, refused) in casts {
            ordered.insert(entry, true);
            let refusals = refused.load(Ordering::SeqCst);
            prop_assert!(taken.is_ok() || refusals == 1, "a refusal is told once: {:?}", taken);
            prop_assert_eq!(times(key, entry) as u64 + refusals, 1, "applied or refused, {:?}", entry);
        }
        for key in 0..KEYS {
            for caller in 0..CALLERS {
                let mine = world.stored(key).into_iter().filter(|e| e.0 == caller && ordered[e]);
                prop_assert!(mine.is_sorted(), "caller {}'s order at {}", caller, key);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_doubled_or_reordered(
        setting in setting(),
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut run = Run::new(&setting).await;
            for op in ops {
                run.apply(op).await;
                let resident = run.rig.counters.resident();
                prop_assert!(resident <= setting.max_live, "{resident} resident");
            }
            run.check().await
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    /// With crashes what was not stored is gone; but everybody is answered, nothing is applied twice, nothing
    /// refused for another reason than the crash is applied, and the bounds hold.
    #[test]
    fn crashes_leave_nobody_waiting_and_double_nothing(
        setting in setting(),
        ops in prop::collection::vec(op_or_crash(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut run = Run::new(&setting).await;
            for op in ops {
                run.apply(op).await;
                let resident = run.rig.counters.resident();
                prop_assert!(resident <= setting.max_live, "{resident} resident");
            }
            run.check_after_crashes().await
        })?;
    }
}

/// The same promise on several threads, where the interleavings are the scheduler's.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_on_many_threads() {
    let rig = Rig::with(DirectoryConfig { max_live: 6, ..config() }).await;
    let rig = Arc::new(rig);
    let callers = (0..4u32).map(|caller| {
        let rig = Arc::clone(&rig);
        tokio::spawn(async move {
            let mut accepted = Vec::new();
            for n in 0..2_000u32 {
                let (key, entry) = (n.wrapping_mul(7 + caller) % 8, (caller, n));
                if rig.counters.call(&key, soon(), |reply| Ask::Add(entry, reply)).await.is_ok() {
                    accepted.push((key, entry));
                }
                if n % 5 == caller {
                    rig.counters.passivate(&(n % 8)).await;
                }
            }
            accepted
        })
    });
    let accepted: Vec<_> = futures::future::join_all(callers).await;
    let report = rig.system.shutdown(30 * SECOND, 40 * SECOND).await;
    assert!(report.was_graceful(), "{report:?}");
    let mut total = 0;
    for (caller, accepted) in (0u32..).zip(accepted) {
        let accepted = accepted.expect("it ends");
        for key in 0..8 {
            let mine = rig.world.stored(key).into_iter().filter(|e| e.0 == caller).collect::<Vec<_>>();
            let expected: Vec<_> = accepted.iter().filter(|(k, _)| *k == key).map(|(_, e)| *e).collect();
            assert_eq!(mine, expected, "caller {caller} at {key}");
            total += mine.len();
        }
    }
    assert!(total > 4_000, "most are accepted: {total}");
    assert_eq!(rig.system.leaks(), Vec::<String>::new());
}
