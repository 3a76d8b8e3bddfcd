//! The actor system: what directories, pools and static nodes belong to.

use crate::actor::VirtualActor;
use crate::directory::{Core, Directory, DirectoryConfig, Env, Registered};
use crate::observe::{
    Harvest, KindStats, NodeCounter, PoolStats, RuntimeCollector, RuntimeEvent, StaticNodes, TreeQuery,
    TreeSnapshot,
};
use crate::supervision::{Root, Supervisor};
use parking_lot::RwLock;
use prometheus_client::registry::Registry;
use ractor::{ActorCell, ActorRuntime};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Tuning of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemConfig {
    /// Name shown in the tree.
    pub name: String,
    /// How often idle actors are looked for; also how finely their last use is told apart.
    pub sweep_every: Duration,
    /// Events a slow listener may fall behind before it misses some.
    pub event_buffer: usize,
    /// Seed of the restarts' jitter.
    pub seed: u64,
}

impl Default for SystemConfig {
    fn default() -> Self {
        Self { name: "runtime".to_owned(), sweep_every: Duration::from_secs(1), event_buffer: 1024, seed: 0 }
    }
}

/// A set of directories that are observed and shut down together. Nothing is global: two systems in one process do
/// not know of each other. Cheap to clone.
#[derive(Clone)]
pub struct ActorSystem(Arc<System>);

pub(crate) struct System {
    pub(crate) env: Arc<Env>,
    sweep_every: Duration,
    root: ActorCell,
    directories: RwLock<Vec<Arc<dyn Registered>>>,
    nodes: StaticNodes,
    collector: Arc<RuntimeCollector>,
    sweeper: CancellationToken,
}

impl std::fmt::Debug for ActorSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActorSystem").field("name", &self.0.env.name).finish_non_exhaustive()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.sweeper.cancel();
        let leaks: Vec<String> =
            self.directories.get_mut().iter().filter_map(|directory| directory.leaks()).collect();
        if !leaks.is_empty() {
            tracing::warn!(system = %self.env.name, ?leaks, "dropped without a shutdown, its actors are killed");
        }
        self.root.stop(None);
    }
}

impl ActorSystem {
    /// Starts a system on the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(config: SystemConfig) -> Self {
        let env = Arc::new(Env::new(config.name, config.event_buffer, config.seed));
        let (root, _starting) =
            ActorRuntime::spawn_instant(None, Root, ()).expect("an actor without a name collides with none");
        let sweeper = CancellationToken::new();
        let system = Arc::new(System {
            env,
            sweep_every: config.sweep_every.max(Duration::from_millis(1)),
            root: root.get_cell(),
            directories: RwLock::default(),
            nodes: StaticNodes::default(),
            collector: Arc::default(),
            sweeper: sweeper.clone(),
        });
        let (weak, every) = (Arc::downgrade(&system), system.sweep_every);
        system.env.tasks.spawn(async move {
            tokio::select! {
                () = sweeper.cancelled() => {}
                () = sweep(weak, every) => {}
            }
        });
        Self(system)
    }

    /// Makes the directory of one kind of actors.
    pub async fn directory<V: VirtualActor>(&self, actor: V, config: DirectoryConfig) -> Directory<V> {
        let stats = Arc::new(KindStats::new(V::KIND));
        let shards = config.shards.max(1);
        let env = Arc::clone(&self.0.env);
        let core = Arc::new(Core::new(actor, config, env, Arc::clone(&stats), self.0.sweep_every));
        let mut supervisors = Vec::with_capacity(shards);
        for _ in 0..shards {
            let supervisor = Supervisor::<V>(Arc::downgrade(&core));
            if let Ok((actor, _task)) = self.0.root.spawn_linked(None, supervisor, ()).await {
                supervisors.push(actor.get_cell());
            }
        }
        assert_eq!(supervisors.len(), shards, "the system has been shut down: make directories before");
        let fresh = core.supervisors.set(supervisors.into()).is_ok();
        debug_assert!(fresh, "set once, right here");
        self.0.collector.add_kind(stats);
        self.0.directories.write().push(Arc::clone(&core) as Arc<dyn Registered>);
        Directory::new(core)
    }

    /// Whether a shutdown has begun.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.sweeper.is_cancelled()
    }

    /// The tree within [`TreeQuery::default`]'s bounds.
    #[must_use]
    pub fn tree(&self) -> TreeSnapshot {
        self.tree_page(&TreeQuery::default())
    }

    /// The part of the tree that the query asks for.
    #[must_use]
    pub fn tree_page(&self, query: &TreeQuery) -> TreeSnapshot {
        let system = &self.0;
        let uptime_ms = system.env.now_ms();
        let mut harvest = Harvest::new(query);
        system.nodes.harvest(&mut harvest, uptime_ms);
        let (mut nodes, mut truncated) = (harvest.nodes, harvest.truncated);
        let directories = system.directories.read().clone();
        for directory in &directories {
            let mut harvest = Harvest::new(query);
            directory.harvest(&mut harvest);
            nodes.append(&mut harvest.nodes);
            truncated |= harvest.truncated;
        }
        nodes.sort_by(|a, b| a.path.cmp(&b.path));
        TreeSnapshot {
            system: system.env.name.clone(),
            uptime_ms,
            nodes,
            kinds: directories.iter().map(|directory| directory.summary()).collect(),
            truncated,
        }
    }

    /// Adds a node that is not an actor, such as a listener. It stays until the counter's last clone is dropped.
    #[must_use]
    pub fn register_node(&self, path: impl Into<String>, kind: &'static str) -> NodeCounter {
        self.0.nodes.register(path.into(), kind, self.0.env.now_ms())
    }

    /// Listens to every change in the tree from now on. A listener that falls behind misses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<RuntimeEvent> {
        self.0.env.events.subscribe()
    }

    /// Registers the metrics of every directory and pool, those made later included. Call once per registry.
    pub fn metrics(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Arc::clone(&self.0.collector)));
    }

    pub(crate) fn add_pool(&self, stats: Arc<PoolStats>) {
        self.0.collector.add_pool(stats);
    }

    /// Clears the failures of the actor at this path: lifts a quarantine, ends a backoff. `false` if there was
    /// nothing to clear. Scans; meant for operators.
    #[must_use]
    pub fn reset(&self, path: &str) -> bool {
        let directories = self.0.directories.read().clone();
        directories.into_iter().any(|directory| directory.reset_path(path))
    }

    /// Fault injection: the live actor at this path panics once it has handled what is queued now. Scans; meant
    /// for experiments.
    #[must_use]
    pub fn inject_panic(&self, path: &str) -> bool {
        let directories = self.0.directories.read().clone();
        directories.iter().any(|directory| directory.panic_path(path))
    }

    /// What still holds resources: live actors, their tasks, supervisors. Empty after a shutdown; a test that
    /// ends with a leak has forgotten something.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        let mut leaks: Vec<String> =
            self.0.directories.read().iter().filter_map(|directory| directory.leaks()).collect();
        let tasks = self.0.env.tasks.len();
        if tasks > 0 {
            leaks.push(format!("{tasks} tasks of the runtime"));
        }
        leaks
    }

    pub(crate) fn system(&self) -> &System {
        &self.0
    }
}

impl System {
    /// Callers before callees.
    pub(crate) fn drain_order(&self) -> Vec<Arc<dyn Registered>> {
        let mut order: Vec<_> = self.directories.read().iter().rev().cloned().collect();
        order.sort_by_key(|directory| directory.drain_rank());
        order
    }

    /// Cancelled when a shutdown begins.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.sweeper.clone()
    }

    pub(crate) fn stop_sweeper(&self) {
        self.sweeper.cancel();
    }

    pub(crate) fn root(&self) -> &ActorCell {
        &self.root
    }
}

async fn sweep(system: Weak<System>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(system) = system.upgrade() else { return };
        let directories = system.directories.read().clone();
        for directory in directories {
            directory.sweep();
            tokio::task::yield_now().await;
        }
    }
}
