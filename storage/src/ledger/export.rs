//! A ledger as JSON Lines: a header with the head, then one entry a line, `data` byte for byte as hashed.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::chain::{Entry, Head};
use super::checkpoint::Checkpoint;
use super::verify::{BadEntry, Verified, Verifier, VerifyError};
use crate::engine::{Engine, Scope};
use crate::error::StorageError;

const FORMAT: &str = "plinto-ledger/1";
const PAGE: u32 = 1_000;

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    format: String,
    tenant: Uuid,
    seq: i64,
    hash: String,
    /// Where the entries begin, if the oldest were pruned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<CheckpointLine>,
}

#[derive(Serialize, Deserialize)]
struct CheckpointLine {
    seq: i64,
    verifier: String,
    note: String,
}

#[derive(Serialize, Deserialize)]
struct EntryLine {
    seq: i64,
    at: i64,
    event: String,
    actor: String,
    subject: String,
    data: Box<RawValue>,
    prev_hash: String,
    hash: String,
}

/// The ledger of a scope as of when it was begun, piece by piece: whole lines, never more than a page of them in memory.
#[derive(Debug)]
pub struct Exporter {
    scope: Scope,
    head: Head,
    checkpoint: Option<Checkpoint>,
    after: i64,
    begun: bool,
}

impl Exporter {
    /// Takes the head at which the export will end.
    pub async fn begin(engine: &dyn Engine, scope: Scope) -> Result<Self, StorageError> {
        let head = super::head(engine, scope).await?.ok_or(StorageError::UnknownTenant)?;
        let checkpoint = super::checkpoint(engine, scope).await?;
        let after = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.seq);
        Ok(Self { scope, head, checkpoint, after, begun: false })
    }

    /// Where the export ends.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The next lines; `None` when all were given out. Entries that are gone by now are an error: what was written until
    /// then does not verify.
    pub async fn next(&mut self, engine: &dyn Engine) -> Result<Option<Vec<u8>>, StorageError> {
        let mut lines = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            write_head(&mut lines, self.scope.id(), self.head, self.checkpoint.as_ref())?;
            return Ok(Some(lines));
        }
        if self.after >= self.head.seq {
            return Ok(None);
        }
        let left = u32::try_from(self.head.seq - self.after).unwrap_or(PAGE).min(PAGE);
        let entries = super::page(engine, self.scope, self.after, left).await?;
        for entry in entries {
            if entry.seq != self.after + 1 {
                break;
            }
            self.after = entry.seq;
            write_entry(&mut lines, entry)?;
        }
        if lines.is_empty() {
            let missing = self.after + 1;
            return Err(StorageError::unavailable(format!(
                "entry {missing} of the ledger is not there any more"
            )));
        }
        Ok(Some(lines))
    }
}

/// Writes the ledger of a scope as of now. The result verifies by [`verify_export`] without a database.
pub async fn export(
    engine: &dyn Engine,
    scope: Scope,
    out: &mut (dyn Write + Send),
) -> Result<Head, StorageError> {
    let mut exporter = Exporter::begin(engine, scope).await?;
    while let Some(lines) = exporter.next(engine).await? {
        out.write_all(&lines).map_err(cannot_write)?;
    }
    out.flush().map_err(cannot_write)?;
    Ok(exporter.head())
}

/// Writes the first line of an export.
pub(crate) fn write_head(
    out: &mut dyn Write,
    tenant: Uuid,
    head: Head,
    checkpoint: Option<&Checkpoint>,
) -> Result<(), StorageError> {
    let hash = hex::encode(head.hash);
    let checkpoint =
        checkpoint.cloned().map(|Checkpoint { seq, verifier, note }| CheckpointLine { seq, verifier, note });
    write_line(out, &HeaderLine { format: FORMAT.to_owned(), tenant, seq: head.seq, hash, checkpoint })
}

/// Writes one entry of an export.
pub(crate) fn write_entry(out: &mut dyn Write, entry: Entry) -> Result<(), StorageError> {
    write_line(out, &to_line(entry)?)
}

/// Verifies an export against the head in its own header, naming the first bad line or entry.
pub fn verify_export(input: impl BufRead) -> Result<Verified, VerifyError> {
    let mut lines = input.lines();
    let first = lines.next().transpose().map_err(cannot_read)?.unwrap_or_default();
    let (tenant, head, checkpoint) = header(&first).ok_or_else(|| VerifyError::Bad {
        tenant: Uuid::nil(),
        bad: BadEntry::Unreadable { place: "line 1 (the header)".to_owned() },
    })?;
    let mut verifier = Verifier::behind(tenant, checkpoint.as_ref())?;
    for (index, line) in lines.enumerate() {
        let line = line.map_err(cannot_read)?;
        let entry = from_line(&line)
            .ok_or_else(|| verifier.bad(BadEntry::Unreadable { place: format!("line {}", index + 2) }))?;
        verifier.push(&entry)?;
    }
    verifier.finish(head)
}

fn header(line: &str) -> Option<(Uuid, Head, Option<Checkpoint>)> {
    let header: HeaderLine = serde_json::from_str(line).ok()?;
    let known = header.format == FORMAT;
    let head = Head { seq: header.seq, hash: digest(&header.hash)? };
    let checkpoint =
        header.checkpoint.map(|CheckpointLine { seq, verifier, note }| Checkpoint { seq, verifier, note });
    known.then_some((header.tenant, head, checkpoint))
}

fn to_line(entry: Entry) -> Result<EntryLine, StorageError> {
    Ok(EntryLine {
        seq: entry.seq,
        at: entry.at,
        event: entry.event,
        actor: entry.actor,
        subject: entry.subject,
        data: RawValue::from_string(entry.data).map_err(|_| StorageError::decode("ledger_entries.data"))?,
        prev_hash: hex::encode(entry.prev_hash),
        hash: hex::encode(entry.hash),
    })
}

fn from_line(line: &str) -> Option<Entry> {
    let line: EntryLine = serde_json::from_str(line).ok()?;
    Some(Entry {
        seq: line.seq,
        at: line.at,
        event: line.event,
        actor: line.actor,
        subject: line.subject,
        data: line.data.get().to_owned(),
        prev_hash: digest(&line.prev_hash)?,
        hash: digest(&line.hash)?,
    })
}

fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

fn write_line(out: &mut dyn Write, line: &impl Serialize) -> Result<(), StorageError> {
    let mut text = serde_json::to_string(line).expect("a line of strings and numbers always serializes");
    text.push('\n');
    out.write_all(text.as_bytes()).map_err(cannot_write)
}

fn cannot_write(error: std::io::Error) -> StorageError {
    StorageError::unavailable(format!("the export cannot be written: {}", error.kind()))
}

fn cannot_read(error: std::io::Error) -> StorageError {
    StorageError::unavailable(format!("the export cannot be read: {}", error.kind()))
}
