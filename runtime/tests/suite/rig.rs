//! An actor that counts, stores what it counted when it is passivated, and fails on demand.

use parking_lot::Mutex;
use plinto_runtime::{
    Activated, ActivationError, ActorSystem, Admission, Context, Deadline, Directory, DirectoryConfig, Fault,
    Message, Refusal, Reply, RestartPolicy, SystemConfig, VirtualActor,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn soon() -> Deadline {
    Deadline::after(60 * SECOND)
}

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// One accepted message: who sent it, and which of the sender's it is.
pub(crate) type Entry = (u32, u32);

pub(crate) enum Ask {
    /// Appends, answers how many there are.
    Add(Entry, Reply<usize>),
    /// Appends; nobody waits. The counter counts refusals.
    Note(Entry, Arc<AtomicU64>),
    Read(Reply<Vec<Entry>>),
    /// Waits this long in the handler, then appends.
    Slow(Duration, Entry, Reply<usize>),
    /// Waits in an owned task, then appends and answers.
    Later(Duration, Entry, Reply<usize>),
    LaterDone(Entry, Reply<usize>),
    /// Sends itself a note.
    ViaSelf(Entry, Arc<AtomicU64>, Reply<()>),
    Panic(Reply<()>),
    TaskPanic(Reply<()>),
    Fault(Reply<()>),
    Retire(Reply<()>),
    /// Takes a semaphore permit in the handler, without a bound in time.
    Block(Arc<Semaphore>, Reply<()>),
    Deadline(Reply<Deadline>),
}

impl Message for Ask {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Add(_, reply)
            | Self::Slow(_, _, reply)
            | Self::Later(_, _, reply)
            | Self::LaterDone(_, reply) => reply.is_abandoned(),
            Self::Note(..) => false,
            Self::Read(reply) => reply.is_abandoned(),
            Self::ViaSelf(_, _, reply)
            | Self::Panic(reply)
            | Self::TaskPanic(reply)
            | Self::Fault(reply)
            | Self::Retire(reply)
            | Self::Block(_, reply) => reply.is_abandoned(),
            Self::Deadline(reply) => reply.is_abandoned(),
        }
    }

    fn refuse(self, why: Refusal) {
        match self {
            Self::Add(_, reply)
            | Self::Slow(_, _, reply)
            | Self::Later(_, _, reply)
            | Self::LaterDone(_, reply) => reply.refuse(why),
            Self::Note(_, refused) => {
                refused.fetch_add(1, Ordering::SeqCst);
            }
            Self::Read(reply) => reply.refuse(why),
            Self::ViaSelf(_, _, reply)
            | Self::Panic(reply)
            | Self::TaskPanic(reply)
            | Self::Fault(reply)
            | Self::Retire(reply)
            | Self::Block(_, reply) => reply.refuse(why),
            Self::Deadline(reply) => reply.refuse(why),
        }
    }
}

/// What outlives the actors, and the knobs of the tests.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) stored: Mutex<HashMap<u32, Vec<Entry>>>,
    pub(crate) activations: Mutex<HashMap<u32, u32>>,
    pub(crate) passivations: AtomicU64,
    /// Every activation takes this long.
    pub(crate) activation_time: Mutex<Duration>,
    pub(crate) passivation_time: Mutex<Duration>,
    /// Activations of these keys fail so.
    pub(crate) failing: Mutex<HashMap<u32, ActivationError>>,
    pub(crate) admission: Mutex<Option<Admission>>,
    pub(crate) weight: Mutex<usize>,
    pub(crate) path_panics: AtomicBool,
}

impl World {
    pub(crate) fn activations_of(&self, key: u32) -> u32 {
        self.activations.lock().get(&key).copied().unwrap_or(0)
    }

    pub(crate) fn stored(&self, key: u32) -> Vec<Entry> {
        self.stored.lock().get(&key).cloned().unwrap_or_default()
    }
}

pub(crate) struct Counter(pub(crate) Arc<World>);

impl VirtualActor for Counter {
    type Key = u32;
    type Message = Ask;
    type State = Vec<Entry>;
    type Shared = AtomicU64;
    const KIND: &'static str = "counter";

    fn path(&self, key: &u32) -> String {
        assert!(!self.0.path_panics.load(Ordering::SeqCst), "told to, in a path");
        format!("/counters/{key}")
    }

    async fn activate(&self, key: &u32) -> Result<Activated<Self>, ActivationError> {
        *self.0.activations.lock().entry(*key).or_default() += 1;
        let time = *self.0.activation_time.lock();
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        if let Some(error) = self.0.failing.lock().get(key) {
            return Err(error.clone());
        }
        let state = self.0.stored(*key);
        let shared = Arc::new(AtomicU64::new(state.len() as u64));
        Ok(Activated { state, shared })
    }

    async fn handle(&self, cx: &mut Context<Self>, state: &mut Vec<Entry>, ask: Ask) -> Result<(), Fault> {
        match ask {
            Ask::Add(entry, reply) | Ask::LaterDone(entry, reply) => {
                state.push(entry);
                cx.shared().store(state.len() as u64, Ordering::SeqCst);
                reply.send(state.len());
            }
            Ask::Note(entry, _) => state.push(entry),
            Ask::Read(reply) => reply.send(state.clone()),
            Ask::Slow(time, entry, reply) => {
                tokio::time::sleep(time).await;
                state.push(entry);
                reply.send(state.len());
            }
            Ask::Later(time, entry, reply) => cx.spawn_then(async move {
                tokio::time::sleep(time).await;
                Ask::LaterDone(entry, reply)
            }),
            Ask::ViaSelf(entry, refused, reply) => {
                assert!(cx.me().send(Ask::Note(entry, refused)), "the incarnation is alive");
                reply.send(());
            }
            Ask::Panic(_reply) => panic!("told to"),
            Ask::TaskPanic(_reply) => cx.spawn(async { panic!("told to in a task") }),
            Ask::Fault(_reply) => return Err(Fault("told to fail".into())),
            Ask::Retire(reply) => {
                cx.retire();
                reply.send(());
            }
            Ask::Block(semaphore, reply) => {
                semaphore.acquire().await.map_err(|_| Fault("closed".into()))?.forget();
                reply.send(());
            }
            Ask::Deadline(reply) => reply.send(cx.deadline()),
        }
        Ok(())
    }

    async fn passivate(&self, key: &u32, state: Vec<Entry>) {
        let time = *self.0.passivation_time.lock();
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        self.0.stored.lock().insert(*key, state);
        self.0.passivations.fetch_add(1, Ordering::SeqCst);
    }

    fn admission(&self, _key: &u32) -> Admission {
        self.0.admission.lock().unwrap_or(Admission::concurrent(100))
    }

    fn weight(&self, _state: &Vec<Entry>) -> usize {
        *self.0.weight.lock()
    }
}

pub(crate) struct Rig {
    pub(crate) system: ActorSystem,
    pub(crate) counters: Directory<Counter>,
    pub(crate) world: Arc<World>,
}

pub(crate) fn config() -> DirectoryConfig {
    DirectoryConfig {
        shards: 2,
        idle_after: 10 * SECOND,
        restart: RestartPolicy {
            intensity: 2,
            window: 60 * SECOND,
            backoff_base: ms(100),
            backoff_max: SECOND,
            cool_down: 30 * SECOND,
        },
        ..DirectoryConfig::default()
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: DirectoryConfig) -> Self {
        let system = ActorSystem::start(SystemConfig::default());
        let world = Arc::new(World::default());
        let counters = system.directory(Counter(Arc::clone(&world)), config).await;
        Self { system, counters, world }
    }

    pub(crate) async fn add(&self, key: u32, n: u32) -> Result<usize, Refusal> {
        self.counters.call(&key, soon(), |reply| Ask::Add((0, n), reply)).await
    }

    pub(crate) async fn read(&self, key: u32) -> Vec<Entry> {
        self.counters.call_unlimited(&key, soon(), Ask::Read).await.expect("it answers")
    }

    pub(crate) fn note(&self, key: u32, n: u32, refused: &Arc<AtomicU64>) -> Result<(), Refusal> {
        self.counters.cast(&key, Ask::Note((0, n), Arc::clone(refused)))
    }

    /// Ends the test in good order: nothing is cut, nothing leaks.
    pub(crate) async fn finish(self) {
        let report = self.system.shutdown(60 * SECOND, 120 * SECOND).await;
        assert!(report.was_graceful(), "{report:?}");
        assert_eq!(self.system.leaks(), Vec::<String>::new());
    }
}

/// Lets everything that is ready run, without letting time pass.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
