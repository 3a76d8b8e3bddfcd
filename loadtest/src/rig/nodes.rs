//! Real `plinto serve` processes of one installation on this machine.

use super::BenchError;
use super::accounts::{add_accounts, add_sessions, refresh_token, session_id, user_id};
use super::instance::{BASE_URL, Instance, MASTER_KEY, Tenant, now, roomy};
use super::load::ask_once;
use super::requests;
use super::servers::{Servers, open};
use plinto_actors::Limits;
use plinto_domain::Timestamp;
use plinto_http::ListenerName;
use plinto_servers::Database;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// Longest a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database with one tenant, and the nodes that serve it.
pub(crate) struct Installation {
    program: PathBuf,
    pub(crate) servers: Servers,
    database: Database,
    folder: TempDir,
    pub(crate) tenant: Tenant,
    pub(crate) epoch: Timestamp,
    instance: Instance,
}

/// A running node. It ends when dropped.
pub(crate) struct Node {
    _process: Child,
    listeners: BTreeMap<String, SocketAddr>,
}

/// What a node says of itself in `run.json`.
#[derive(Deserialize)]
struct RunInfo {
    pid: u32,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Installation {
    /// Starts the servers and makes a tenant with accounts. Missing servers or a missing `plinto` beside this program
    /// are [`BenchError::Missing`].
    pub(crate) async fn start(folder: TempDir, accounts: Range<u64>) -> Result<Self, BenchError> {
        let program = std::env::current_exe()?.with_file_name("plinto");
        if !program.is_file() {
            let what = format!("{} is missing: cargo build --release -p plinto", program.display());
            return Err(BenchError::Missing(what));
        }
        let servers = Servers::start().await?;
        let database = servers.database().await?;
        let instance = Instance::on(Arc::new(open(&database).await?), roomy()).await?;
        let tenant = instance.tenant("alpha").await?;
        let epoch = now();
        add_accounts(&**instance.store.engine(), &tenant.vault, accounts, epoch).await?;
        Ok(Self { program, servers, database, folder, tenant, epoch, instance })
    }

    /// Stores sessions of the first account; their refresh tokens.
    pub(crate) async fn sessions(&self, numbers: Range<u64>) -> Result<Vec<String>, BenchError> {
        let (vault, user) = (&self.tenant.vault, user_id(self.epoch, 0));
        add_sessions(&**self.instance.store.engine(), vault, user, numbers.clone(), self.epoch).await?;
        let token = |number| refresh_token(vault, self.tenant.id, session_id(self.epoch, number));
        Ok(numbers.map(|number| token(number).expose().to_owned()).collect())
    }

    /// Starts a node and waits until it is ready.
    pub(crate) async fn node(&self, name: &str, redis: bool, limits: &Limits) -> Result<Node, BenchError> {
        let data_dir = self.folder.path().join(name);
        std::fs::create_dir_all(&data_dir)?;
        let log = std::fs::File::create(self.folder.path().join(format!("{name}.log")))?;
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .env("PLINTO_DATA_DIR", &data_dir)
            .env("PLINTO_BASE_URL", BASE_URL)
            .env("PLINTO_MASTER_KEY", MASTER_KEY)
            .env("PLINTO_DATABASE_URL", &self.database.app_url)
            .env("PLINTO_NODE__NAME", name)
            .env("PLINTO_TRUSTED_PROXIES", "127.0.0.0/8")
            .env("PLINTO_LOG__FILTER", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        if redis {
            command.env("PLINTO_REDIS_URL", self.servers.redis.url());
        }
        for listener in ListenerName::ALL {
            command.env(format!("PLINTO_LISTEN__{}", listener.to_string().to_uppercase()), "127.0.0.1:0");
        }
        for (limit, value) in limits_by_name(limits)? {
            command.env(format!("PLINTO_LIMITS__{}", limit.to_uppercase()), value.to_string());
        }
        let process = command.spawn()?;
        let listeners = until_ready(&data_dir, process.id()).await?;
        Ok(Node { _process: process, listeners })
    }
}

fn limits_by_name(limits: &Limits) -> Result<BTreeMap<String, u64>, BenchError> {
    Ok(serde_json::from_value(serde_json::to_value(limits)?)?)
}

async fn until_ready(data_dir: &Path, pid: Option<u32>) -> Result<BTreeMap<String, SocketAddr>, BenchError> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        // Not there yet, or still that of another process.
        let found = std::fs::read(data_dir.join("run.json")).ok();
        let info = found.and_then(|text| serde_json::from_slice::<RunInfo>(&text).ok());
        if let Some(info) = info.filter(|info| Some(info.pid) == pid)
            && let Some(core) = info.listeners.get(&ListenerName::Core.to_string())
            && ask_once(*core, &requests::get("/health/ready")).await? == 200
        {
            return Ok(info.listeners);
        }
        sleep(Duration::from_millis(20)).await;
    }
    let log = std::fs::read_to_string(data_dir.with_extension("log")).unwrap_or_default();
    let end = log.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
    Err(BenchError::Invalid(format!("a node was not ready in time; its log ends with {}", &log[end..])))
}

impl Node {
    /// Where a listener listens.
    pub(crate) fn address(&self, listener: ListenerName) -> SocketAddr {
        self.listeners[&listener.to_string()]
    }
}
