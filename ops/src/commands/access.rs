//! How a command reaches an instance: the one that runs on the data directory, the one at --url, or, when nothing
//! runs, one that is started inside this process for as long as the command takes; beside other nodes of a shared
//! database it is one more of them. All three speak HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use plinto_http::ListenerName;
use plinto_storage::StorageError;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::CommandError;
use crate::cli::InstanceArgs;
use crate::client::{Client, Services};
use crate::composition::{self, Instance, RunInfo, StartError};
use crate::settings::{self, Layers, NodeSettings, Origin, Settings, ShutdownSettings};

/// How long a command waits for the data directory.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Runs `work` with a client of the instance, starting one inside this process if need be.
pub(super) async fn with_instance<T>(
    args: &InstanceArgs,
    work: impl AsyncFnOnce(&Client) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    if let Some(url) = &args.url {
        let settings = settings(args)?;
        return work(&Client::new(at(url), key(args, &settings)?)?).await;
    }
    let settings = settings(args)?;
    let instance = match reach(&settings).await? {
        Reached::Running(info) => return work(&Client::new(of(&info), key(args, &settings)?)?).await,
        Reached::Started(instance) => instance,
    };
    let outcome = match client_of(&instance, args, &settings) {
        Ok(client) => work(&client).await,
        Err(error) => Err(error),
    };
    stop(instance, &settings).await;
    outcome
}

enum Reached {
    Running(RunInfo),
    Started(Instance),
}

/// The instance that runs on the data directory, or one started for this command. If the directory is held by one
/// that is just starting or by another command, waits until that has come or gone.
async fn reach(settings: &Settings) -> Result<Reached, CommandError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(info) = composition::running(&settings.data_dir)? {
            return Ok(Reached::Running(info));
        }
        match start(settings).await {
            Err(CommandError::Start(StartError::Storage(StorageError::Locked { .. })))
                if Instant::now() < give_up =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            started => return Ok(Reached::Started(started?)),
        }
    }
}

/// A client of an instance that runs already, at --url or on the data directory.
pub(super) fn running(args: &InstanceArgs) -> Result<Client, CommandError> {
    let settings = settings(args)?;
    let services = match &args.url {
        Some(url) => at(url),
        None => of(&composition::running(&settings.data_dir)?
            .ok_or_else(|| CommandError::NotRunning { path: settings.data_dir.clone() })?),
    };
    Ok(Client::new(services, key(args, &settings)?)?)
}

/// Starts an instance for a command: listeners on free ports of this machine, nothing else differs.
pub(super) async fn start(settings: &Settings) -> Result<Instance, CommandError> {
    if settings.database.is_none() && !composition::holds_files(&settings.data_dir) {
        return Err(CommandError::NoData { path: settings.data_dir.clone() });
    }
    let key = composition::find_master_key(settings)?;
    let engine = composition::open_engine(settings).await?;
    let local = |name: ListenerName| (name, SocketAddr::from(([127, 0, 0, 1], 0)));
    let settings = Settings {
        listeners: [ListenerName::Core, ListenerName::Auth].map(local).to_vec(),
        // Beside others it is seen for a moment; it must not pass for the node of this machine.
        node: NodeSettings {
            name: Some(format!("command-{}", std::process::id())),
            urls: BTreeMap::new(),
            expected: settings.node.expected,
        },
        ..settings.clone()
    };
    Ok(Instance::start(&settings, engine, key).await?)
}

/// Ends it. No load balancer knows of it, so there is none to wait for.
pub(super) async fn stop(instance: Instance, settings: &Settings) {
    instance.stop(ShutdownSettings { drain: Duration::ZERO, ..settings.shutdown }).await;
}

/// The settings of the instance a command speaks to.
fn settings(args: &InstanceArgs) -> Result<Settings, CommandError> {
    let mut flags = Layers::default();
    args.data.add_to(&mut flags);
    load(args.config.as_deref(), &flags)
}

/// Settings for a command: like those of `serve`, but only warnings are logged.
pub(super) fn load(config: Option<&std::path::Path>, flags: &Layers) -> Result<Settings, CommandError> {
    let mut built_in = Layers::default();
    built_in.set("log.filter", "warn", Origin::BuiltIn);
    let settings = Settings::load(config, &settings::variables(), built_in, flags)?;
    composition::start_logging(&settings.log);
    Ok(settings)
}

fn client_of(instance: &Instance, args: &InstanceArgs, settings: &Settings) -> Result<Client, CommandError> {
    Ok(Client::new(of(instance.info()), key(args, settings)?)?)
}

fn key(args: &InstanceArgs, settings: &Settings) -> Result<Option<Zeroizing<String>>, CommandError> {
    match &args.key {
        Some(secret) => Ok(Some(secret.0.clone())),
        None => Ok(composition::read_platform_key(&settings.data_dir)?),
    }
}

fn at(url: &str) -> Services {
    let url = url.trim_end_matches('/').to_owned();
    Services { core: Some(url.clone()), auth: Some(url) }
}

fn of(info: &RunInfo) -> Services {
    Services { core: info.url("core"), auth: info.url("auth") }
}
