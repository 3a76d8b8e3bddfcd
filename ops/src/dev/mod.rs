//! `plinto dev`: everything on this machine, without any configuration.

mod banner;
mod credentials;
mod script;
mod seed;

use std::net::SocketAddr;
use std::process::ExitCode;

use plinto_http::ListenerName;

use crate::cli::DevArgs;
use crate::client::{Client, ClientError, Services};
use crate::commands::{CommandError, until_stopped};
use crate::composition::{self, Instance, Signals};
use crate::settings::{self, Layers, Origin, Settings};
use crate::terminal;

use credentials::DevCredentials;

/// Starts everything, seeds the demo tenant, says how to try it, and runs until it is told to stop.
pub(crate) async fn run(args: &DevArgs) -> Result<ExitCode, CommandError> {
    let settings = load(args)?;
    if settings.database.is_some() {
        return Err(CommandError::DevWithDatabase);
    }
    composition::start_logging(&settings.log);
    let signals = Signals::listen()?;
    let key = composition::find_or_create_master_key(&settings)?;
    let engine = composition::open_engine(&settings).await?;
    let mut instance = Instance::start(&settings, engine, key).await?;
    match seeded(&instance, &settings).await {
        Ok(credentials) => {
            instance.announce(&settings.data_dir)?;
            terminal::answer(&banner::text(instance.info(), &settings, &credentials));
            until_stopped(instance, signals, settings.shutdown).await
        }
        Err(error) => {
            instance.stop(settings.shutdown).await;
            Err(error)
        }
    }
}

async fn seeded(instance: &Instance, settings: &Settings) -> Result<DevCredentials, CommandError> {
    let key = match composition::read_platform_key(&settings.data_dir)? {
        Some(key) => key,
        // Whoever holds the data and the master key is the operator; without this `dev` could not be started again.
        None => instance.issue_platform_key(&settings.data_dir).await?,
    };
    let info = instance.info();
    let client = Client::new(Services { core: info.url("core"), auth: info.url("auth") }, Some(key))?;
    match seed::demo(&client, &settings.data_dir).await {
        // A platform key from another data directory, or one that was revoked.
        Err(CommandError::Client(ClientError::Refused { status: 401, .. })) => {
            let key = instance.issue_platform_key(&settings.data_dir).await?;
            let client = Client::new(Services { core: info.url("core"), auth: info.url("auth") }, Some(key))?;
            seed::demo(&client, &settings.data_dir).await
        }
        outcome => outcome,
    }
}

fn load(args: &DevArgs) -> Result<Settings, CommandError> {
    let mut built_in = Layers::default();
    built_in.set("open_metrics", true, Origin::BuiltIn);
    built_in.set("mail.mailbox", true, Origin::BuiltIn);
    let mut flags = Layers::default();
    if let Some(base) = args.base_port {
        for name in ListenerName::ALL {
            let offset = name.default_port() - ListenerName::Core.default_port();
            let port = if base == 0 { 0 } else { base + offset };
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            flags.set(format!("listen.{name}"), address.to_string(), Origin::Flag("--base-port"));
        }
    }
    args.start.add_to(&mut flags);
    Ok(Settings::load(None, &settings::variables(), built_in, &flags)?)
}
