//! The `plinto` binary: composition root and operator's command line.

mod breaches;
mod cli;
mod client;
mod commands;
mod composition;
mod dev;
mod private_file;
mod settings;
mod terminal;
mod tree;

use std::process::ExitCode;

use clap::Parser;
use commands::CommandError;

// Spawns actors five times faster than the system's allocator, and gives memory back when they have gone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::failure(&error);
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(cli));
    // Whatever still runs was told to stop and had its time.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| {
        terminal::failure(&error);
        match error {
            CommandError::Config(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    })
}
