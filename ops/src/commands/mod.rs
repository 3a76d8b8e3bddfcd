//! What each command does.

mod access;
mod audit;
mod backup;
mod bring;
mod error;
mod healthcheck;
mod keys;
mod migrate;
mod node;
mod serve;
mod tenant;
mod tree;
mod user;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command, DevArgs};
use crate::{dev, terminal};
pub(crate) use error::CommandError;
pub(crate) use serve::until_stopped;

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, CommandError> {
    match cli.command.unwrap_or_else(|| Command::Dev(DevArgs::default())) {
        Command::Dev(args) => dev::run(&args).await,
        Command::Serve(args) => serve::run(&args).await,
        Command::Tenant(command) => tenant::run(command).await,
        Command::User(command) => user::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::ServiceKey(command) => keys::run_service_key(command).await,
        Command::Migrate(args) => migrate::run(&args).await,
        Command::ImportEmbedded(args) => bring::import(&args).await,
        Command::Move(command) => bring::run_move(command).await,
        Command::Node(command) => node::run(command).await,
        Command::Tree(args) => tree::run(&args).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Backup(args) => backup::backup(args).await,
        Command::Restore(args) => backup::restore(args).await,
        Command::Healthcheck(args) => healthcheck::run(&args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "plinto", &mut script);
            terminal::answer(String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}
