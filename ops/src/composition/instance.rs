//! One running system: engine, platform, listeners, and the order in which they come and go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plinto_actors::{Clock, Environment, Platform, ServiceError};
use plinto_http::{AppState, BindError, BoundListeners, Listeners};
use plinto_runtime::ShutdownReport;
use plinto_storage::{Engine, MasterKey, StorageError, Store};
use zeroize::Zeroizing;

use super::run_file::{RunFile, RunInfo};
use super::{
    DatabaseProblem, Dns, DnsProblem, MailProblem, MasterKeyProblem, MaxMindPlaces, PlacesProblem,
    RedisProblem, SystemClock, SystemRandomness, cluster, holds_files, mail, platform_key, run_file,
};
use crate::breaches::{self, BreachProblem};
use crate::private_file::{self, FileError};
use crate::settings::{Settings, ShutdownSettings};

/// An instance did not start. Nothing that was there before was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The data cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database of the settings cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseProblem),
    /// Redis was given wrongly.
    #[error(transparent)]
    Redis(#[from] RedisProblem),
    /// Mail was configured wrongly.
    #[error(transparent)]
    Mail(#[from] MailProblem),
    /// The data directory is that of an embedded installation, and a database is configured.
    #[error(
        "{} holds data of its own, and a database is configured: give another data directory; \
         `plinto import-embedded --from` brings the data into the database", path.display()
    )]
    TwoPlaces {
        /// The directory.
        path: PathBuf,
    },
    /// Another node announces itself there.
    #[error("process {pid} runs on {}: give each node a data directory of its own", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// The platform refused.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A port cannot be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A list of breached passwords cannot be used.
    #[error(transparent)]
    Breaches(#[from] BreachProblem),
    /// The database of places cannot be used.
    #[error(transparent)]
    Places(#[from] PlacesProblem),
    /// The DNS cannot be asked.
    #[error(transparent)]
    Dns(#[from] DnsProblem),
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
    state: AppState,
    listeners: Listeners,
    /// There once it was announced.
    run_file: Option<RunFile>,
    info: RunInfo,
}

impl Instance {
    /// Starts over an opened engine: keys, platform, first platform key, listeners.
    pub(crate) async fn start(
        settings: &Settings,
        engine: Arc<dyn Engine>,
        key: MasterKey,
    ) -> Result<Self, StartError> {
        if settings.database.is_some() {
            make_room(&settings.data_dir)?;
        }
        let places = settings.places.as_deref().map(MaxMindPlaces::open).transpose()?;
        let breaches = breaches::lists(&settings.breaches)?;
        let clock = Arc::new(SystemClock);
        let randomness = Arc::new(SystemRandomness);
        let now = clock.now().as_millis();
        let route = mail::route(&settings.mail)?;
        let bound = BoundListeners::open(&settings.listeners).await?;
        // First the store: nodes know each other by a key of it.
        let store = Arc::new(Store::open(engine, key, Arc::clone(&randomness) as _, now).await?);
        let cluster = cluster::join(settings, &bound.addresses(), &store, now).await?;
        let environment = Environment::new(clock, Arc::clone(&randomness) as _).with_breaches(breaches);
        let environment = match Dns::of(&settings.dns_servers) {
            Ok(dns) => environment.with_dns(Arc::new(dns)),
            Err(problem) if settings.dns_servers.is_empty() => {
                tracing::warn!(error = %problem, "domains of organizations cannot be verified");
                environment
            }
            Err(problem) => return Err(problem.into()),
        };
        let environment = match places {
            Some(places) => environment.with_places(Arc::new(places)),
            None => environment,
        };
        let platform = Platform::start(settings.platform(), store, environment, cluster, route).await?;
        platform_key::provide(&platform, &settings.data_dir).await?;
        let state = AppState::new(platform.clone(), settings.http_config(), randomness);
        let listeners = bound.serve(&state);
        let info = describe(&listeners, settings, now);
        Ok(Self { platform, state, listeners, run_file: None, info })
    }

    /// Tells the commands of this machine where it listens. One that is there for a single command keeps quiet: it
    /// would be gone before another command could use it.
    pub(crate) fn announce(&mut self, data_dir: &Path) -> Result<(), StartError> {
        if let Some(RunInfo { pid, .. }) = run_file::running(data_dir)? {
            return Err(StartError::Occupied { path: data_dir.to_owned(), pid });
        }
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

    /// Stops in order: readiness says no while requests are served until load balancers have noticed, then no new
    /// requests, those in flight finish, actors drain, files close.
    pub(crate) async fn stop(self, grace: ShutdownSettings) -> Stopped {
        self.state.begin_draining();
        tokio::time::sleep(grace.drain).await;
        let requests_finished = self.listeners.close(grace.soft).await;
        let actors = self.platform.system().shutdown(grace.soft, grace.hard).await;
        self.platform.close().await;
        drop(self.run_file);
        Stopped { requests_finished, actors }
    }
}

/// Beside a database the data directory holds what belongs to this node alone. One with files of tenants in it is
/// refused: starting with an empty database in place of them would look as if they were lost.
fn make_room(data_dir: &Path) -> Result<(), StartError> {
    if holds_files(data_dir) {
        return Err(StartError::TwoPlaces { path: data_dir.to_owned() });
    }
    Ok(private_file::create_folder(data_dir)?)
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
