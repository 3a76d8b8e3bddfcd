//! The binary as a process: start it, wait until it is ready, stop it, kill it, start it again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::HarnessError;
use crate::api::Api;

/// Longest time a start may take; far more than it needs, so that a slow machine fails nothing.
const READY: Duration = Duration::from_secs(30);
/// Longest time a stop, a refusal or a command may take.
const DONE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
/// Bytes of a log that are shown.
const SHOWN: usize = 3_000;

/// A data directory and how `plinto serve` is started on it.
#[derive(Clone)]
pub struct Installation {
    program: PathBuf,
    data_dir: PathBuf,
    log: PathBuf,
    environment: BTreeMap<String, String>,
}

/// What a running instance says of itself in `run.json`.
#[derive(Deserialize)]
struct RunInfo {
    pid: u32,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Installation {
    /// `plinto serve` on `data_dir` under a master key (64 hexadecimal digits), on free ports, with limits that are out
    /// of the load's way. Its log goes to `log`.
    pub fn new(program: &Path, data_dir: &Path, log: &Path, master_key: &str) -> Self {
        let mut environment: BTreeMap<String, String> = [
            ("PLINTO_LOG__FILTER", "warn"),
            ("PLINTO_LIMITS__TENANT_PER_SECOND", "1000000"),
            ("PLINTO_LIMITS__TENANT_BURST", "1000000"),
            ("PLINTO_LIMITS__SESSION_PER_SECOND", "100000"),
            ("PLINTO_LIMITS__SESSION_BURST", "100000"),
            ("PLINTO_LIMITS__ACCOUNT_BURST", "1000000"),
            ("PLINTO_LIMITS__ADDRESS_BURST", "1000000"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        for service in ["CORE", "AUTH", "MOCK", "WEBHOOKS"] {
            environment.insert(format!("PLINTO_LISTEN__{service}"), "127.0.0.1:0".to_owned());
        }
        environment.insert("PLINTO_MASTER_KEY".to_owned(), master_key.to_owned());
        let (program, data_dir, log) = (program.to_owned(), data_dir.to_owned(), log.to_owned());
        Self { program, data_dir, log, environment }
    }

    /// The same with another variable.
    #[must_use]
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// The same without a variable.
    #[must_use]
    pub fn without(mut self, variable: &str) -> Self {
        self.environment.remove(variable);
        self
    }

    /// Where the data is.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A file beside the log, outside of the data directory.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.log.with_file_name(name)
    }

    /// The operator's key, which the first start leaves in the data directory.
    pub fn platform_key(&self) -> Result<String, HarnessError> {
        let path = self.data_dir.join("platform.key");
        let text = fs::read_to_string(&path).map_err(HarnessError::io(format!("read {}", path.display())))?;
        Ok(text.trim().to_owned())
    }

    /// Starts the server and waits until every dependency is ready.
    pub async fn start(&self) -> Result<Server, HarnessError> {
        let mut server = self.launch(&["serve"])?;
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Starts a command that keeps running, without waiting for anything.
    pub fn launch(&self, arguments: &[&str]) -> Result<Server, HarnessError> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(HarnessError::io(format!("open {}", self.log.display())))?;
        let begins = log.metadata().map_or(0, |found| found.len());
        let mut command = self.command(arguments);
        command.arg("--data-dir").arg(&self.data_dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(log));
        let child = command.spawn().map_err(HarnessError::io(format!("start {}", self.program.display())))?;
        let pid = child.id().expect("a process that was not waited for has an id");
        Ok(Server { child, pid, installation: self.clone(), begins, found: None })
    }

    /// Starts the server expecting that it refuses: its exit status and what it said.
    pub async fn refused_start(&self) -> Result<Output, HarnessError> {
        self.run(&["serve"]).await
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output, HarnessError> {
        let mut command = self.command(arguments);
        command.arg("--data-dir").arg(&self.data_dir);
        self.end_of(command).await
    }

    /// Runs a command to its end that knows a shared database only, and no data directory.
    pub async fn run_on_database(&self, arguments: &[&str]) -> Result<Output, HarnessError> {
        self.end_of(self.command(arguments)).await
    }

    async fn end_of(&self, mut command: Command) -> Result<Output, HarnessError> {
        let running = command.stdin(Stdio::null()).output();
        let done = timeout(DONE, running).await;
        let done = done.map_err(|_| HarnessError::DidNotRefuse { seconds: DONE.as_secs() })?;
        done.map_err(HarnessError::io(format!("run {}", self.program.display())))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // A setting of whoever runs the experiments must not change them.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("PLINTO_") {
                command.env_remove(variable);
            }
        }
        command.args(arguments).envs(&self.environment).kill_on_drop(true);
        command
    }

    fn log_since(&self, begins: u64) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let own = text.get(usize::try_from(begins).unwrap_or(0)..).unwrap_or_default();
        String::from_utf8_lossy(&own[own.len().saturating_sub(SHOWN)..]).into_owned()
    }
}

/// A process that was started. Dropping it kills it.
pub struct Server {
    child: Child,
    pid: u32,
    installation: Installation,
    begins: u64,
    found: Option<Found>,
}

/// Where a server listens that is ready.
struct Found {
    core: SocketAddr,
    auth: SocketAddr,
    api: Api,
}

impl Server {
    /// Where it is called. Only after it was ready.
    pub fn api(&self) -> &Api {
        &self.found.as_ref().expect("the server was waited for").api
    }

    /// Where its core and auth services listen. Only after it was ready.
    pub fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let found = self.found.as_ref().expect("the server was waited for");
        (found.core, found.auth)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until it listens and every dependency is ready.
    pub async fn wait_until_ready(&mut self) -> Result<(), HarnessError> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().map_err(HarnessError::io("look at the server"))? {
                return Err(HarnessError::Ended { status: status.to_string(), log: self.log() });
            }
            if let Some(found) = self.published()?
                && found.api.is_ready().await
            {
                self.found = Some(found);
                return Ok(());
            }
            if begun.elapsed() > READY {
                return Err(HarnessError::NotReady { seconds: READY.as_secs(), log: self.log() });
            }
            sleep(POLL).await;
        }
    }

    /// What `run.json` says, unless a process before this one left it.
    fn published(&self) -> Result<Option<Found>, HarnessError> {
        let path = self.installation.data_dir.join("run.json");
        let Ok(file) = File::open(&path) else { return Ok(None) };
        let info: RunInfo = serde_json::from_reader(file)
            .map_err(|error| HarnessError::Form { path: path.clone(), reason: error.to_string() })?;
        if info.pid != self.pid {
            return Ok(None);
        }
        let address = |service: &str| {
            let reason = format!("it names no address of {service}");
            info.listeners.get(service).copied().ok_or(HarnessError::Form { path: path.clone(), reason })
        };
        let (core, auth) = (address("core")?, address("auth")?);
        Ok(Some(Found { core, auth, api: Api::new(core, auth) }))
    }

    /// `kill -9`, and waits until the process is gone.
    pub async fn kill(mut self) -> Result<(), HarnessError> {
        self.child.kill().await.map_err(HarnessError::io("kill the server"))
    }

    /// Sends SIGKILL now; the process is gone soon after.
    pub fn strike(&mut self) -> Result<(), HarnessError> {
        self.child.start_kill().map_err(HarnessError::io("kill the server"))
    }

    /// Asks the process to end and waits until it did.
    pub async fn stop(mut self) -> Result<ExitStatus, HarnessError> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("process ids are positive");
        kill_process(pid, Signal::TERM).map_err(|error| HarnessError::io("stop the server")(error.into()))?;
        let ended = timeout(DONE, self.child.wait()).await;
        let ended = ended.map_err(|_| HarnessError::NotReady { seconds: DONE.as_secs(), log: self.log() })?;
        ended.map_err(HarnessError::io("wait for the server"))
    }

    /// Whether it ended by itself meanwhile.
    pub fn has_ended(&mut self) -> Result<bool, HarnessError> {
        Ok(self.child.try_wait().map_err(HarnessError::io("look at the server"))?.is_some())
    }

    /// End of what this process wrote to its log.
    pub fn log(&self) -> String {
        self.installation.log_since(self.begins)
    }
}
