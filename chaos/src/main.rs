//! `plinto-chaos`: runs the experiments.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use plinto_chaos::experiments::{self, SeveralNodes, SmallVolume};
use plinto_chaos::seed::Seed;
use plinto_chaos::{Failure, binary};

/// Exit code of an experiment that is not possible on this machine.
const NOT_POSSIBLE: u8 = 3;

/// Experiments against real plinto processes.
///
/// Exit codes: 0 every promise was kept, 1 promises were broken (they are listed, with the command that repeats the
/// run), 2 wrong usage or the experiment could not be done, 3 this machine does not allow the experiment.
#[derive(Debug, Parser)]
#[command(name = "plinto-chaos", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    experiment: Experiment,
    /// The plinto binary [default: that of this workspace, built if missing or older than the sources]
    #[arg(long, value_name = "FILE", env = "PLINTO_BIN", global = true)]
    program: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Experiment {
    /// Kill the server under load, again and again; check after each restart that everything acknowledged is there
    Kill(Rounds),
    /// Kill `plinto dev` while it starts for the first time, in so many directories
    FirstStart(Rounds),
    /// Fill the disk, free it, fill it again and kill the server. Needs the right to mount a tmpfs
    DiskFull(OneSeed),
    /// Truncate files, flip bits, take a wrong key and a newer schema
    Damage(OneSeed),
    /// Start a second process on the data directory of a first
    SecondProcess(OneSeed),
    /// Three nodes on one PostgreSQL and one Redis under traffic; each of the three is taken away and brought back
    SeveralNodes(Several),
    /// Restart three nodes one after the other under traffic; no request may fail
    RollingRestart(OneSeed),
    /// Take PostgreSQL away, freeze it, freeze Redis: what still works, and that it heals
    Outage(OneSeed),
    /// Take acknowledged writes away on purpose; fails unless the checks notice
    Control(OneSeed),
}

#[derive(Debug, Args)]
struct Rounds {
    /// How often
    #[arg(long, default_value_t = 25)]
    rounds: usize,
    #[command(flatten)]
    seed: OneSeed,
}

#[derive(Debug, Args)]
struct Several {
    /// How long the traffic runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Tenants with one user each, beside the busy one
    #[arg(long, default_value_t = 100)]
    tenants: usize,
    /// How many faults: a node, Redis, PostgreSQL and lost answers in an order that the seed decides, then again
    #[arg(long, default_value_t = 4)]
    faults: usize,
    #[command(flatten)]
    seed: OneSeed,
}

#[derive(Debug, Args)]
struct OneSeed {
    /// Where all choices come from; printed at the beginning [default: a new one]
    #[arg(long)]
    seed: Option<u64>,
}

impl OneSeed {
    fn seed(&self) -> Seed {
        let seed = self.seed.map_or_else(Seed::fresh, Seed);
        println!("seed {}", seed.0);
        seed
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(code) => code,
        Err(failure @ Failure::Violated { .. }) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
        Err(failure @ Failure::Harness(_)) => {
            eprintln!("{failure}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let program = match cli.program {
        Some(program) => program,
        None => binary::locate()?,
    };
    let say = |line: String| println!("{line}");
    match cli.experiment {
        Experiment::Kill(Rounds { rounds, seed }) => {
            let report = experiments::kill(&program, rounds, seed.seed(), &say).await?;
            println!("{report}");
        }
        Experiment::FirstStart(Rounds { rounds, seed }) => {
            experiments::first_start(&program, rounds, seed.seed(), &say).await?;
        }
        Experiment::DiskFull(seed) => match SmallVolume::mount() {
            Ok(volume) => experiments::disk_full(&program, &volume, seed.seed(), &say).await?,
            Err(reason) => {
                eprintln!("SKIPPED: {reason}");
                return Ok(ExitCode::from(NOT_POSSIBLE));
            }
        },
        Experiment::Damage(seed) => experiments::damage(&program, seed.seed(), &say).await?,
        Experiment::Control(seed) => experiments::control(&program, seed.seed(), &say).await?,
        Experiment::SeveralNodes(Several { seconds, tenants, faults, seed }) => {
            let size = SeveralNodes { time: Duration::from_secs(seconds), tenants, faults };
            let report = experiments::several_nodes(&program, size, seed.seed(), &say).await?;
            println!("{report}");
        }
        Experiment::RollingRestart(seed) => {
            let report = experiments::rolling_restart(&program, seed.seed(), &say).await?;
            println!("{report}");
        }
        Experiment::Outage(seed) => experiments::outage(&program, seed.seed(), &say).await?,
        Experiment::SecondProcess(seed) => experiments::second_process(&program, seed.seed(), &say).await?,
    }
    println!("done: nothing to complain about");
    Ok(ExitCode::SUCCESS)
}
