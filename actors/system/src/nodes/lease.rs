use super::share::{Share, nanos};
use plinto_cluster::{Cluster, Grant, LimitKey, Quota};
use plinto_runtime::{ActorSystem, Allowance, Rate};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// Fewest cells leased at a time.
const SMALLEST_BATCH: u32 = 32;
/// A lease is about as many cells as the rate grants in a second divided by this.
const BATCHES_PER_SECOND: u32 = 10;
/// Leases that may wait for their refill; one that finds no place asks again with its next request.
const WAITING: usize = 4_096;
/// Refills under way at once.
const AT_ONCE: usize = 64;

/// Leases cells of the limits that all nodes share.
pub(crate) struct Lessor {
    cluster: Arc<dyn Cluster>,
    clock: Instant,
    asking: mpsc::Sender<Asking>,
    refused: AtomicU64,
}

impl Lessor {
    /// Starts the service that refills leases.
    pub(crate) fn start(cluster: Arc<dyn Cluster>, system: &ActorSystem) -> Arc<Self> {
        let (asking, asked) = mpsc::channel(WAITING);
        let asked = Arc::new(Mutex::new(asked));
        let refilling = Arc::clone(&cluster);
        system.service("/services/leases", "service", move || {
            refill(Arc::clone(&refilling), Arc::clone(&asked))
        });
        Arc::new(Self { cluster, clock: Instant::now(), asking, refused: AtomicU64::new(0) })
    }

    /// The shared allowance of one tenant's requests.
    pub(crate) fn of_tenant(self: &Arc<Self>, tenant: Uuid, rate: Rate) -> Arc<dyn Allowance> {
        let mut id = [0; 32];
        id[..16].copy_from_slice(tenant.as_bytes());
        let period = Duration::from_secs(1) / rate.per_second.get();
        Arc::new_cyclic(|this| Lease {
            lessor: Arc::clone(self),
            this: this.clone(),
            key: LimitKey { name: "tenant.requests", id },
            quota: Quota { period: period.max(Duration::from_micros(1)), burst: rate.burst },
            batch: batch(rate),
            cells: AtomicI64::new(0),
            refused_until: AtomicU64::new(0),
            is_asking: AtomicBool::new(false),
            share: Share::default(),
        })
    }

    /// Requests refused by leases since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        nanos(self.clock.elapsed())
    }
}

fn batch(rate: Rate) -> u32 {
    (rate.per_second.get() / BATCHES_PER_SECOND).max(SMALLEST_BATCH).min(rate.burst.get())
}

/// Cells of one limit that this node took ahead, so that a request costs no round trip.
///
/// How much more than the limit all nodes together may admit, whatever happens: what is leased and unused (a batch on
/// each node, taken earlier and spent later), and what the local shares admitted while refills were under way. The
/// latter is a debt that the next refill pays back, and refills take half a second at most, so it never exceeds one
/// burst and half a second's rate on all nodes together. Over a long time the limit holds exactly. While the cluster is
/// away the shares alone decide, which together are the limit, too.
struct Lease {
    lessor: Arc<Lessor>,
    this: std::sync::Weak<Lease>,
    key: LimitKey,
    quota: Quota,
    batch: u32,
    /// Cells left; below zero, cells owed.
    cells: AtomicI64,
    /// On the lessor's clock: the cluster has none before.
    refused_until: AtomicU64,
    is_asking: AtomicBool,
    share: Share,
}

impl Allowance for Lease {
    fn take(&self) -> Result<(), Duration> {
        let left =
            self.cells.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| (left > 0).then(|| left - 1));
        if let Ok(left) = left {
            if left * 2 <= i64::from(self.batch) {
                self.ask();
            }
            return Ok(());
        }
        let granted = self.take_without_cells();
        if granted.is_err() {
            self.lessor.refused.fetch_add(1, Ordering::Relaxed);
        }
        granted
    }
}

impl Lease {
    fn take_without_cells(&self) -> Result<(), Duration> {
        let now = self.lessor.now();
        let until = self.refused_until.load(Ordering::Acquire);
        if now < until {
            return Err(Duration::from_nanos(until - now));
        }
        let reachable = self.lessor.cluster.is_reachable();
        if reachable {
            self.ask();
        }
        self.share.take(self.quota, self.lessor.cluster.node_count(), now)?;
        if reachable {
            self.cells.fetch_sub(1, Ordering::AcqRel);
        }
        Ok(())
    }

    /// Asks for a refill, unless one is under way or the cluster has said that there is none yet.
    fn ask(&self) {
        let wants = self.lessor.now() >= self.refused_until.load(Ordering::Acquire)
            && self.lessor.cluster.is_reachable()
            && !self.is_asking.swap(true, Ordering::AcqRel);
        if let (true, Some(this)) = (wants, self.this.upgrade()) {
            // With no place in the queue it is dropped, and the next request asks again.
            drop(self.lessor.asking.try_send(Asking(this)));
        }
    }

    fn owed(&self) -> u32 {
        u32::try_from(self.cells.load(Ordering::Acquire).saturating_neg()).unwrap_or(0)
    }

    fn granted(&self, grant: Grant) {
        let cells = i64::from(grant.cells);
        let left = self.cells.fetch_add(cells, Ordering::AcqRel) + cells;
        if left > 0 && grant.retry_after.is_zero() {
            return;
        }
        // A part of a batch at least, or a hot key would cost a round trip for each cell.
        let worth = (self.batch / 8).max(self.owed().saturating_add(1));
        let pause = grant.retry_after.max(self.quota.period.saturating_mul(worth));
        let until = self.lessor.now().saturating_add(nanos(pause));
        self.refused_until.store(until, Ordering::Release);
    }

    /// The cluster is away: from now on the share alone counts.
    fn forgive(&self) {
        self.cells.fetch_max(0, Ordering::AcqRel);
    }
}

/// A refill on its way; wherever it ends, the next may begin.
struct Asking(Arc<Lease>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.is_asking.store(false, Ordering::Release);
    }
}

async fn refill(cluster: Arc<dyn Cluster>, asked: Arc<Mutex<mpsc::Receiver<Asking>>>) {
    let mut asked = asked.lock().await;
    let mut under_way = JoinSet::new();
    while let Some(asking) = asked.recv().await {
        while under_way.try_join_next().is_some() {}
        if under_way.len() >= AT_ONCE {
            under_way.join_next().await;
        }
        let cluster = Arc::clone(&cluster);
        under_way.spawn(async move {
            let lease = &asking.0;
            let wanted = NonZeroU32::new(lease.batch.saturating_add(lease.owed())).unwrap_or(NonZeroU32::MIN);
            match cluster.take(&lease.key, lease.quota, wanted.get()).await {
                Ok(grant) => lease.granted(grant),
                Err(_away) => lease.forgive(),
            }
        });
    }
}

#[cfg(test)]
mod tests;
