//! A disk that is full, and is not full any more.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rand::rngs::SmallRng;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::Progress;
use super::kill::everything_is_there;
use crate::api::{Answer, Api};
use crate::bench::{Bench, folder};
use crate::invariants::{
    Findings, Invariant, Violation, Witness, ledger_verifies, open_sign_up_is_old_or_new,
};
use crate::journal::{Account, Journal, Standing, State};
use crate::load::new_account;
use crate::process::Server;
use crate::seed::Seed;
use crate::verification::Depth;
use crate::{Failure, HarnessError};

const VOLUME: &str = "size=8m,mode=700";
/// Bytes left for the server before the ballast is the only reason that there is no more.
const LEFT: u64 = 600 * 1024;
const TENANTS: usize = 2;
const USERS_PER_TENANT: usize = 4;
/// More sign-ups than fit into what is left, by far.
const MOST_SIGN_UPS: usize = 2_000;
/// Time within which writes have to resume.
const RECOVERY: Duration = Duration::from_secs(15);
/// Time within which readiness has to say what is the case.
const READINESS: Duration = Duration::from_secs(2);

/// A small file system in memory, unmounted when dropped.
pub struct SmallVolume {
    place: TempDir,
}

impl SmallVolume {
    /// Mounts one. The error says why that is not possible here: it needs root and a kernel that lets it mount.
    pub fn mount() -> Result<Self, String> {
        let place = folder().map_err(|error| error.to_string())?;
        let mut command = Command::new("mount");
        let command = command.args(["-t", "tmpfs", "-o", VOLUME, "plinto-chaos"]).arg(place.path());
        let output = command.output().map_err(|error| format!("mount cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(Self { place });
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("a tmpfs cannot be mounted: {}", said.trim()))
    }

    fn ballast(&self) -> PathBuf {
        self.place.path().join("ballast")
    }

    /// Fills the volume, leaving `left` bytes.
    fn fill(&self, left: u64) -> Result<(), HarnessError> {
        let path = self.ballast();
        let failed = || HarnessError::io(format!("fill {}", path.display()));
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed())?;
        let block = [0x5A_u8; 4_096];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => return Err(failed()(error)),
            }
        }
        let length = file.metadata().map_err(failed())?.len();
        file.set_len(length.saturating_sub(left)).map_err(failed())
    }

    fn free(&self) -> Result<(), HarnessError> {
        fs::remove_file(self.ballast()).map_err(HarnessError::io("remove the ballast"))
    }
}

impl Drop for SmallVolume {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.place.path()).status();
        // A volume still in use goes away with its last user; the folder would not, and says so.
        if !unmounted.is_ok_and(|status| status.success()) {
            drop(Command::new("umount").arg("-l").arg(self.place.path()).status());
        }
    }
}

/// Fills the disk under sign-ups, frees it, fills it again, kills the server on the full disk, and frees it again.
pub async fn disk_full(
    program: &Path,
    volume: &SmallVolume,
    seed: Seed,
    say: Progress<'_>,
) -> Result<(), Failure> {
    let bench = Bench::on(program, folder()?, &volume.place.path().join("data"), seed);
    let replay = format!("plinto-chaos disk-full --seed {}", seed.0);
    let violations = run(&bench, volume, say).await?;
    bench.conclude(violations, &replay)
}

async fn run(bench: &Bench, volume: &SmallVolume, say: Progress<'_>) -> Result<Vec<Violation>, HarnessError> {
    let mut findings = Findings::default();
    let mut random = bench.seed.generator(0, 0);
    let server = bench.installation.start().await?;
    bench.furnish(server.api(), TENANTS, USERS_PER_TENANT).await?;
    let platform_key = bench.installation.platform_key()?;
    let witness = Witness::new(server.api(), &platform_key);

    volume.fill(LEFT)?;
    let (accepted, refused) =
        sign_up_until_full(&witness, &bench.journal, "first", &mut random, &mut findings).await;
    say(format!("full after {accepted} sign-ups"));
    sessions_validate(&witness, &bench.journal, &mut findings).await;
    findings.hold(Invariant::FullDiskIsSurvived, becomes_ready(witness.api, false).await, || {
        "the disk is full and the core service says that it is ready".to_owned()
    });
    volume.free()?;
    writes_resume(&witness, &bench.journal, "first", &mut random, &mut findings).await;
    refused_is_absent(&witness, refused, &mut findings).await;
    say("the disk has room again, and writes resumed".to_owned());
    let mut violations = all_is_well(bench, &witness, 1).await?;

    volume.fill(LEFT)?;
    let (accepted, refused) =
        sign_up_until_full(&witness, &bench.journal, "second", &mut random, &mut findings).await;
    server.kill().await?;
    say(format!("full again after {accepted} sign-ups, and killed"));
    volume.free()?;
    let server: Server = bench.installation.start().await?;
    let witness = Witness::new(server.api(), &platform_key);
    refused_is_absent(&witness, refused, &mut findings).await;
    violations.extend(all_is_well(bench, &witness, 2).await?);
    server.stop().await?;
    violations.extend(ledger_verifies(&bench.installation, TENANTS).await?.into_violations());
    violations.extend(findings.into_violations());
    Ok(violations)
}

/// Signs up users until the server says that its storage is full: how many it accepted, and the one it refused.
async fn sign_up_until_full(
    witness: &Witness<'_>,
    journal: &Journal,
    name: &str,
    random: &mut SmallRng,
    findings: &mut Findings,
) -> (usize, Option<Account>) {
    for number in 0..MOST_SIGN_UPS {
        let tenant = format!("users-{}", number % TENANTS);
        let mut account = new_account(tenant, &format!("{name}-{number}"), random);
        let answer = witness.api.sign_up(&account.tenant, &account.email, &account.password).await;
        let full = answer.is_refusal(503, "storage_full");
        findings.hold(Invariant::FullDiskIsSurvived, full || matches!(answer, Answer::Done(())), || {
            format!("on a disk that fills up a sign-up was answered {}", answer.summary())
        });
        match answer {
            Answer::Done(()) => {
                account.standing = Standing::Acknowledged;
                journal.put(account);
            }
            _ if full => return (number, Some(account)),
            _ => journal.put(account),
        }
    }
    findings.hold(Invariant::FullDiskIsSurvived, false, || {
        format!("{MOST_SIGN_UPS} sign-ups were accepted although the volume is smaller than that")
    });
    (MOST_SIGN_UPS, None)
}

/// What was refused because the disk was full is not there, now that there is room.
async fn refused_is_absent(witness: &Witness<'_>, refused: Option<Account>, findings: &mut Findings) {
    let Some(account) = refused else { return };
    let email = account.email.clone();
    let (found, checked) = open_sign_up_is_old_or_new(witness, account).await;
    findings.add(checked);
    findings.hold(Invariant::FullDiskIsSurvived, found.is_none(), || {
        format!("the sign-up of {email} was refused with storage_full, and the account is there")
    });
}

/// Sessions need no room on the disk to be validated.
async fn sessions_validate(witness: &Witness<'_>, journal: &Journal, findings: &mut Findings) {
    let tokens: Vec<String> = journal.with_accounts(|accounts| {
        let sessions = accounts.iter().flat_map(|account| &account.sessions);
        sessions
            .filter(|session| session.state == State::Live)
            .map(|session| session.access.clone())
            .collect()
    });
    for token in tokens {
        let answer = witness.api.is_active(witness.platform_key, &token).await;
        let invariant = Invariant::FullDiskIsSurvived;
        findings.hold(invariant, matches!(answer, Answer::Done(true)), || {
            format!(
                "on a full disk the introspection of a live session was answered {}, not active",
                answer.summary()
            )
        });
    }
}

async fn writes_resume(
    witness: &Witness<'_>,
    journal: &Journal,
    name: &str,
    random: &mut SmallRng,
    findings: &mut Findings,
) {
    for tenant in 0..TENANTS {
        let mut account = new_account(format!("users-{tenant}"), &format!("{name}-after-{tenant}"), random);
        let freed = Instant::now();
        loop {
            let answer = witness.api.sign_up(&account.tenant, &account.email, &account.password).await;
            if matches!(answer, Answer::Done(())) {
                account.standing = Standing::Acknowledged;
                journal.put(account);
                break;
            }
            if freed.elapsed() > RECOVERY {
                findings.hold(Invariant::FullDiskIsSurvived, false, || {
                    let waited = RECOVERY.as_secs();
                    format!("{waited} s after the disk had room a sign-up was answered {}", answer.summary())
                });
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    findings.hold(Invariant::FullDiskIsSurvived, becomes_ready(witness.api, true).await, || {
        "the disk has room and the core service does not say that it is ready".to_owned()
    });
}

async fn all_is_well(
    bench: &Bench,
    witness: &Witness<'_>,
    round: usize,
) -> Result<Vec<Violation>, HarnessError> {
    let mut violations = everything_is_there(bench, witness, Depth::EVERYTHING, round).await?;
    violations.extend(ledger_verifies(&bench.installation, TENANTS).await?.into_violations());
    Ok(violations)
}

/// Whether readiness says so soon: it is looked at a few times a second, however often it is asked for.
async fn becomes_ready(api: &Api, expected: bool) -> bool {
    let asked = Instant::now();
    while api.is_ready().await != expected {
        if asked.elapsed() > READINESS {
            return false;
        }
        sleep(Duration::from_millis(50)).await;
    }
    true
}
