//! Two processes on one data directory.

use std::path::Path;

use super::Progress;
use crate::bench::Bench;
use crate::invariants::{Findings, Invariant, Violation, Witness, ledger_verifies, refusal_says_what_to_do};
use crate::process::Server;
use crate::seed::Seed;
use crate::verification::{Depth, verify};
use crate::{Failure, HarnessError};

const TENANTS: usize = 1;
const USERS_PER_TENANT: usize = 3;
/// Times two processes are started at once on a directory nobody has.
const RACES: usize = 4;

/// Starts a second process beside a first, kills the first, and lets two race for the directory.
pub async fn second_process(program: &Path, seed: Seed, say: Progress<'_>) -> Result<(), Failure> {
    let bench = Bench::new(program, seed)?;
    let replay = format!("plinto-chaos second-process --seed {}", seed.0);
    let violations = run(&bench, say).await?;
    bench.conclude(violations, &replay)
}

async fn run(bench: &Bench, say: Progress<'_>) -> Result<Vec<Violation>, HarnessError> {
    let installation = &bench.installation;
    let first = installation.start().await?;
    bench.furnish(first.api(), TENANTS, USERS_PER_TENANT).await?;
    let platform_key = installation.platform_key()?;
    let mut findings = Findings::default();
    for command in ["serve", "dev"] {
        let refusal = installation.run(&[command]).await?;
        let holder = format!("process {}", first.pid());
        let when = format!("a second process by `plinto {command}`");
        findings.add(refusal_says_what_to_do(&refusal, &["in use", &holder], &when));
    }
    say("a second process was refused".to_owned());
    let witness = Witness::new(first.api(), &platform_key);
    findings.extend(verify(&witness, &bench.journal, Depth::EVERYTHING, bench.seed, 0).await);
    // The refused ones must not have taken away where the first is found.
    let health = installation.run(&["healthcheck"]).await?;
    findings.hold(Invariant::OneProcessPerDirectory, health.status.success(), || {
        format!(
            "after the refusal the first process is not found: {}",
            String::from_utf8_lossy(&health.stderr)
        )
    });
    first.kill().await?;
    for race in 1..=RACES {
        let winner = race_for_it(bench, &mut findings).await?;
        let witness = Witness::new(winner.api(), &platform_key);
        findings.extend(verify(&witness, &bench.journal, Depth::SAMPLE, bench.seed, race).await);
        winner.kill().await?;
    }
    say(format!("of two started at once one won, {RACES} times"));
    findings.add(ledger_verifies(installation, TENANTS).await?);
    Ok(findings.into_violations())
}

/// Starts two at once; the one that serves. The directory was last held by a killed process.
async fn race_for_it(bench: &Bench, findings: &mut Findings) -> Result<Server, HarnessError> {
    let mut one = bench.installation.launch(&["serve"])?;
    let mut other = bench.installation.launch(&["serve"])?;
    let (first, second) = futures::join!(one.wait_until_ready(), other.wait_until_ready());
    let exactly_one = first.is_ok() != second.is_ok();
    findings.hold(Invariant::OneProcessPerDirectory, exactly_one, || {
        let said = |outcome: &Result<(), HarnessError>| match outcome {
            Ok(()) => "is ready".to_owned(),
            Err(error) => error.to_string(),
        };
        format!("of two started at once the one {}, the other {}", said(&first), said(&second))
    });
    match (first, second) {
        (Ok(()), _) => Ok(one),
        (Err(_), Ok(())) => Ok(other),
        (Err(error), Err(_)) => Err(error),
    }
}
