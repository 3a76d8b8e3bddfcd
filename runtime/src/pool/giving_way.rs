//! A pool's own threads, which give way to all others, and what is done where that would take for ever.

use super::fair_pool::Inner;
use super::job::Job;
use parking_lot::Mutex;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

/// Threads of a pool's own, on which its jobs run one after the other without a hop in between.
///
/// Where other programs keep every core busy, a thread that gives way to all gets none. So a job that has not ended after
/// one to two times the patience is begun once more, if it can be, on a thread like any other, and so are those that
/// follow until the first thread has ended its job.
#[derive(Clone, Copy, Debug)]
pub struct GivingWay {
    /// Runs first on each thread: makes it give way.
    pub prepare: fn(),
    /// How long a job may take.
    pub patience: Duration,
}

type Errand<L> = Box<dyn FnOnce(&mut Option<L>) + Send>;

/// What a thread is doing, for who watches it.
struct Doing<L> {
    /// How many jobs it has begun.
    begun: u64,
    /// The one it has begun and not ended, once more.
    twin: Option<Box<dyn Job<L>>>,
    /// Whether it is to begin no other, because that one was begun elsewhere.
    is_behind: bool,
}

impl<L: 'static> Doing<L> {
    /// The thread's next job.
    fn begin<K>(&mut self, pool: &Inner<K, L>) -> Option<Box<dyn Job<L>>>
    where
        K: Clone + Eq + Hash + Send + 'static,
        L: Send,
    {
        let job = if self.is_behind { None } else { pool.next() };
        self.begun += 1;
        self.twin = job.as_ref().and_then(|job| job.twin());
        job
    }
}

/// A thread with a local of its own.
pub(super) struct Lane<L> {
    errands: SyncSender<Errand<L>>,
    ended: Receiver<()>,
    doing: Arc<Mutex<Doing<L>>>,
}

/// What became of a thread at work.
pub(super) enum Watched<L> {
    /// It found no other job.
    Idle,
    /// It does not get on with this one.
    Behind(Box<dyn Job<L>>),
}

impl<L: Send + 'static> Lane<L> {
    pub(super) fn start(name: &str, giving_way: GivingWay) -> Self {
        let (errands, queue) = sync_channel::<Errand<L>>(1);
        let (done, ended) = sync_channel(1);
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            (giving_way.prepare)();
            // The clock is the runtime's, which may be paused.
            let _entered = runtime.enter();
            let mut local = None;
            while let Ok(errand) = queue.recv() {
                errand(&mut local);
                // Whoever watched has gone with the pool.
                let _ = done.send(());
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(work).expect("the system has threads left");
        let doing = Arc::new(Mutex::new(Doing { begun: 0, twin: None, is_behind: false }));
        Self { errands, ended, doing }
    }

    /// Whether it has not ended yet what was begun elsewhere since.
    pub(super) fn is_behind(&self) -> bool {
        let mut doing = self.doing.lock();
        doing.is_behind = doing.is_behind && self.ended.try_recv() == Err(TryRecvError::Empty);
        doing.is_behind
    }

    /// Has the thread work jobs off until there are none.
    pub(super) fn begin<K>(&self, pool: &Arc<Inner<K, L>>)
    where
        K: Clone + Eq + Hash + Send + 'static,
    {
        let (pool, doing) = (Arc::clone(pool), Arc::clone(&self.doing));
        let next = move |pool: &Inner<K, L>| doing.lock().begin(pool);
        let errand = move |local: &mut Option<L>| {
            while let Some(job) = next(&pool) {
                pool.run(job, local);
            }
        };
        self.errands.send(Box::new(errand)).expect("a thread waits for errands as long as its lane lives");
    }

    /// Waits until the thread finds no other job, or does not get on with one that can be begun once more.
    pub(super) fn watch(&self, patience: Duration) -> Watched<L> {
        let mut seen = self.doing.lock().begun;
        loop {
            match self.ended.recv_timeout(patience) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Watched::Idle,
            }
            let mut doing = self.doing.lock();
            if doing.begun == seen
                && let Some(twin) = doing.twin.take()
            {
                doing.is_behind = true;
                return Watched::Behind(twin);
            }
            seen = doing.begun;
        }
    }
}
