//! A worker that hashes on a thread which gives way to all others, and hurries where that would take for ever.

use super::hash::HashMemory;
use super::priority::give_way;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

type Job = Box<dyn FnOnce(&mut HashMemory) + Send>;

/// What work came to, or its panic.
type Outcome<R> = thread::Result<R>;

/// What is asked of a worker. It may be run twice at once; the first outcome counts.
pub(super) type Work<R> = Arc<dyn Fn(&mut HashMemory) -> R + Send + Sync>;

/// Hashes one password at a time, for a caller that waits.
///
/// Its thread gets a core only while nobody else wants it. Where others keep every core busy, another program perhaps,
/// that is never: what has not come within the patience is hashed once more on a thread like any other, and so are
/// those that follow until the first thread has ended its work.
pub(super) struct HashWorker {
    patience: Duration,
    giving_way: Lane,
    hurrying: Option<Lane>,
}

impl HashWorker {
    /// Starts the thread that gives way.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, giving_way: Lane::start(give_way), hurrying: None }
    }

    /// Does the work and waits for it.
    ///
    /// # Panics
    /// If the work does.
    pub(super) fn run<R: Send + 'static>(&mut self, work: &Work<R>) -> R {
        let (done, outcome) = channel();
        if !self.giving_way.is_busy() {
            self.hurrying = None;
            self.giving_way.begin(work, &done);
            if let Ok(outcome) = outcome.recv_timeout(self.patience) {
                return outcome.unwrap_or_else(|panic| resume_unwind(panic));
            }
            tracing::debug!("hashing hurries: nobody leaves it a core");
        }
        self.hurrying.get_or_insert_with(|| Lane::start(|| ())).begin(work, &done);
        let outcome = outcome.recv().expect("this function holds a sender");
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Does work that can be done once only, and waits for it however long it takes.
    ///
    /// # Panics
    /// If the work does.
    pub(super) fn run_once<R: Send + 'static>(&mut self, work: impl FnOnce() -> R + Send + 'static) -> R {
        let (done, outcome) = channel();
        let once = Mutex::new(Some(work));
        let work: Work<R> = Arc::new(move |_| once.lock().take().expect("it is begun on one thread only")());
        let lane = match self.giving_way.is_busy() {
            false => &self.giving_way,
            true => self.hurrying.get_or_insert_with(|| Lane::start(|| ())),
        };
        lane.begin(&work, &done);
        let outcome = outcome.recv().expect("this function holds a sender");
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// One thread with its own memory.
struct Lane {
    jobs: SyncSender<Job>,
    busy: Arc<AtomicBool>,
}

impl Lane {
    fn start(prepare: impl FnOnce() + Send + 'static) -> Self {
        let (jobs, queue) = sync_channel(1);
        let work = move || {
            prepare();
            work_off(&queue);
        };
        thread::Builder::new().name("hashing".to_owned()).spawn(work).expect("the system has threads left");
        Self { jobs, busy: Arc::default() }
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    fn begin<R: Send + 'static>(&self, work: &Work<R>, done: &Sender<Outcome<R>>) {
        let (work, done, busy) = (Arc::clone(work), done.clone(), Arc::clone(&self.busy));
        busy.store(true, Ordering::Release);
        let job = Box::new(move |memory: &mut HashMemory| {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(memory)));
            busy.store(false, Ordering::Release);
            // Another thread may have been faster.
            let _ = done.send(outcome);
        });
        self.jobs.send(job).expect("a thread waits for work as long as its lane lives");
    }
}

fn work_off(queue: &Receiver<Job>) {
    let mut memory = HashMemory::default();
    while let Ok(job) = queue.recv() {
        job(&mut memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Work whose first run waits until it is let go, as on a machine without a core to spare.
    fn starved() -> (Work<usize>, Sender<()>) {
        let (go, gate) = channel();
        let (gate, runs) = (Mutex::new(gate), AtomicUsize::new(0));
        let work: Work<usize> = Arc::new(move |_| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            if run == 0 {
                gate.lock().recv().expect("let go");
            }
            run
        });
        (work, go)
    }

    #[test]
    fn what_gets_no_core_is_done_elsewhere_until_there_is_one_again() {
        let mut worker = HashWorker::new(Duration::from_millis(1));
        let (work, go) = starved();
        assert_eq!(worker.run(&work), 1, "the second run was the faster one");
        let on: Work<Option<String>> = Arc::new(|_| thread::current().name().map(str::to_owned));
        assert_eq!(worker.run(&on).as_deref(), Some("hashing"), "nobody waits for the first thread");
        assert!(worker.giving_way.is_busy() && worker.hurrying.is_some());
        go.send(()).expect("it waits");
        while worker.giving_way.is_busy() {
            thread::yield_now();
        }
        worker.patience = Duration::from_secs(60);
        worker.run(&on);
        assert!(worker.hurrying.is_none(), "the thread that gives way does it again");
    }

    #[test]
    fn a_panic_is_the_callers() {
        let mut worker = HashWorker::new(Duration::from_millis(1));
        let work: Work<()> = Arc::new(|_| panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(|| worker.run(&work))).is_err());
        let next: Work<u8> = Arc::new(|_| 7);
        assert_eq!(worker.run(&next), 7, "and not the next caller's");
    }
}
