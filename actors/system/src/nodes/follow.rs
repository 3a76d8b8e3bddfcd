use super::lease::Lessor;
use super::news::Reloads;
use super::plan::Plan;
use super::watch::Watch;
use crate::credentials::ApiKeys;
use crate::ledger::LedgerHandle;
use crate::look_ups::LookUps;
use crate::registry::Registry;
use crate::sealed_rows::SealedRows;
use crate::session::{SessionActor, SessionHandle};
use crate::tenant::{TenantActor, TenantHandle};
use plinto_cluster::{Cluster, Heard, Notice};
use plinto_runtime::{ActorSystem, Directory};
use plinto_storage::{Engine, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

/// From the start of one poll to the next, also while the cluster carries notices: it is the bound for a change whose
/// notice is lost unnoticed, such as by a node that is killed between its commit and its notice. One poll is one query.
const PERIOD: Duration = Duration::from_millis(500);
/// What was revoked this long before may not be known any more while polls fail. Looking again and doubting fit into what
/// is left of the two seconds.
const BLIND: Duration = Duration::from_millis(800);
/// Notices applied together.
const NOTICES: usize = 256;
/// Batches of notices that wait for storage at a time; more leave it to the next poll.
const TELLING: usize = 16;

/// How far following has come.
pub(crate) struct Progress {
    pub(super) polls: AtomicU64,
    pub(super) polls_failed: AtomicU64,
    pub(super) notices: AtomicU64,
    pub(super) gaps: AtomicU64,
    pub(super) changes: AtomicU64,
    pub(super) doubts: AtomicU64,
    /// API keys were made or withdrawn and are to be read again.
    pub(super) keys_due: AtomicBool,
    pub(super) poll_now: Notify,
    pub(super) telling: Arc<Semaphore>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            polls: AtomicU64::default(),
            polls_failed: AtomicU64::default(),
            notices: AtomicU64::default(),
            gaps: AtomicU64::default(),
            changes: AtomicU64::default(),
            doubts: AtomicU64::default(),
            keys_due: AtomicBool::default(),
            poll_now: Notify::new(),
            telling: Arc::new(Semaphore::new(TELLING)),
        }
    }
}

/// Makes this node's memory follow what other nodes commit: at once by their notices, and surely by reading the
/// ledgers twice a second.
pub(crate) struct Follower {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) store: Arc<Store>,
    pub(crate) rows: Arc<SealedRows>,
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
        tokio::join!(self.listen(), self.poll_in_time());
    }

    /// Applies what is heard. It never waits for storage, so that nobody's change waits for somebody else's.
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
            self.apply_beside(plan);
        }
        // The cluster was closed: what is left is to poll.
    }

    async fn poll_in_time(self: &Arc<Self>) {
        let mut seen = Instant::now();
        let mut failing = false;
        loop {
            let began = Instant::now();
            match self.poll().await {
                Ok(()) => (seen, failing) = (began, false),
                Err(error) => {
                    self.progress.polls_failed.fetch_add(1, Ordering::Relaxed);
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "the ledgers of other nodes' changes cannot be read; it is tried again");
                    }
                    if seen.elapsed() >= BLIND {
                        let again = Instant::now();
                        if self.look_again_or_doubt().await {
                            (seen, failing) = (again, false);
                        }
                    }
                }
            }
            // Or sooner, when somebody says that notices may have been missed.
            let _ = tokio::time::timeout_at(began + PERIOD, self.progress.poll_now.notified()).await;
        }
    }
}
