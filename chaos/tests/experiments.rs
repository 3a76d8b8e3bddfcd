//! The experiments as tests. An own harness instead of libtest's, because one of them may not be possible on a machine,
//! and then has to show as ignored, with the reason, instead of passing.
//!
//! `PLINTO_CHAOS_SEED` sets the seed of all of them; otherwise each run has a new one, which a failure prints.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};
use parking_lot::RwLock;
use plinto_chaos::experiments::{self, SeveralNodes, SmallVolume};
use plinto_chaos::invariants::Invariant;
use plinto_chaos::seed::Seed;
use plinto_chaos::traffic::Spread;
use plinto_chaos::{Failure, binary};

const ROUNDS: usize = 25;
const FIRST_STARTS: usize = 5;
/// The seed of the experiments on several nodes, so that they break the same things in the same order every time.
const NODES_SEED: Seed = Seed(3);
/// One busy tenant and a hundred others, a minute, each of the four faults once.
const SEVERAL: SeveralNodes = SeveralNodes { time: Duration::from_secs(60), tenants: 100, faults: 4 };

/// What is meant by at once: half of all nodes know of a revocation within this.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Experiments on one process run beside each other; those on several nodes measure times, and run alone.
static MACHINE: RwLock<()> = RwLock::new(());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let given = std::env::var("PLINTO_CHAOS_SEED").ok();
    let given = given.map(|text| Seed(text.parse().expect("PLINTO_CHAOS_SEED is a whole number")));
    let (seed, nodes_seed) = (given.unwrap_or_else(Seed::fresh), given.unwrap_or(NODES_SEED));
    let program: Arc<Path> = if arguments.list {
        PathBuf::new().into()
    } else {
        tell(&format!("seed {}, on several nodes {}", seed.0, nodes_seed.0));
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
        alone("several_nodes", &program, move |program| Box::pin(several_nodes(program, nodes_seed))),
        alone("rolling_restart", &program, move |program| Box::pin(rolling_restart(program, nodes_seed))),
        alone("outage", &program, move |program| {
            Box::pin(experiments::outage(program, nodes_seed, &tell_line))
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

/// What "done" means for several nodes. The promises are checked inside; here is that enough happened, and the median
/// of the time a revocation takes. Its p99 is told, not asserted: a machine that does something else for a moment is no
/// broken promise, and the bound of two seconds holds for every single one.
async fn several_nodes(program: &Path, seed: Seed) -> Result<(), Failure> {
    let report = experiments::several_nodes(program, SEVERAL, seed, &tell_line).await?;
    tell(&report.to_string());
    let tally = report.tally;
    let enough =
        tally.sign_ups > 10 && tally.sign_ins > 100 && tally.refreshes > 500 && tally.sign_outs > 100;
    assert!(enough, "the traffic was too small to prove {}: {report}", Invariant::SessionSurvives);
    let Spread { count, p50, .. } = report.refused;
    assert!(count > 100 && p50 < AT_ONCE, "revocations took too long with Redis, or were too few: {report}");
    assert!(report.refused_without_redis.count > 0, "nobody signed out while Redis was away: {report}");
    assert_eq!(
        report.written.ledgers,
        SEVERAL.tenants + 2,
        "one for each tenant and the platform's: {report}"
    );
    Ok(())
}

async fn rolling_restart(program: &Path, seed: Seed) -> Result<(), Failure> {
    let report = experiments::rolling_restart(program, seed, &quiet).await?;
    tell(&report.to_string());
    let tally = report.tally;
    let enough = report.restarts >= 3 && tally.refreshes > 50 && tally.sign_ins > 5;
    assert!(enough, "the traffic was too small to prove {}: {report}", Invariant::NoFailureOutsideFaults);
    Ok(())
}

/// A trial during which no other runs.
fn alone<F>(name: &str, program: &Arc<Path>, experiment: F) -> Trial
where
    F: for<'a> FnOnce(&'a Path) -> LocalBoxFuture<'a, Result<(), Failure>> + Send + 'static,
{
    let program = Arc::clone(program);
    Trial::test(name, move || {
        let _machine = MACHINE.write();
        run(&program, experiment)
    })
}

fn trial<F>(name: &str, program: &Arc<Path>, experiment: F) -> Trial
where
    F: for<'a> FnOnce(&'a Path) -> LocalBoxFuture<'a, Result<(), Failure>> + Send + 'static,
{
    let program = Arc::clone(program);
    Trial::test(name, move || {
        let _machine = MACHINE.read();
        run(&program, experiment)
    })
}

fn run<F>(program: &Path, experiment: F) -> Result<(), Failed>
where
    F: for<'a> FnOnce(&'a Path) -> LocalBoxFuture<'a, Result<(), Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failed::from(error.to_string()))?;
    runtime.block_on(experiment(program)).map_err(|failure| Failed::from(failure.to_string()))
}

fn quiet(_: String) {}

fn tell_line(line: String) {
    tell(&line);
}

fn tell(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
