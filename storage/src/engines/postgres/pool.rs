//! Connections, shared fairly: a bounded queue, a bounded wait, and no tenant holds more than half of them. Beside
//! them there is one that the traffic of tenants never gets.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bb8::{ManageConnection, PooledConnection, QueueStrategy};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;
use uuid::Uuid;

use super::PostgresOptions;
use super::connect::{Connector, Line};
use super::failure::{Fault, Kind};
use super::liveness::Liveness;
use crate::engine::{PoolHealth, Scope};
use crate::error::StorageError;

/// Longest wait for a connection.
const WAIT: Duration = Duration::from_secs(1);
/// The same for the one beside the traffic, and how many may wait for it.
const WAIT_ASIDE: Duration = Duration::from_millis(500);
const QUEUE_ASIDE: u32 = 64;

/// A pooled connection.
pub(super) struct Link {
    line: Line,
    epoch: u64,
    /// A transaction is open or an answer outstanding: nobody else may have it.
    busy: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.busy {
            self.line.cut();
        }
    }
}

struct Manager {
    connector: Arc<Connector>,
    liveness: Arc<Liveness>,
    /// Why the last connection could not be made.
    refusal: Mutex<Option<StorageError>>,
}

impl ManageConnection for Links {
    type Connection = Link;
    type Error = Fault;

    async fn connect(&self) -> Result<Link, Fault> {
        let epoch = self.0.liveness.epoch();
        match self.0.connector.connect().await {
            Ok(line) => {
                *self.0.refusal.lock() = None;
                Ok(Link { line, epoch, busy: false })
            }
            Err(fault) => {
                *self.0.refusal.lock() = (fault.kind() != Kind::Lost).then(|| fault.storage());
                Err(fault)
            }
        }
    }

    async fn is_valid(&self, link: &mut Link) -> Result<(), Fault> {
        if self.has_broken(link) { Err(Fault::Silent) } else { Ok(()) }
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.busy || link.line.client.is_closed() || link.epoch != self.0.liveness.epoch()
    }
}

/// The manager behind a handle, so that the pool and we see the same refusal.
struct Links(Arc<Manager>);

/// The pool of one engine.
pub(super) struct Pool {
    links: Mutex<Option<bb8::Pool<Links>>>,
    manager: Arc<Manager>,
    places: Arc<Semaphore>,
    shares: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
    queue: Queue,
    closed: AtomicBool,
    limit: u32,
    wait: Duration,
    patience: Duration,
}

impl Pool {
    /// For the traffic of tenants.
    pub(super) fn new(connector: Arc<Connector>, liveness: Arc<Liveness>, options: &PostgresOptions) -> Self {
        Self {
            wait: WAIT,
            ..Self::of(connector, liveness, options, options.connections, options.queue_depth)
        }
    }

    /// A single connection beside the traffic.
    pub(super) fn aside(
        connector: Arc<Connector>,
        liveness: Arc<Liveness>,
        options: &PostgresOptions,
    ) -> Self {
        Self { wait: WAIT_ASIDE, ..Self::of(connector, liveness, options, 1, QUEUE_ASIDE) }
    }

    fn of(
        connector: Arc<Connector>,
        liveness: Arc<Liveness>,
        options: &PostgresOptions,
        limit: u32,
        queue_depth: u32,
    ) -> Self {
        let limit = limit.max(1);
        let manager = Arc::new(Manager { connector, liveness, refusal: Mutex::new(None) });
        let links = bb8::Pool::builder()
            .max_size(limit)
            .connection_timeout(WAIT)
            // The one used last: its backend has what it needs in the caches of its core and in its own.
            .queue_strategy(QueueStrategy::Lifo)
            .build_unchecked(Links(Arc::clone(&manager)));
        Self {
            links: Mutex::new(Some(links)),
            manager,
            places: Arc::new(Semaphore::new(limit as usize)),
            shares: Mutex::default(),
            queue: Queue { depth: queue_depth as usize, ..Queue::default() },
            closed: AtomicBool::new(false),
            limit,
            wait: WAIT,
            // What the server itself does not end in time, a broken way to it may.
            patience: options.statement_timeout + options.lock_timeout + WAIT,
        }
    }

    /// A connection for work in `scope`.
    pub(super) async fn acquire(&self, scope: Scope) -> Result<Lease, Fault> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        if let Some(reason) = self.manager.liveness.away() {
            return Err(Fault::Away(reason));
        }
        let share = self.share(scope.id());
        let free = Arc::clone(&share)
            .try_acquire_owned()
            .ok()
            .zip(Arc::clone(&self.places).try_acquire_owned().ok());
        let work = async {
            let (share, place) = match free {
                Some(free) => free,
                None => self.wait(share).await?,
            };
            let link = self.link().await?;
            let (liveness, patience) = (Arc::clone(&self.manager.liveness), self.patience);
            Ok(Lease { link, liveness, patience, _share: share, _place: place })
        };
        tokio::select! {
            biased;
            done = work => done,
            fault = self.manager.liveness.gone() => Err(fault),
        }
    }

    /// First the tenant's own share, so that its callers do not queue before those of others.
    async fn wait(
        &self,
        share: Arc<Semaphore>,
    ) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Fault> {
        let _ticket = self.queue.enter().ok_or(StorageError::Overloaded)?;
        let turn = async {
            let share = share.acquire_owned().await?;
            let place = Arc::clone(&self.places).acquire_owned().await?;
            Ok((share, place))
        };
        match timeout(self.wait, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok::<Result<_, tokio::sync::AcquireError>, _>(Err(_)) => Err(closed()),
            Err(_) => Err(StorageError::Overloaded.into()),
        }
    }

    async fn link(&self) -> Result<PooledConnection<'static, Links>, Fault> {
        let links = self.links.lock().clone().ok_or_else(closed)?;
        links.get_owned().await.map_err(|_| match self.manager.refusal.lock().clone() {
            Some(refusal) => refusal.into(),
            None => Fault::Silent,
        })
    }

    fn share(&self, id: Uuid) -> Arc<Semaphore> {
        let mut shares = self.shares.lock();
        if let Some(share) = shares.get(&id).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new((self.limit as usize / 2).max(1)));
        shares.insert(id, Arc::downgrade(&share));
        share
    }

    pub(super) fn health(&self) -> PoolHealth {
        let open = self.links.lock().as_ref().map_or(0, |links| links.state().connections);
        let (waiting, oldest_wait) = self.queue.state();
        PoolHealth {
            limit: self.limit,
            open,
            in_use: self
                .limit
                .saturating_sub(u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX)),
            waiting,
            oldest_wait,
            round_trip: self.manager.liveness.round_trip(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Refuses newcomers, lets those at work finish, closes every connection.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // Those who still wait longer than any statement may take are cut off.
        if let Err(_elapsed) = timeout(self.patience, self.places.acquire_many(self.limit)).await {
            tracing::warn!("closing the connections to PostgreSQL while some are in use");
        }
        self.places.close();
        self.links.lock().take();
    }
}

fn closed() -> Fault {
    StorageError::unavailable("storage was closed").into()
}

/// A connection in use. Dropped in the middle of a transaction, the connection is cut and the server rolls back.
pub(super) struct Lease {
    // Before the permits: whoever gets them finds the connection.
    link: PooledConnection<'static, Links>,
    liveness: Arc<Liveness>,
    patience: Duration,
    _share: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn client(&self) -> &Client {
        &self.link.line.client
    }

    /// From here on the connection is nobody else's until [`settle`](Self::settle).
    pub(super) fn begin(&mut self) {
        self.link.busy = true;
    }

    /// The transaction has ended and every answer has come: from the server, not only from a pooler before it.
    pub(super) fn settle(&mut self) {
        self.link.busy = false;
        self.liveness.answered();
    }

    /// Waits for an answer, for as long as the server answers anybody.
    pub(super) async fn answer<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            done = timeout(self.patience, work) => done.map_err(|_| Fault::Silent),
            fault = self.liveness.gone() => Err(fault),
        }
    }

    /// Ends the transaction without a trace, so that the connection can be used again.
    pub(super) async fn roll_back(&mut self) -> Result<(), Fault> {
        self.answer(self.client().batch_execute("ROLLBACK")).await??;
        self.settle();
        Ok(())
    }
}

/// Who waits, and since when.
#[derive(Default)]
struct Queue {
    waiting: Mutex<BTreeMap<u64, Instant>>,
    next: AtomicU64,
    depth: usize,
}

struct Ticket<'a> {
    queue: &'a Queue,
    number: u64,
}

impl Queue {
    /// `None` when it is full.
    fn enter(&self) -> Option<Ticket<'_>> {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= self.depth {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        waiting.insert(number, Instant::now());
        Some(Ticket { queue: self, number })
    }

    fn state(&self) -> (u32, Duration) {
        let waiting = self.waiting.lock();
        let oldest = waiting.first_key_value().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        (u32::try_from(waiting.len()).unwrap_or(u32::MAX), oldest)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.queue.waiting.lock().remove(&self.number);
    }
}
