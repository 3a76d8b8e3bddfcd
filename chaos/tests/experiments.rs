//! The experiments as tests. An own harness instead of libtest's, because one of them may not be possible on a machine,
//! and then has to show as ignored, with the reason, instead of passing.
//!
//! `PLINTO_CHAOS_SEED` sets the seed of all of them; otherwise each run has a new one, which a failure prints.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};
use plinto_chaos::experiments::{self, SmallVolume};
use plinto_chaos::invariants::Invariant;
use plinto_chaos::seed::Seed;
use plinto_chaos::{Failure, binary};

const ROUNDS: usize = 25;
const FIRST_STARTS: usize = 5;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let seed = match std::env::var("PLINTO_CHAOS_SEED") {
        Ok(text) => Seed(text.parse().expect("PLINTO_CHAOS_SEED is a whole number")),
        Err(_) => Seed::fresh(),
    };
    let program: Arc<Path> = if arguments.list {
        PathBuf::new().into()
    } else {
        tell(&format!("seed {}", seed.0));
        binary::locate().expect("there is a plinto binary").into()
    };
    let mut trials = vec![
        trial("kill_under_load", &program, move |program| Box::pin(kill(program, seed))),
        trial("kill_during_first_start", &program, move |program| {
            Box::pin(experiments::first_start(program, FIRST_STARTS, seed, &quiet))
        }),
        trial("broken_promises_are_noticed", &program, move |program| {
            Box::pin(experiments::control(program, seed, &quiet))
        }),
        trial("damage", &program, move |program| Box::pin(experiments::damage(program, seed, &quiet))),
        trial("second_process", &program, move |program| {
            Box::pin(experiments::second_process(program, seed, &quiet))
        }),
    ];
    trials.push(match SmallVolume::mount() {
        Ok(volume) => trial("disk_full", &program, move |program| {
            let volume = volume;
            Box::pin(async move { experiments::disk_full(program, &volume, seed, &quiet).await })
        }),
        Err(reason) => {
            tell(&format!("disk_full is IGNORED: {reason}"));
            Trial::test("disk_full", || Ok(())).with_ignored_flag(true).with_kind("not possible here")
        }
    });
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The 25 kills the project promises. A run in which little happened proves nothing, so it fails as well.
async fn kill(program: &Path, seed: Seed) -> Result<(), Failure> {
    let report = experiments::kill(program, ROUNDS, seed, &quiet).await?;
    tell(&report.to_string());
    let tally = report.tally;
    let enough = report.rounds >= ROUNDS
        && report.interrupted_starts > 0
        && tally.refreshes > ROUNDS
        && tally.sign_ups > 0
        && tally.sign_ins > 0
        && tally.sign_outs > 0
        && tally.administration > 0
        && tally.open > ROUNDS;
    assert!(enough, "the load was too small to prove {}: {report}", Invariant::SessionSurvives);
    Ok(())
}

fn trial<F>(name: &str, program: &Arc<Path>, experiment: F) -> Trial
where
    F: for<'a> FnOnce(&'a Path) -> LocalBoxFuture<'a, Result<(), Failure>> + Send + 'static,
{
    let program = Arc::clone(program);
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failed::from(error.to_string()))?;
        runtime.block_on(experiment(&program)).map_err(|failure| Failed::from(failure.to_string()))
    })
}

fn quiet(_: String) {}

fn tell(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
