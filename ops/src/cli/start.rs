//! How an instance is started.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::settings::{DEFAULT_DATA_DIR, Layers, Origin};

const CONFIGURATION: &str = "\
Configuration, the later wins:
  1. the file given by --config (TOML; ops/plinto.example.toml explains every key)
  2. environment: PLINTO_ and the key in capitals, two underscores for the dot
       PLINTO_DATA_DIR=/var/lib/plinto             data_dir
       PLINTO_BASE_URL=https://id.example.com      base_url
       PLINTO_MASTER_KEY_FILE=/run/secrets/master  master_key_file
       PLINTO_MASTER_KEY=<64 hexadecimal digits>   only here, never in the file
       PLINTO_LIMITS__TENANT_PER_SECOND=500        limits.tenant_per_second
       PLINTO_SERVICES=core,auth                   lists are separated by commas
  3. the options above";

/// Where the data is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataDirArg {
    /// Data directory [default: ./plinto-data]
    #[arg(long, value_name = "DIR", env = "PLINTO_DATA_DIR")]
    pub(crate) data_dir: Option<String>,
}

/// How an instance is started, in development and in production.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) data: DataDirArg,
    /// Address of a service, such as core=127.0.0.1:9000; port 0 takes any free one (see run.json in the data
    /// directory). Repeat for several services.
    #[arg(long, value_name = "SERVICE=ADDRESS", value_parser = listen)]
    pub(crate) listen: Vec<(String, SocketAddr)>,
    /// Log filter, such as info or warn,plinto_actors=debug
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Allow POST /v1/runtime/fault, which makes an actor panic. For experiments only.
    #[arg(long)]
    pub(crate) fault_injection: bool,
}

/// `plinto dev`
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Creates the data directory, the master key and a platform key at the first start, and a
tenant `demo` with a user and a service key. The next start finds all of them again.
PLINTO_* variables apply as they do for `plinto serve`.

Examples:
  plinto dev --base-port 9000      core on 9000, auth on 9001, mock on 9002, webhooks on 9003
  plinto dev --base-port 0         any free ports; they are printed, and written to run.json
  plinto dev --data-dir /tmp/try   somewhere else; remove the directory to start over")]
pub(crate) struct DevArgs {
    #[command(flatten)]
    pub(crate) start: StartArgs,
    /// Port of the core service; the others take the next three. 0 takes any free ones.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(..=65_532))]
    pub(crate) base_port: Option<u16>,
}

/// `plinto serve`
#[derive(Clone, Debug, Args)]
#[command(after_help = CONFIGURATION)]
pub(crate) struct ServeArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "PLINTO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Services to run in this process: core, auth, mock, webhooks [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) start: StartArgs,
    /// Check the configuration, say what is wrong with it, and exit
    #[arg(long)]
    pub(crate) check: bool,
}

fn listen(text: &str) -> Result<(String, SocketAddr), String> {
    let fix = "write a service and an address, such as core=127.0.0.1:9000";
    let (service, address) = text.split_once('=').ok_or(fix)?;
    let known = plinto_http::ListenerName::ALL.iter().any(|name| name.as_str() == service);
    if !known {
        return Err("the services are core, auth, mock and webhooks".to_owned());
    }
    Ok((service.to_owned(), address.parse().map_err(|_| fix)?))
}

impl DataDirArg {
    /// The data directory, for commands that need nothing else of the settings.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(self.data_dir.as_deref().unwrap_or(DEFAULT_DATA_DIR))
    }

    /// Adds what was given to the settings.
    pub(crate) fn add_to(&self, flags: &mut Layers) {
        if let Some(path) = &self.data_dir {
            flags.set("data_dir", path.clone(), Origin::Flag("--data-dir"));
        }
    }
}

impl StartArgs {
    /// Adds what was given to the settings.
    pub(crate) fn add_to(&self, flags: &mut Layers) {
        self.data.add_to(flags);
        for (service, address) in &self.listen {
            flags.set(format!("listen.{service}"), address.to_string(), Origin::Flag("--listen"));
        }
        if let Some(filter) = &self.log {
            flags.set("log.filter", filter.clone(), Origin::Flag("--log"));
        }
        if self.fault_injection {
            flags.set("fault_injection", true, Origin::Flag("--fault-injection"));
        }
    }
}
