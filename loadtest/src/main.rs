//! `plinto-bench`: measures Plinto beside the bare limit of the same machine, in one run, and prints the ratios.
//!
//! Architecture invariant: a baseline runs in the same process, from the same load generator, in turn with ours, and
//! only ratios are compared (memory, activation and start-up excepted, which the issue bounds as such). Nothing here
//! fails because a machine is slow.

mod benchmarks;
mod rig;

use benchmarks::{Benchmark, many_sessions, startup};
use clap::{Parser, Subcommand};
use plinto_domain::Timestamp;
use rig::instance::now;
use rig::report::Report;
use rig::{BenchError, Settings};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

// As in the `plinto` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Plinto beside the bare limit of the same machine and prints the ratios beside their bars.
#[derive(Parser)]
#[command(name = "plinto-bench", version)]
struct Cli {
    /// Run these only, such as `a,b`
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    only: Vec<Benchmark>,
    /// Fewer rounds, sessions and tenants: for a look while developing, not for a verdict
    #[arg(long)]
    quick: bool,
    /// Seconds of one measurement; password and neighbour measurements take at least 4 and 5
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often baseline and ours alternate
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where the result goes, with every round
    #[arg(long, default_value = "loadtest/results/latest.json")]
    json: PathBuf,
    /// Where data directories are made: on the disk to be measured
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    work_dir: PathBuf,
    /// Exit with 1 when a bar is missed
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    child: Option<Child>,
}

/// Processes this program starts for itself.
#[derive(Subcommand)]
enum Child {
    #[command(hide = true, name = startup::CHILD)]
    StartUp {
        #[arg(long)]
        dir: PathBuf,
    },
    #[command(hide = true, name = many_sessions::SEED)]
    Seed {
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        sessions: u64,
        #[arg(long)]
        epoch: i64,
    },
    #[command(hide = true, name = many_sessions::MEASURE)]
    Measure {
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        sessions: u64,
        #[arg(long)]
        cap: u64,
        #[arg(long)]
        epoch: i64,
    },
}

#[expect(clippy::print_stderr, reason = "a program for people")]
#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.child {
        None => bench(&cli).await,
        Some(child) => run_child(child).await.map(|()| true),
    };
    match done {
        Ok(passed) if passed || !cli.strict => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("plinto-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_child(child: Child) -> Result<(), BenchError> {
    match child {
        Child::StartUp { dir } => startup::child(&dir).await,
        Child::Seed { dir, sessions, epoch } => {
            many_sessions::seed_child(&dir, sessions, Timestamp::from_millis(epoch)).await
        }
        Child::Measure { dir, sessions, cap, epoch } => {
            many_sessions::measure_child(&dir, sessions, cap, Timestamp::from_millis(epoch)).await
        }
    }
}

/// Runs what was asked for, prints and writes the report; returns whether every bar was met.
#[expect(clippy::print_stdout, reason = "a program for people")]
async fn bench(cli: &Cli) -> Result<bool, BenchError> {
    if cfg!(debug_assertions) {
        return Err(BenchError::Invalid("this is a debug build; run it with `cargo run --release`".into()));
    }
    let (seconds, rounds) =
        if cli.quick { (cli.seconds.min(0.5), cli.rounds.min(3)) } else { (cli.seconds, cli.rounds) };
    let span =
        Duration::try_from_secs_f64(seconds).map_err(|error| BenchError::Invalid(error.to_string()))?;
    if span.is_zero() || rounds == 0 {
        return Err(BenchError::Invalid("--seconds and --rounds must be more than 0".into()));
    }
    let settings = Settings { span, rounds, quick: cli.quick, work_dir: cli.work_dir.clone() };
    let (measurements, skipped) = Benchmark::run_all(&cli.only, &settings).await?;
    let report = Report {
        date: date(),
        rustc: rustc().await,
        cores: std::thread::available_parallelism()?.get(),
        seconds_per_measurement: seconds,
        rounds,
        quick: cli.quick,
        measurements,
        skipped,
    };
    println!("{}", report.table());
    report.write(&cli.json)?;
    println!("every round is in {}", cli.json.display());
    Ok(report.passed())
}

fn date() -> String {
    jiff::Timestamp::from_millisecond(now().as_millis())
        .map_or_else(|_| "unknown".to_owned(), |at| at.to_string())
}

/// The compiler of this machine, which usually built this binary.
async fn rustc() -> String {
    let output = tokio::process::Command::new("rustc").arg("--version").output().await;
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}
