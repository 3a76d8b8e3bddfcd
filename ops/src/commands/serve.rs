//! `plinto serve`, and how every instance runs until it is told to stop.

use std::process::ExitCode;

use toml::Value;

use super::CommandError;
use crate::cli::ServeArgs;
use crate::composition::{self, Instance, RunInfo, Signals, Stopped};
use crate::settings::{self, Layers, Origin, Settings, ShutdownSettings};
use crate::terminal;

/// Exit code of a process that ended at once because it was told to stop twice.
const CUT_SHORT: u8 = 130;

/// Runs the configured services.
pub(super) async fn run(args: &ServeArgs) -> Result<ExitCode, CommandError> {
    let settings = load(args)?;
    if args.check {
        terminal::answer("the configuration is good");
        return Ok(ExitCode::SUCCESS);
    }
    composition::start_logging(&settings.log);
    let signals = Signals::listen()?;
    let key = composition::find_master_key(&settings)?;
    let engine = composition::open_engine(&settings).await?;
    let mut instance = Instance::start(&settings, engine, key).await?;
    instance.announce(&settings.data_dir)?;
    terminal::answer(&ready(instance.info()));
    if settings.database.is_some() && settings.redis.is_none() {
        tracing::warn!(
            "no Redis: limits hold for each node by itself, and what one node changes the others know within two \
             seconds; give PLINTO_REDIS_URL"
        );
    }
    if settings.fault_injection {
        tracing::warn!("fault injection is on: whoever holds the platform key can make actors panic");
    }
    until_stopped(instance, signals, settings.shutdown).await
}

fn load(args: &ServeArgs) -> Result<Settings, CommandError> {
    let mut flags = Layers::default();
    args.start.add_to(&mut flags);
    if !args.services.is_empty() {
        let services = args.services.iter().cloned().map(Value::String).collect::<Vec<_>>();
        flags.set("services", Value::Array(services), Origin::Flag("--services"));
    }
    Ok(Settings::load(args.config.as_deref(), &settings::variables(), Layers::default(), &flags)?)
}

/// The line that says that it serves, and where.
fn ready(info: &RunInfo) -> String {
    let listeners: Vec<String> =
        info.listeners.iter().map(|(name, address)| format!("{name} on {address}")).collect();
    format!("plinto {} is ready: {}", info.version, listeners.join(", "))
}

/// Waits for the first request to stop and stops in order; a second one ends it at once.
pub(crate) async fn until_stopped(
    instance: Instance,
    mut signals: Signals,
    grace: ShutdownSettings,
) -> Result<ExitCode, CommandError> {
    let signal = signals.next().await;
    terminal::remark(&format!("{signal}: finishing what was begun; send it again to exit at once"));
    tokio::select! {
        stopped = instance.stop(grace) => {
            report(&stopped);
            Ok(ExitCode::SUCCESS)
        }
        signal = signals.next() => {
            terminal::remark(&format!("{signal} again: exiting at once; what was acknowledged is safe on disk"));
            Ok(ExitCode::from(CUT_SHORT))
        }
    }
}

fn report(stopped: &Stopped) {
    let actors = &stopped.actors;
    let requests =
        if stopped.requests_finished { "every request was answered" } else { "some requests were cut" };
    terminal::remark(&format!(
        "stopped in {} ms: {requests}, {} actors drained",
        actors.took_ms, actors.drained
    ));
    for cut in &actors.cut {
        let paths = cut.paths.join(", ");
        terminal::remark(&format!(
            "  cut: {} of kind {}, {} requests refused ({paths})",
            cut.actors, cut.kind, cut.refused
        ));
    }
}
