//! A ledger as JSON Lines: a header with the head, then one entry a line, `data` byte for byte as hashed.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::chain::{Entry, Head};
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

/// Writes the ledger of a scope as of now. The result verifies by [`verify_export`] without a database.
pub async fn export(
    engine: &dyn Engine,
    scope: Scope,
    out: &mut (dyn Write + Send),
) -> Result<Head, StorageError> {
    let head = super::head(engine, scope).await?.ok_or(StorageError::UnknownTenant)?;
    write_head(out, scope.id(), head)?;
    let mut after = 0;
    while after < head.seq {
        let left = u32::try_from(head.seq - after).unwrap_or(PAGE).min(PAGE);
        let entries = super::page(engine, scope, after, left).await?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        for entry in entries {
            write_entry(out, entry)?;
        }
    }
    out.flush().map_err(cannot_write)?;
    Ok(head)
}

/// Writes the first line of an export.
pub(crate) fn write_head(out: &mut dyn Write, tenant: Uuid, head: Head) -> Result<(), StorageError> {
    let hash = hex::encode(head.hash);
    write_line(out, &HeaderLine { format: FORMAT.to_owned(), tenant, seq: head.seq, hash })
}

/// Writes one entry of an export.
pub(crate) fn write_entry(out: &mut dyn Write, entry: Entry) -> Result<(), StorageError> {
    write_line(out, &to_line(entry)?)
}

/// Verifies an export against the head in its own header, naming the first bad line or entry.
pub fn verify_export(input: impl BufRead) -> Result<Verified, VerifyError> {
    let mut lines = input.lines();
    let first = lines.next().transpose().map_err(cannot_read)?.unwrap_or_default();
    let (tenant, head) = header(&first).ok_or_else(|| VerifyError::Bad {
        tenant: Uuid::nil(),
        bad: BadEntry::Unreadable { place: "line 1 (the header)".to_owned() },
    })?;
    let mut verifier = Verifier::new(tenant);
    for (index, line) in lines.enumerate() {
        let line = line.map_err(cannot_read)?;
        let entry = from_line(&line)
            .ok_or_else(|| verifier.bad(BadEntry::Unreadable { place: format!("line {}", index + 2) }))?;
        verifier.push(&entry)?;
    }
    verifier.finish(head)
}

fn header(line: &str) -> Option<(Uuid, Head)> {
    let header: HeaderLine = serde_json::from_str(line).ok()?;
    let known = header.format == FORMAT;
    known.then_some((header.tenant, Head { seq: header.seq, hash: digest(&header.hash)? }))
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
