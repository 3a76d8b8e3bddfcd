//! Reading the ledgers. One tenant that is slow or damaged costs itself precision, and nobody else anything.

use super::follow::Follower;
use super::plan::Plan;
use super::watch::Position;
use crate::error::ServiceError;
use futures::StreamExt;
use plinto_domain::TenantId;
use plinto_runtime::Refusal;
use plinto_storage::{Scope, ledger};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Ledgers asked for at a time, entries read at a time, ledgers read at a time.
const HEADS: usize = 1_000;
const PAGE: u32 = 500;
const AT_ONCE: usize = 8;
/// How long reading the heads may take.
const HEADS_WAIT: Duration = Duration::from_millis(350);
/// A poll that failed because storage has just fallen silent fails before the engine knows about the silence.
const SILENCE_TOLD: Duration = Duration::from_millis(600);
/// How long making one tenant right may take, and how long all together.
pub(super) const EACH_WAIT: Duration = Duration::from_millis(300);
const ALL_WAIT: Duration = Duration::from_millis(400);
/// The platform's own ledger.
const PLATFORM: Uuid = Uuid::nil();

/// A tenant of which not everything could be read in time: `at` is how far all was applied but what concerns its
/// sessions, `head` how far its ledger goes.
struct Late {
    at: Position,
    head: i64,
}

/// Gives up at `until`. What would begin later does not begin.
async fn by<T, E: Into<ServiceError>>(
    until: Instant,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, ServiceError> {
    if Instant::now() >= until {
        return Err(Refusal::DeadlineExceeded.into());
    }
    match tokio::time::timeout_at(until, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_elapsed) => Err(Refusal::DeadlineExceeded.into()),
    }
}

impl Follower {
    /// Reads what was added to the followed ledgers and applies it. Sessions of tenants that cannot be read in time are
    /// doubted instead: they read their rows before they answer.
    ///
    /// # Errors
    /// The heads could not be read, or storage went away after that. Then nothing is doubted: an outage must not send
    /// away what still serves.
    pub(super) async fn poll(self: &Arc<Self>) -> Result<(), ServiceError> {
        self.progress.polls.fetch_add(1, Ordering::Relaxed);
        let positions = self.watch.positions();
        let heads = self.heads(positions.iter().map(|at| at.tenant)).await?;
        let mut moved: Vec<(Position, i64)> = positions
            .iter()
            .filter_map(|at| Some((*at, *heads.get(&at.tenant)?)))
            .filter(|(at, head)| *head > at.seq)
            .collect();
        // Whoever was late the last time comes last, and the platform first.
        moved.sort_by_key(|(at, _)| (at.tenant != PLATFORM, at.is_behind()));
        let late = self.catch_up_all(moved).await;
        let doubted = self.doubt_late(late).await;
        if self.progress.keys_due.load(Ordering::Acquire) {
            self.read_keys().await;
        }
        self.let_absent_go();
        doubted
    }

    async fn heads(&self, of: impl Iterator<Item = Uuid>) -> Result<BTreeMap<Uuid, i64>, ServiceError> {
        let until = Instant::now() + HEADS_WAIT;
        let ids: Vec<Uuid> = of.collect();
        let mut heads = BTreeMap::new();
        for some in ids.chunks(HEADS) {
            heads.extend(by(until, self.engine.ledger_heads(some)).await?);
        }
        Ok(heads)
    }

    async fn catch_up_all(self: &Arc<Self>, moved: Vec<(Position, i64)>) -> Vec<Late> {
        let end = Instant::now() + ALL_WAIT;
        let catch_up = |(at, head)| async move {
            let until = end.min(Instant::now() + EACH_WAIT);
            self.catch_up(at, head, until).await
        };
        let reading = futures::stream::iter(moved).map(catch_up).buffer_unordered(AT_ONCE);
        reading.filter_map(std::future::ready).collect().await
    }

    /// Applies what stands in a ledger behind a position, to its `head` at least. The cursor passes what was applied.
    async fn catch_up(self: &Arc<Self>, mut at: Position, head: i64, until: Instant) -> Option<Late> {
        let was_behind = at.is_behind();
        let mut failed = None;
        loop {
            let changes = ledger::changes(&*self.engine, Scope::of(at.tenant), at.seq, PAGE);
            let page = match by(until, changes).await {
                Ok(page) => page,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let mut plan = Plan::default();
            for change in &page {
                plan.add(at.tenant, &change.event, &change.subject);
            }
            let last = page.last().map_or(at.seq, |change| change.seq);
            let is_last_page = page.len() < PAGE as usize;
            let told = by(until, self.apply(plan)).await;
            // What has no change in it up to the head needs no second look: it was committed before the page was read.
            at.seq = if is_last_page { last.max(head) } else { last };
            match told {
                Ok(()) if failed.is_none() => self.watch.advance(at),
                Ok(()) => {}
                Err(error) => failed = Some(error),
            }
            if is_last_page {
                break;
            }
        }
        let error = failed?;
        if !was_behind {
            tracing::warn!(tenant = %at.tenant, %error, "a tenant's changes cannot be read in time; its sessions are read again");
        }
        Some(Late { at, head })
    }

    /// Doubts the sessions of tenants that are late, unless they were doubted since, and lets their cursors pass what
    /// that makes right.
    async fn doubt_late(&self, late: Vec<Late>) -> Result<(), ServiceError> {
        let fresh: BTreeSet<Uuid> =
            late.iter().filter(|late| late.head > late.at.doubted).map(|late| late.at.tenant).collect();
        if !fresh.is_empty() {
            // Storage that went away meanwhile is why they are late.
            self.heads(fresh.iter().copied()).await?;
            self.doubt(&fresh).await;
        }
        for Late { at, head } in late {
            self.watch.advance(Position { doubted: head, ..at });
        }
        Ok(())
    }

    async fn doubt(&self, tenants: &BTreeSet<Uuid>) {
        if tenants.contains(&PLATFORM) {
            // Tenants may have been deleted, and keys withdrawn with them.
            return self.doubt_all().await;
        }
        self.progress.doubts.fetch_add(tenants.len() as u64, Ordering::Relaxed);
        tenants.iter().for_each(|tenant| self.doubt_rights(TenantId::from_uuid(*tenant)));
        self.sessions.all_changed(|key| tenants.contains(&key.tenant.uuid())).await;
    }

    async fn doubt_all(&self) {
        tracing::warn!(
            "what other nodes changed cannot be followed; everything in memory is read again when it is used"
        );
        self.progress.doubts.fetch_add(1, Ordering::Relaxed);
        self.progress.keys_due.store(true, Ordering::Release);
        self.registry.forget_all();
        for at in self.watch.positions() {
            self.doubt_rights(TenantId::from_uuid(at.tenant));
        }
        self.sessions.all_changed(|_| true).await;
    }

    /// Nothing has been known of other nodes for too long. Looks once more, when a silence of storage would be known for
    /// what it is. If rows can be read and the ledgers cannot, the sessions have to be; if storage is away, they go on
    /// answering from memory, which is all there is. Whether the ledgers were read.
    pub(super) async fn look_again_or_doubt(self: &Arc<Self>) -> bool {
        tokio::time::sleep(SILENCE_TOLD).await;
        if self.poll().await.is_ok() {
            return true;
        }
        // A row that is read is proof; that nobody has noticed a silence yet is none.
        let rows_are_read = tokio::time::timeout(HEADS_WAIT, self.store.tenants().list(None, 1)).await;
        if rows_are_read.is_ok_and(|read| read.is_ok()) {
            self.doubt_all().await;
        }
        false
    }

    /// Only after the heads were read, for the same reason.
    fn let_absent_go(self: &Arc<Self>) {
        let is_present =
            |tenant| tenant == PLATFORM || self.resident_tenants.is_resident(&TenantId::from_uuid(tenant));
        let absent = self.watch.forget_absent(is_present);
        if !absent.is_empty() {
            self.drain(absent.into_iter().map(TenantId::from_uuid).collect());
        }
    }
}
