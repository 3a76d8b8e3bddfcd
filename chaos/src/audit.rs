//! `plinto audit`, as an operator would use it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};

use serde::Deserialize;

use crate::HarnessError;
use crate::process::Installation;

/// What `plinto audit` calls the platform's own ledger.
pub const PLATFORM: &str = "platform";

/// What `plinto audit verify` found.
pub struct Verdict {
    /// Whether it ended with exit code 0.
    pub good: bool,
    /// How many ledgers it called good.
    pub ledgers: usize,
    /// What it said, if it is not good.
    pub said: String,
}

/// An entry of an exported ledger.
#[derive(Deserialize)]
pub struct Entry {
    /// Dotted name.
    pub event: String,
    /// What it is about.
    pub subject: String,
    /// The facts.
    pub data: Data,
}

/// The facts of an entry that the experiments look at.
#[derive(Deserialize)]
pub struct Data {
    /// Generation of a refresh token.
    pub generation: Option<u32>,
}

/// Verifies every ledger.
pub async fn verify(installation: &Installation) -> Result<Verdict, HarnessError> {
    let output = installation.run(&["audit", "verify"]).await?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let good = output.status.success();
    let ledgers = lines.lines().filter(|line| line.starts_with("good ")).count();
    let bad = lines.lines().filter(|line| !line.starts_with("good ")).collect::<Vec<_>>().join("; ");
    let said = format!("{}: {bad} {}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(Verdict { good, ledgers, said })
}

/// All entries of a tenant's ledger, or of the [`PLATFORM`]'s.
pub async fn export(installation: &Installation, slug: &str) -> Result<Vec<Entry>, HarnessError> {
    let path = installation.scratch(&format!("{slug}.jsonl"));
    if path.exists() {
        fs::remove_file(&path).map_err(HarnessError::io("remove an export"))?;
    }
    let output = path.to_string_lossy();
    let done = installation.run(&["audit", "export", "--tenant", slug, "--output", &output]).await?;
    let form = |reason: String| HarnessError::Form { path: path.clone(), reason };
    if !done.status.success() {
        return Err(form(String::from_utf8_lossy(&done.stderr).into_owned()));
    }
    let file = File::open(&path).map_err(HarnessError::io("open an export"))?;
    let mut entries = Vec::new();
    // The first line is the head.
    for line in BufReader::new(file).lines().skip(1) {
        let line = line.map_err(HarnessError::io("read an export"))?;
        entries.push(serde_json::from_str(&line).map_err(|error| form(error.to_string()))?);
    }
    Ok(entries)
}
