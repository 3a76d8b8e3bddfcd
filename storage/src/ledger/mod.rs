//! The audit ledger: per scope an append-only chain in which each entry's hash covers the one before it.
//!
//! Engines append inside the transaction of the write that is audited ([`chain`] is what they call);
//! here is everything that reads: [`page`], [`look()`], [`changes`], [`verify`], [`export()`] and [`verify_export`].

pub mod chain;
mod checkpoint;
mod export;
mod look;
mod note;
mod verify;

#[cfg(test)]
mod tests;

use crate::engine::{Columns, Engine, Row, Scope};
use crate::error::StorageError;
use crate::repositories::ledger as texts;

pub use chain::{Entry, Head};
pub(crate) use checkpoint::decode_checkpoint;
pub use checkpoint::{Checkpoint, Pruning, Summary, checkpoint, checkpoints, prunable};
pub use export::{Exporter, export, verify_export};
pub(crate) use export::{write_entry, write_head};
pub use look::{By, Found, Look, Order, ROUTINE, look};
pub use note::{NoteSigner, open_note};
pub use verify::{BadEntry, Beginning, Verified, Verifier, VerifyError, verify};

/// The last link of a scope's chain; `None` when the scope has no ledger.
pub async fn head(engine: &dyn Engine, scope: Scope) -> Result<Option<Head>, StorageError> {
    let rows = engine.read(scope, texts::head(scope.id())).await?;
    rows.into_iter().next().map(decode_head).transpose()
}

/// Entries with a sequence greater than `after_seq`, in order, at most `limit`.
pub async fn page(
    engine: &dyn Engine,
    scope: Scope,
    after_seq: i64,
    limit: u32,
) -> Result<Vec<Entry>, StorageError> {
    let rows = engine.read(scope, texts::page(scope.id(), after_seq, limit)).await?;
    rows.into_iter().map(decode_entry).collect()
}

/// Names of the events that [`changes`] finds: those that other processes may have to act on.
pub const CHANGING: &[&str] = texts::CHANGING;

/// An entry as [`changes`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its sequence.
    pub seq: i64,
    /// One of [`CHANGING`].
    pub event: String,
    /// What it happened to.
    pub subject: String,
}

/// Entries whose event is one of [`CHANGING`], with a sequence greater than `after_seq`, in order, at most `limit`.
/// Read aside from the traffic of tenants ([`Engine::read_aside`]).
pub async fn changes(
    engine: &dyn Engine,
    scope: Scope,
    after_seq: i64,
    limit: u32,
) -> Result<Vec<Change>, StorageError> {
    let rows = engine.read_aside(scope, texts::changes(scope.id(), after_seq, limit)).await?;
    let decode = |row| {
        let mut columns = Columns::of("ledger_entries", row);
        Ok(Change {
            seq: columns.int("seq")?,
            event: columns.text("event")?,
            subject: columns.text("subject")?,
        })
    };
    rows.into_iter().map(decode).collect()
}

pub(crate) fn decode_head(row: Row) -> Result<Head, StorageError> {
    let mut columns = Columns::of("ledger_heads", row);
    Ok(Head { seq: columns.int("seq")?, hash: columns.bytes32("hash")? })
}

pub(crate) fn decode_entry(row: Row) -> Result<Entry, StorageError> {
    let mut columns = Columns::of("ledger_entries", row);
    Ok(Entry {
        seq: columns.int("seq")?,
        at: columns.int("at")?,
        event: columns.text("event")?,
        actor: columns.text("actor")?,
        subject: columns.text("subject")?,
        data: columns.text("data")?,
        prev_hash: columns.bytes32("prev_hash")?,
        hash: columns.bytes32("hash")?,
    })
}
