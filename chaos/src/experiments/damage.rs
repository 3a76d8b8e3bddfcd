//! Damaged files, a wrong key, a newer schema: refused, and nothing overwritten.

use std::fs;
use std::path::{Path, PathBuf};

use rand::RngExt;

use super::Progress;
use crate::api::Answer;
use crate::bench::{Bench, copy_folder};
use crate::invariants::{
    Findings, Fingerprint, Invariant, Violation, Witness, ledger_verifies, nothing_was_overwritten,
    refusal_says_what_to_do,
};
use crate::journal::Account;
use crate::process::Installation;
use crate::seed::Seed;
use crate::verification::{Depth, verify};
use crate::{Failure, HarnessError, audit};

const TENANTS: usize = 2;
const USERS_PER_TENANT: usize = 2;
/// The tenant whose file is damaged, and its neighbour.
const VICTIM: &str = "users-0";
const PAGE: usize = 4_096;
/// A later version of the schema than any that is known.
const NEWER: &str = "INSERT INTO schema_migrations VALUES (99, 'later', x'00')";

/// The call that writes to a tenant's file.
const SIGN_IN: &str = "sign-in";

/// How much of a file a damage touches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Nobody may use the file.
    WholeFile,
    /// What needs none of this page may go on: a tenant's file is not read through when it is opened.
    OnePage,
}

/// A way to damage a file.
struct Damage {
    what: String,
    reach: Reach,
    bytes: Vec<u8>,
}

/// Every damage that is tried on a file. Flipped bits hit what every page must have in order: SQLite has no checksums
/// over the contents of rows (those are sealed or chained instead).
fn damages(sound: &[u8], seed: Seed) -> Vec<Damage> {
    let mut random = seed.generator(0, 0);
    let truncated = |length: usize| Damage {
        what: format!("truncated from {} to {length} bytes", sound.len()),
        reach: Reach::WholeFile,
        bytes: sound[..length].to_vec(),
    };
    let mut damages = vec![
        truncated(0),
        truncated(sound.len() / 2 / PAGE * PAGE),
        truncated(random.random_range(1..sound.len())),
        truncated(sound.len() - 1),
    ];
    let mut flip = |what: &str, reach: Reach, byte: usize, bit: u8| {
        let mut bytes = sound.to_vec();
        bytes[byte] ^= 1 << bit;
        damages.push(Damage { what: format!("bit {bit} of byte {byte} flipped ({what})"), reach, bytes });
    };
    flip("the header", Reach::WholeFile, random.random_range(0..16), random.random_range(0..8));
    flip("the kind of the first page", Reach::WholeFile, 100, 3);
    let used = (1..sound.len() / PAGE).map(|page| page * PAGE).filter(|start| sound[start + 4] > 0);
    for start in used {
        if random.random_ratio(1, 3) {
            flip("the kind of a page", Reach::OnePage, start, 3);
        }
    }
    damages
}

/// Damages a copy of one data directory in every way, one after the other.
pub async fn damage(program: &Path, seed: Seed, say: Progress<'_>) -> Result<(), Failure> {
    let bench = Bench::new(program, seed)?;
    let replay = format!("plinto-chaos damage --seed {}", seed.0);
    let violations = run(&bench, say).await?;
    bench.conclude(violations, &replay)
}

/// The data directory, and a sound copy of it.
struct Specimen<'a> {
    bench: &'a Bench,
    installation: &'a Installation,
    sound: PathBuf,
    victim: PathBuf,
}

async fn run(bench: &Bench, say: Progress<'_>) -> Result<Vec<Violation>, HarnessError> {
    let installation = &bench.installation;
    let server = installation.start().await?;
    bench.furnish(server.api(), TENANTS, USERS_PER_TENANT).await?;
    server.stop().await?;
    let sound = bench.path("sound");
    copy_folder(installation.data_dir(), &sound)?;
    let specimen = Specimen { bench, installation, victim: file_of_victim(bench)?, sound };

    let mut findings = Findings::default();
    let platform = PathBuf::from("platform.db");
    for damage in damages(&specimen.read(&platform)?, bench.seed) {
        specimen.write(&platform, &damage.bytes)?;
        findings.add(
            specimen.start_is_refused(installation, &["platform.db", "plinto restore"], &damage.what).await?,
        );
        say(format!("platform.db {}: refused", damage.what));
    }
    findings.add(specimen.other_refusals().await?);
    say("platform.db missing, wrong master key, newer schema: refused".to_owned());
    for damage in damages(&specimen.read(&specimen.victim)?, bench.seed) {
        specimen.write(&specimen.victim, &damage.bytes)?;
        findings.add(specimen.only_the_victim_suffers(damage.reach, &damage.what).await?);
        say(format!("a tenant's file {}: refused, its neighbour works", damage.what));
    }
    specimen.restore()?;
    specimen.alter(&specimen.victim)?;
    findings.add(specimen.only_the_victim_suffers(Reach::WholeFile, "the schema is newer").await?);
    findings.add(specimen.sound_again().await?);
    Ok(findings.into_violations())
}

impl Specimen<'_> {
    fn read(&self, file: &Path) -> Result<Vec<u8>, HarnessError> {
        fs::read(self.sound.join(file)).map_err(HarnessError::io("read a sound file"))
    }

    /// Puts one damaged file into a directory that is sound otherwise.
    fn write(&self, file: &Path, bytes: &[u8]) -> Result<(), HarnessError> {
        self.restore()?;
        fs::write(self.installation.data_dir().join(file), bytes).map_err(HarnessError::io("damage a file"))
    }

    fn restore(&self) -> Result<(), HarnessError> {
        let data = self.installation.data_dir();
        fs::remove_dir_all(data).map_err(HarnessError::io("remove the damaged copy"))?;
        copy_folder(&self.sound, data)
    }

    /// Makes a file look as if a later version had written it.
    fn alter(&self, file: &Path) -> Result<(), HarnessError> {
        let connection = rusqlite::Connection::open(self.installation.data_dir().join(file))?;
        connection.execute(NEWER, [])?;
        connection.close().map_err(|(_, error)| error.into())
    }

    async fn start_is_refused(
        &self,
        installation: &Installation,
        words: &[&str],
        when: &str,
    ) -> Result<Findings, HarnessError> {
        let before = Fingerprint::of(installation.data_dir())?;
        let refusal = installation.refused_start().await?;
        let mut findings = refusal_says_what_to_do(&refusal, words, when);
        let after = Fingerprint::of(installation.data_dir())?;
        findings.add(nothing_was_overwritten(&before, &after, when));
        Ok(findings)
    }

    async fn other_refusals(&self) -> Result<Findings, HarnessError> {
        self.restore()?;
        let data = self.installation.data_dir();
        fs::remove_file(data.join("platform.db")).map_err(HarnessError::io("remove platform.db"))?;
        let mut findings = self
            .start_is_refused(self.installation, &["platform.db", "missing"], "platform.db is missing")
            .await?;
        self.restore()?;
        let wrong = self.installation.clone().with("PLINTO_MASTER_KEY", &"5a".repeat(32));
        findings
            .add(self.start_is_refused(&wrong, &["master key", "give the key"], "a wrong master key").await?);
        self.alter(Path::new("platform.db"))?;
        let words = ["platform.db", "schema 99", "version of plinto"];
        findings.add(self.start_is_refused(self.installation, &words, "a newer schema").await?);
        Ok(findings)
    }

    /// The server starts; whoever belongs to the damaged tenant gets a problem; everybody else is served;
    /// `plinto audit verify` names the damaged ledger; the file stays as it is unless a sign-in that needs none of the
    /// damaged page was served from it.
    async fn only_the_victim_suffers(&self, reach: Reach, when: &str) -> Result<Findings, HarnessError> {
        let mut findings = Findings::default();
        let file = self.installation.data_dir().join(&self.victim);
        let before = Fingerprint::of_file(&file)?;
        let server = self.installation.start().await?;
        let platform_key = self.installation.platform_key()?;
        let witness = Witness::new(server.api(), &platform_key);
        let invariant = Invariant::NeighbourWorks;
        let mut written = false;
        let accounts = self.bench.journal.take_all();
        for account in &accounts {
            let hurt = account.tenant == VICTIM;
            for (call, answer) in attempts(&witness, account).await {
                let done = matches!(answer, Answer::Done(()));
                let kept = if hurt { is_problem(&answer) || (done && reach == Reach::OnePage) } else { done };
                findings.hold(invariant, kept, || {
                    format!("{when}: a {call} at {} was answered {}", account.tenant, answer.summary())
                });
                written |= hurt && done && call == SIGN_IN;
            }
        }
        accounts.into_iter().for_each(|account| self.bench.journal.put(account));
        let verdict = audit::verify(self.installation).await?;
        let named = !verdict.good && verdict.said.contains(VICTIM) && verdict.ledgers == TENANTS;
        findings.hold(Invariant::LedgerVerifies, named, || {
            format!("{when}: audit verify does not name the damaged ledger and that alone: {}", verdict.said)
        });
        findings.hold(Invariant::NeighbourWorks, server.stop().await?.success(), || {
            format!("{when}: the server does not stop in order")
        });
        if !written {
            findings.add(nothing_was_overwritten(&before, &Fingerprint::of_file(&file)?, when));
        }
        Ok(findings)
    }

    /// The experiment itself damaged nothing but what it meant to.
    async fn sound_again(&self) -> Result<Findings, HarnessError> {
        self.restore()?;
        let server = self.installation.start().await?;
        let platform_key = self.installation.platform_key()?;
        let witness = Witness::new(server.api(), &platform_key);
        let violations = verify(&witness, &self.bench.journal, Depth::EVERYTHING, self.bench.seed, 0).await;
        let mut findings = ledger_verifies(self.installation, TENANTS).await?;
        server.stop().await?;
        findings.extend(violations);
        Ok(findings)
    }
}

/// A sign-in and the look at the key set: needs rows and keys of the tenant's file.
async fn attempts(witness: &Witness<'_>, account: &Account) -> [(&'static str, Answer<()>); 2] {
    let sign_in = witness.api.sign_in(&account.tenant, &account.email, &account.password).await;
    let keys = witness.api.key_set(&account.tenant).await;
    [(SIGN_IN, sign_in.map(drop)), ("look at the key set", keys.map(drop))]
}

/// A problem of the server's, with a code.
fn is_problem(answer: &Answer<()>) -> bool {
    matches!(answer, Answer::Refused { status: 500..=599, code, .. } if !code.is_empty())
}

/// The victim's file, relative to the data directory.
fn file_of_victim(bench: &Bench) -> Result<PathBuf, HarnessError> {
    let database = bench.installation.data_dir().join("platform.db");
    let connection = rusqlite::Connection::open(&database)?;
    let id: Vec<u8> =
        connection.query_row("SELECT tenant_id FROM tenants WHERE slug = ?1", [VICTIM], |row| row.get(0))?;
    connection.close().map_err(|(_, error)| error)?;
    let digits = hex::encode(id);
    let text = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-");
    Ok(PathBuf::from(format!("tenants/{text}.db")))
}
