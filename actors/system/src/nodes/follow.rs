use super::lease::Lessor;
use super::news::Reloads;
use super::plan::Plan;
use super::watch::{Position, Watch};
use crate::credentials::ApiKeys;
use crate::error::ServiceError;
use crate::ledger::LedgerHandle;
use crate::look_ups::LookUps;
use crate::registry::Registry;
use crate::session::{SessionActor, SessionHandle};
use crate::tenant::{TenantActor, TenantHandle};
use futures::StreamExt;
use plinto_cluster::{Cluster, Heard, Notice};
use plinto_domain::TenantId;
use plinto_runtime::{ActorSystem, Directory};
use plinto_storage::{Engine, Scope, StorageError, Store, ledger};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// Between polls while the cluster carries notices. It is the bound for a change whose notice is lost unnoticed, such as
/// by a node that is killed between its commit and its notice, so it stays well under two seconds; one poll is one query.
const RARELY: Duration = Duration::from_secs(1);
/// Between polls while it does not.
const OFTEN: Duration = Duration::from_millis(500);
/// How often is looked whether the cluster is still there.
const LOOK: Duration = Duration::from_millis(200);
/// Notices applied together.
const NOTICES: usize = 256;
/// Ledgers asked for at a time, entries read at a time, ledgers read at a time.
const HEADS: usize = 1_000;
const PAGE: u32 = 500;
const AT_ONCE: usize = 8;
/// The platform's own ledger.
const PLATFORM: Uuid = Uuid::nil();

/// How far following has come.
#[derive(Default)]
pub(crate) struct Progress {
    pub(super) polls: AtomicU64,
    pub(super) polls_failed: AtomicU64,
    pub(super) notices: AtomicU64,
    pub(super) gaps: AtomicU64,
    pub(super) changes: AtomicU64,
    pub(super) poll_now: Notify,
}

/// Makes this node's memory follow what other nodes commit: at once by their notices, and surely by reading the
/// ledgers, every second while the cluster answers and twice a second while it does not.
pub(crate) struct Follower {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) store: Arc<Store>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) system: ActorSystem,
    pub(crate) registry: Arc<Registry>,
    pub(crate) keys: Arc<ApiKeys>,
    pub(crate) sessions: SessionHandle,
    pub(crate) resident_sessions: Directory<SessionActor>,
    pub(crate) tenants: TenantHandle,
    pub(crate) resident_tenants: Directory<TenantActor>,
    pub(crate) ledger: LedgerHandle,
    pub(crate) lessor: Arc<Lessor>,
    pub(crate) look_ups: LookUps,
    pub(crate) reloads: Reloads,
    pub(crate) progress: Progress,
}

impl Follower {
    /// Follows until the system stops. A run that follows a failed one polls first, so that nothing heard meanwhile is missed.
    pub(crate) fn start(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.system.service("/services/nodes", "service", move || Arc::clone(&this).run());
    }

    async fn run(self: Arc<Self>) {
        let listening = self.listen();
        tokio::join!(listening, self.poll_in_time());
    }

    async fn listen(self: &Arc<Self>) {
        let mut heard = self.cluster.subscribe();
        let mut batch = Vec::with_capacity(NOTICES);
        while heard.recv_many(&mut batch, NOTICES).await > 0 {
            let mut plan = Plan::default();
            for said in batch.drain(..) {
                match said {
                    Heard::Notice { notice: Notice::Changed { scope, event, subject }, .. } => {
                        plan.add(scope, &event, &subject);
                    }
                    // Nobody subscribes yet.
                    Heard::Notice { notice: Notice::Wake { .. }, .. } => {}
                    Heard::Gap => {
                        self.progress.gaps.fetch_add(1, Ordering::Relaxed);
                        self.progress.poll_now.notify_one();
                    }
                }
            }
            self.progress.notices.fetch_add(plan.changes, Ordering::Relaxed);
            if let Err(error) = self.apply(plan).await {
                tracing::warn!(%error, "a change made by another node is not applied yet; the ledgers are read");
                self.progress.poll_now.notify_one();
            }
        }
        // The cluster was closed: what is left is to poll.
    }

    async fn poll_in_time(self: &Arc<Self>) {
        let mut reachable = self.cluster.is_reachable();
        let mut failing = false;
        loop {
            match self.poll().await {
                Ok(()) => failing = false,
                Err(error) => {
                    self.progress.polls_failed.fetch_add(1, Ordering::Relaxed);
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "the ledgers of other nodes' changes cannot be read; it is tried again");
                    }
                }
            }
            let pause = if reachable && !failing { RARELY } else { OFTEN };
            reachable = self.until_due(Instant::now() + pause, reachable).await;
        }
    }

    /// Waits until a poll is due: by time, because somebody asks for one, or because the cluster came or went.
    async fn until_due(&self, due: Instant, reachable: bool) -> bool {
        loop {
            let now_reachable = self.cluster.is_reachable();
            if now_reachable != reachable || Instant::now() >= due {
                return now_reachable;
            }
            tokio::select! {
                () = self.progress.poll_now.notified() => return self.cluster.is_reachable(),
                () = tokio::time::sleep_until(due.min(Instant::now() + LOOK)) => {}
            }
        }
    }

    /// Reads what was added to the followed ledgers and applies it. Cursors pass only what was applied.
    async fn poll(self: &Arc<Self>) -> Result<(), ServiceError> {
        self.progress.polls.fetch_add(1, Ordering::Relaxed);
        let positions = self.watch.positions();
        let mut outcome = Ok(());
        for chunk in positions.chunks(HEADS) {
            let heads = self.heads(chunk).await?;
            let moved: Vec<(Position, i64)> = chunk
                .iter()
                .filter_map(|at| Some((*at, *heads.get(&at.tenant)?)))
                .filter(|(at, head)| *head > at.seq)
                .collect();
            let mut reading = futures::stream::iter(moved)
                .map(|(at, head)| self.catch_up(at, head))
                .buffer_unordered(AT_ONCE);
            while let Some(read) = reading.next().await {
                outcome = read.and(outcome);
            }
        }
        outcome?;
        // Only while storage answers: an outage must not send away what still serves.
        let is_present =
            |tenant| tenant == PLATFORM || self.resident_tenants.is_resident(&TenantId::from_uuid(tenant));
        let absent = self.watch.forget_absent(is_present);
        if !absent.is_empty() {
            self.drain(absent.into_iter().map(TenantId::from_uuid).collect());
        }
        Ok(())
    }

    async fn heads(&self, of: &[Position]) -> Result<BTreeMap<Uuid, i64>, StorageError> {
        let ids: Vec<Uuid> = of.iter().map(|position| position.tenant).collect();
        Ok(self.engine.ledger_heads(&ids).await?.into_iter().collect())
    }

    /// Applies what stands in a ledger behind a position, to its `head` at least.
    async fn catch_up(self: &Arc<Self>, mut at: Position, head: i64) -> Result<(), ServiceError> {
        loop {
            let page = ledger::changes(&*self.engine, Scope::of(at.tenant), at.seq, PAGE).await?;
            let mut plan = Plan::default();
            for change in &page {
                plan.add(at.tenant, &change.event, &change.subject);
            }
            let last = page.last().map_or(at.seq, |change| change.seq);
            let is_last_page = page.len() < PAGE as usize;
            self.apply(plan).await?;
            // What has no change in it up to the head needs no second look: it was committed before the page was read.
            at.seq = if is_last_page { last.max(head) } else { last };
            self.watch.advance(at);
            if is_last_page {
                return Ok(());
            }
        }
    }
}
