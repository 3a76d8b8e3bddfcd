//! One running system: engine, platform, listeners, and the order in which they come and go.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use plinto_actors::{Clock, Environment, Platform, ServiceError};
use plinto_cluster::{Cluster, InProcess, NodeId, NodeInfo};
use plinto_domain::randomness::Randomness;
use plinto_http::{AppState, BindError, Listeners};
use plinto_runtime::ShutdownReport;
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::{MasterKey, StorageError, Store};
use zeroize::Zeroizing;

use super::run_file::{RunFile, RunInfo};
use super::{MasterKeyProblem, SystemClock, SystemRandomness, platform_key};
use crate::private_file::FileError;
use crate::settings::{Settings, ShutdownSettings};

/// An instance did not start. Nothing that was there before was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The data cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The platform refused.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A port cannot be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// There is no usable master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyProblem),
    /// A file of the data directory cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The thread that opens the database did not return.
    #[error("opening the database was interrupted; start again and look at the log")]
    Interrupted,
}

/// What a stop achieved.
pub(crate) struct Stopped {
    /// Whether every request in flight was answered.
    pub(crate) requests_finished: bool,
    /// What became of the actors.
    pub(crate) actors: ShutdownReport,
}

/// A running system.
pub(crate) struct Instance {
    platform: Platform,
    listeners: Listeners,
    /// There once it was announced.
    run_file: Option<RunFile>,
    info: RunInfo,
}

/// Takes the data directory, creating it if missing, and checks the platform database.
pub(crate) async fn open_engine(data_dir: &Path) -> Result<Arc<SqliteEngine>, StartError> {
    let data_dir = data_dir.to_owned();
    let opening =
        tokio::task::spawn_blocking(move || SqliteEngine::open(&data_dir, SqliteOptions::default()));
    Ok(Arc::new(opening.await.map_err(|_| StartError::Interrupted)??))
}

impl Instance {
    /// Starts over an opened engine: keys, platform, first platform key, listeners.
    pub(crate) async fn start(
        settings: &Settings,
        engine: Arc<SqliteEngine>,
        key: MasterKey,
    ) -> Result<Self, StartError> {
        let clock = Arc::new(SystemClock);
        let randomness = Arc::new(SystemRandomness);
        let now = clock.now().as_millis();
        let store = Arc::new(Store::open(engine, key, Arc::clone(&randomness) as _, now).await?);
        let environment = Environment::new(clock, Arc::clone(&randomness) as _);
        let platform = Platform::start(settings.platform(), store, environment, alone(now, &*randomness)).await?;
        platform_key::provide(&platform, &settings.data_dir).await?;
        let state = AppState::new(platform.clone(), settings.http_config(), randomness);
        let listeners = match Listeners::open(&state).await {
            Ok(listeners) => listeners,
            Err(error) => {
                platform.close().await;
                return Err(error.into());
            }
        };
        let info = describe(&listeners, settings, now);
        Ok(Self { platform, listeners, run_file: None, info })
    }

    /// Tells the commands of this machine where it listens. One that is there for a single command keeps quiet: it
    /// would be gone before another command could use it.
    pub(crate) fn announce(&mut self, data_dir: &Path) -> Result<(), StartError> {
        self.run_file = Some(RunFile::publish(data_dir, &self.info)?);
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn info(&self) -> &RunInfo {
        &self.info
    }

    /// Makes a platform key and stores it in place of the one in the data directory.
    pub(crate) async fn issue_platform_key(&self, data_dir: &Path) -> Result<Zeroizing<String>, StartError> {
        platform_key::issue(&self.platform, data_dir).await
    }

    /// Stops in order: no new requests, those in flight finish, actors drain, files close.
    pub(crate) async fn stop(self, grace: ShutdownSettings) -> Stopped {
        let requests_finished = self.listeners.close(grace.soft).await;
        let actors = self.platform.system().shutdown(grace.soft, grace.hard).await;
        self.platform.close().await;
        drop(self.run_file);
        Stopped { requests_finished, actors }
    }
}

/// The only node there is.
fn alone(now: i64, randomness: &dyn Randomness) -> Arc<dyn Cluster> {
    let mut id = [0; 16];
    randomness.fill(&mut id);
    Arc::new(InProcess::alone(NodeInfo {
        id: NodeId(uuid::Builder::from_random_bytes(id).into_uuid()),
        name: "node".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now,
        urls: BTreeMap::new(),
    }))
}

fn describe(listeners: &Listeners, settings: &Settings, now: i64) -> RunInfo {
    let named = listeners.addresses().iter().map(|(name, address)| (name.to_string(), *address));
    RunInfo {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now,
        base_url: settings.base_url.clone(),
        listeners: named.collect::<BTreeMap<_, _>>(),
    }
}
