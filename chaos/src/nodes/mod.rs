//! Several real `plinto serve` over one private PostgreSQL and one private Redis, behind the in-test proxy.

mod footprint;
mod places;

use std::path::Path;
use std::sync::Arc;

use futures::future::{join_all, try_join_all};
use parking_lot::Mutex;
use plinto_servers::{Database, PostgresConfig, PostgresServer, RedisServer};
use rand::RngExt;
use tempfile::TempDir;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::{Duration, Instant, sleep};

pub use footprint::Footprint;
pub use places::Places;

use crate::api::Api;
use crate::bench;
use crate::process::{Installation, Server};
use crate::proxy::Proxy;
use crate::seed::Seed;
use crate::{Failure, HarnessError};

/// The part of the seed that the master key is drawn from.
const MASTER_KEY: u64 = 3_000;
/// How long the proxy may take to notice that a node is ready.
const NOTICED: Duration = Duration::from_secs(10);

/// The nodes and what they stand on. Dropping it ends all of it and removes its folder.
pub struct Nodes {
    installations: Vec<Installation>,
    running: Vec<Mutex<Option<Server>>>,
    places: Places,
    proxy: Proxy,
    api: Api,
    platform_key: String,
    postgres: Arc<PostgresServer>,
    redis: Arc<RedisServer>,
    database: Database,
    folder: TempDir,
}

impl Nodes {
    /// Migrates a new database and starts so many nodes on it; `settings` are variables all of them get.
    pub async fn start(
        program: &Path,
        count: usize,
        seed: Seed,
        settings: &[(&str, &str)],
    ) -> Result<Self, HarnessError> {
        let folder = bench::folder()?;
        let postgres = PostgresConfig { durable: true, ..PostgresConfig::default() };
        let postgres = block_in_place(|| PostgresServer::start(postgres))?;
        let database = block_in_place(|| postgres.try_database())?;
        let redis = block_in_place(RedisServer::start)?;
        let proxy = Proxy::open(count).await.map_err(HarnessError::io("open the proxy"))?;
        let key = hex::encode(seed.generator(0, MASTER_KEY).random::<[u8; 32]>());
        let installation = |node: usize| {
            let file = |ending: &str| folder.path().join(format!("node-{node}{ending}"));
            let mut installation = Installation::new(program, &file(""), &file(".log"), &key)
                .with("PLINTO_DATABASE_URL", &database.app_url)
                .with("PLINTO_REDIS_URL", &redis.url())
                .with("PLINTO_NODE__NAME", &format!("node-{node}"))
                .with("PLINTO_BASE_URL", &format!("http://{}", proxy.core()));
            for (variable, value) in settings {
                installation = installation.with(variable, value);
            }
            installation
        };
        let installations: Vec<_> = (0..count).map(installation).collect();
        let api = Api::new(proxy.core(), proxy.auth());
        let mut nodes = Self {
            running: installations.iter().map(|_| Mutex::new(None)).collect(),
            places: Places::none(count),
            platform_key: String::new(),
            installations,
            proxy,
            api,
            postgres: Arc::new(postgres),
            redis: Arc::new(redis),
            database,
            folder,
        };
        nodes.migrate().await?;
        // The first start makes the operator's key; the others find that there is one.
        nodes.start_node(0).await?;
        nodes.platform_key = nodes.installations[0].platform_key()?;
        try_join_all((1..count).map(|node| nodes.start_node(node))).await?;
        Ok(nodes)
    }

    async fn migrate(&self) -> Result<(), HarnessError> {
        let owner = self.installations[0].clone().with("PLINTO_DATABASE_OWNER_URL", &self.database.owner_url);
        let output = owner.run_on_database(&["migrate"]).await?;
        if output.status.success() {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(HarnessError::Call { call: "plinto migrate".to_owned(), answer })
    }

    /// How many there are, running or not.
    pub fn count(&self) -> usize {
        self.installations.len()
    }

    /// The installation as clients see it, through the proxy.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The operator's key.
    pub fn platform_key(&self) -> &str {
        &self.platform_key
    }

    /// The nodes without the proxy.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// How a command is run on the shared database.
    pub fn installation(&self) -> &Installation {
        &self.installations[0]
    }

    /// The database, as a superuser.
    pub fn superuser_url(&self) -> &str {
        &self.database.superuser_url
    }

    /// The load balancer.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Starts a node that does not run, and waits until the proxy sends to it.
    pub async fn start_node(&self, node: usize) -> Result<(), HarnessError> {
        let server = self.installations[node].start().await?;
        let (core, auth) = server.addresses();
        self.proxy.moved(node, core, auth);
        self.places.set(node, Some(server.api().clone()));
        *self.running[node].lock() = Some(server);
        self.until_sent_to(node).await
    }

    /// Waits until the proxy sends to a node.
    pub async fn until_sent_to(&self, node: usize) -> Result<(), HarnessError> {
        let begun = Instant::now();
        while !self.proxy.sends_to(node) {
            if begun.elapsed() > NOTICED {
                let log = self.log(node);
                return Err(HarnessError::NotReady { seconds: NOTICED.as_secs(), log });
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Waits until the proxy sends to every node.
    pub async fn until_all_are_sent_to(&self) -> Result<(), HarnessError> {
        try_join_all((0..self.count()).map(|node| self.until_sent_to(node))).await.map(drop)
    }

    /// `kill -9` to a node.
    pub async fn kill_node(&self, node: usize) -> Result<(), HarnessError> {
        match self.taken(node) {
            Some(server) => server.kill().await,
            None => Ok(()),
        }
    }

    /// Asks a node to end, and waits until it did.
    pub async fn stop_node(&self, node: usize) -> Result<(), HarnessError> {
        match self.taken(node) {
            Some(server) => server.stop().await.map(drop),
            None => Ok(()),
        }
    }

    /// Works on the database server, on a thread where that may block.
    pub async fn with_postgres<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PostgresServer) -> T + Send + 'static,
    ) -> T {
        let postgres = Arc::clone(&self.postgres);
        spawn_blocking(move || work(&postgres)).await.expect("work on the database server does not panic")
    }

    /// Works on the shared store, on a thread where that may block.
    pub async fn with_redis<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RedisServer) -> T + Send + 'static,
    ) -> T {
        let redis = Arc::clone(&self.redis);
        spawn_blocking(move || work(&redis)).await.expect("work on the shared store does not panic")
    }

    fn taken(&self, node: usize) -> Option<Server> {
        self.places.set(node, None);
        self.running[node].lock().take()
    }

    /// Process ids of the nodes that run, with their numbers.
    pub fn pids(&self) -> Vec<(usize, u32)> {
        let pid = |node: usize| Some((node, self.running[node].lock().as_ref()?.pid()));
        (0..self.count()).filter_map(pid).collect()
    }

    /// The end of a node's log.
    pub fn log(&self, node: usize) -> String {
        self.running[node].lock().as_ref().map_or_else(String::new, Server::log)
    }

    /// Ends all nodes in order; keeps the folder and says how to repeat the run if promises were broken.
    pub async fn conclude(
        self,
        violations: Vec<crate::invariants::Violation>,
        replay: &str,
    ) -> Result<(), Failure> {
        let stopped = join_all((0..self.count()).map(|node| self.stop_node(node))).await;
        if violations.is_empty() {
            return stopped.into_iter().collect::<Result<(), _>>().map_err(Failure::from);
        }
        let kept = self.folder.keep();
        let replay = format!("{replay}\n(logs of this run: {})", kept.display());
        Err(Failure::Violated { violations, replay })
    }
}
