//! `kill -9` while `plinto dev` starts for the first time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rand::RngExt;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::Progress;
use crate::api::{Answer, Api};
use crate::bench::Bench;
use crate::invariants::{Findings, Invariant, Violation, ledger_verifies};
use crate::process::Installation;
use crate::seed::Seed;
use crate::{Failure, HarnessError};

/// Kills of one directory before it is let live.
const KILLS: usize = 3;
/// Time within which the demo tenant has to be there.
const SEEDED: Duration = Duration::from_secs(20);

/// The credentials `plinto dev` keeps.
#[derive(Deserialize)]
struct Credentials {
    tenant: String,
    email: String,
    password: String,
}

/// Kills the first starts of `directories` new data directories, then lets each come up: with a demo user that signs
/// in by the credentials that were kept.
pub async fn first_start(
    program: &Path,
    directories: usize,
    seed: Seed,
    say: Progress<'_>,
) -> Result<(), Failure> {
    for directory in 1..=directories {
        let bench = Bench::new(program, seed)?;
        let replay = format!("plinto-chaos first-start --rounds {directories} --seed {}", seed.0);
        let (violations, kills) = run(&bench, directory).await?;
        bench.conclude(violations, &replay)?;
        say(format!("directory {directory}: came up after kills at {kills:?}"));
    }
    Ok(())
}

async fn run(bench: &Bench, directory: usize) -> Result<(Vec<Violation>, Vec<Duration>), HarnessError> {
    let mut random = bench.seed.generator(directory, 0);
    // `dev` makes the master key itself.
    let installation = bench.installation.clone().without("PLINTO_MASTER_KEY");
    let kills: Vec<_> = (0..KILLS).map(|_| Duration::from_micros(random.random_range(0..400_000))).collect();
    for after in &kills {
        let starting = installation.launch(&["dev"])?;
        sleep(*after).await;
        starting.kill().await?;
    }
    let mut findings = Findings::default();
    let mut server = installation.launch(&["dev"])?;
    if let Err(error) = server.wait_until_ready().await {
        findings.hold(Invariant::StartsAgain, false, || format!("after kills at {kills:?}: {error}"));
        return Ok((findings.into_violations(), kills));
    }
    let seeded = demo_signs_in(&installation, server.api()).await;
    findings.hold(Invariant::StartsAgain, seeded, || {
        format!("after kills at {kills:?} the demo user does not sign in; {}", server.log())
    });
    server.kill().await?;
    findings.add(ledger_verifies(&installation, 1).await?);
    Ok((findings.into_violations(), kills))
}

/// The listeners open before the demo tenant is complete, so it gets some time.
async fn demo_signs_in(installation: &Installation, api: &Api) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < SEEDED {
        let stored = fs::read_to_string(installation.data_dir().join("dev-credentials.json")).ok();
        if let Some(known) = stored.and_then(|text| serde_json::from_str::<Credentials>(&text).ok()) {
            let answer = api.sign_in(&known.tenant, &known.email, &known.password).await;
            if matches!(answer, Answer::Done(_)) {
                return true;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    false
}
