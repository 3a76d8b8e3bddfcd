//! `kill -9` at any moment under load.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

use super::Progress;
use crate::bench::Bench;
use crate::invariants::{Findings, Invariant, Violation, Witness, ledger_records, ledger_verifies};
use crate::journal::{Standing, Tally};
use crate::load::Load;
use crate::process::Server;
use crate::seed::Seed;
use crate::verification::{Depth, verify};
use crate::{Failure, HarnessError};

const TENANTS: usize = 4;
const USERS_PER_TENANT: usize = 12;
/// The ledgers are compared entry by entry in one of so many rounds, and after the last.
const LEDGER_EVERY: usize = 5;

/// What a round does, drawn from seed and round alone.
struct Plan {
    /// Time under load until the kill.
    load: Duration,
    /// Starts that are killed as well, after so long, before the one that is let live.
    interrupted_starts: Vec<Duration>,
    /// Whether the ledgers are verified while no server runs, or beside it.
    verify_stopped: bool,
}

impl Plan {
    fn draw(seed: Seed, round: usize) -> Self {
        let mut random = seed.generator(round, 0);
        let load = Duration::from_millis(random.random_range(50..800));
        let interrupted = if random.random_ratio(1, 3) { random.random_range(1..=2) } else { 0 };
        let interrupted_starts =
            (0..interrupted).map(|_| Duration::from_micros(random.random_range(0..200_000))).collect();
        Self { load, interrupted_starts, verify_stopped: random.random_ratio(1, 2) }
    }
}

/// What a run has done.
#[derive(Clone, Copy, Debug)]
pub struct KillReport {
    /// Times the server was killed under load.
    pub rounds: usize,
    /// Times it was killed while starting.
    pub interrupted_starts: usize,
    /// What was acknowledged and what was left open.
    pub tally: Tally,
}

impl fmt::Display for KillReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, interrupted_starts, tally } = self;
        let Tally { sign_ups, sign_ins, refreshes, sign_outs, administration, open, busy } = tally;
        write!(
            out,
            "{rounds} kills under load and {interrupted_starts} while starting; acknowledged and found again: \
             {sign_ups} sign-ups, {sign_ins} sign-ins, {refreshes} refreshes, {sign_outs} sign-outs, \
             {administration} changes of tenants; {open} calls left open were old or new; {busy} refused as busy"
        )
    }
}

/// Kills the server under load `rounds` times, and checks after each restart that everything acknowledged is there.
pub async fn kill(
    program: &Path,
    rounds: usize,
    seed: Seed,
    say: Progress<'_>,
) -> Result<KillReport, Failure> {
    let bench = Bench::new(program, seed)?;
    let replay = format!("plinto-chaos kill --rounds {rounds} --seed {}", seed.0);
    let mut server = bench.installation.start().await?;
    bench.furnish(server.api(), TENANTS, USERS_PER_TENANT).await?;
    let platform_key = bench.installation.platform_key()?;
    let mut interrupted_starts = 0;
    for round in 1..=rounds {
        let plan = Plan::draw(seed, round);
        work_until_killed(&bench, server, &platform_key, plan.load, round).await?;
        let (restarted, findings) = restart(&bench, &plan).await?;
        interrupted_starts += plan.interrupted_starts.len();
        let Some(again) = restarted else {
            return Err(broken(bench, findings, &replay, round));
        };
        server = again;
        let found = after_restart(&bench, &server, &platform_key, round, round == rounds).await?;
        let violations = [findings.into_violations(), found, bench.journal.violations()].concat();
        if !violations.is_empty() {
            return Err(broken_by(bench, violations, &replay, round));
        }
        let tally = bench.journal.tally();
        say(format!(
            "round {round}: killed after {} ms; so far {} changes acknowledged, {} open",
            plan.load.as_millis(),
            tally.sign_ups + tally.sign_ins + tally.refreshes + tally.sign_outs + tally.administration,
            tally.open
        ));
    }
    let tally = bench.journal.tally();
    server.stop().await?;
    bench.conclude(Vec::new(), &replay)?;
    Ok(KillReport { rounds, interrupted_starts, tally })
}

/// Load for so long, then the kill.
pub(super) async fn work_until_killed(
    bench: &Bench,
    mut server: Server,
    platform_key: &str,
    time: Duration,
    round: usize,
) -> Result<(), HarnessError> {
    let api = server.api().clone();
    let load = Load { api: &api, platform_key, journal: &bench.journal, seed: bench.seed, round };
    let strike = async {
        sleep(time).await;
        server.strike()
    };
    let ((), struck) = futures::join!(load.until_the_server_is_gone(), strike);
    struck?;
    server.kill().await
}

/// Starts again, after the interrupted starts. No server means that it did not come up, which is among the findings.
async fn restart(bench: &Bench, plan: &Plan) -> Result<(Option<Server>, Findings), HarnessError> {
    let mut findings = Findings::default();
    if plan.verify_stopped {
        findings.add(ledger_verifies(&bench.installation, known_tenants(bench)).await?);
    }
    for after in &plan.interrupted_starts {
        let starting = bench.installation.launch(&["serve"])?;
        sleep(*after).await;
        starting.kill().await?;
    }
    match bench.installation.start().await {
        Ok(server) => Ok((Some(server), findings)),
        Err(error @ (HarnessError::Ended { .. } | HarnessError::NotReady { .. })) => {
            findings.hold(Invariant::StartsAgain, false, || error.to_string());
            Ok((None, findings))
        }
        Err(error) => Err(error),
    }
}

async fn after_restart(
    bench: &Bench,
    server: &Server,
    platform_key: &str,
    round: usize,
    last: bool,
) -> Result<Vec<Violation>, HarnessError> {
    let witness = Witness::new(server.api(), platform_key);
    let depth = if last { Depth::EVERYTHING } else { Depth::SAMPLE };
    // Both at once: the ledgers are read while the checks write to them.
    let verified = ledger_verifies(&bench.installation, known_tenants(bench));
    if last || usize::is_multiple_of(round, LEDGER_EVERY) {
        let (found, ledgers) = futures::join!(everything_is_there(bench, &witness, depth, round), verified);
        return Ok([found?, ledgers?.into_violations()].concat());
    }
    let (found, ledgers) =
        futures::join!(verify(&witness, &bench.journal, depth, bench.seed, round), verified);
    Ok([found, ledgers?.into_violations()].concat())
}

/// Holds all that is known against what the server answers and what the ledgers hold.
pub(super) async fn everything_is_there(
    bench: &Bench,
    witness: &Witness<'_>,
    depth: Depth,
    round: usize,
) -> Result<Vec<Violation>, HarnessError> {
    let mut violations = verify(witness, &bench.journal, depth, bench.seed, round).await;
    let accounts = bench.journal.take_all();
    let records = ledger_records(&bench.installation, &bench.journal.tenants(), &accounts).await?;
    violations.extend(records.into_violations());
    accounts.into_iter().for_each(|account| bench.journal.put(account));
    Ok(violations)
}

fn known_tenants(bench: &Bench) -> usize {
    bench.journal.tenants().iter().filter(|tenant| tenant.standing == Standing::Acknowledged).count()
}

fn broken(bench: Bench, findings: Findings, replay: &str, round: usize) -> Failure {
    broken_by(bench, findings.into_violations(), replay, round)
}

fn broken_by(bench: Bench, violations: Vec<Violation>, replay: &str, round: usize) -> Failure {
    let replay = format!("{replay}   (broke in round {round})");
    match bench.conclude(violations, &replay) {
        Err(failure) => failure,
        Ok(()) => unreachable!("there are broken promises"),
    }
}
