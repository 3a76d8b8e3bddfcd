//! What was written is read back and held against the source, row by row and by chain.

use std::collections::HashMap;

use super::ImportError;
use super::copy::Pages;
use crate::engine::{Engine, Row, Scope, Value};
use crate::error::StorageError;
use crate::ledger;
use crate::repositories::whole_rows::{CATALOGUE, Table};

/// Compares a table of a scope: every row of either side must have its equal on the other.
pub(super) async fn table(
    source: &dyn Engine,
    target: &dyn Engine,
    scope: Scope,
    table: &Table,
) -> Result<(), ImportError> {
    let differs = || ImportError::Differs { table: table.name(), scope: scope.id() };
    let (mut here, mut there) = (Pages::of(source, scope, table), Pages::of(target, scope, table));
    // Engines may sort texts differently, so a row waits here until its equal comes: rarely for more than a page.
    let mut unmatched = Unmatched::default();
    loop {
        let (ours, theirs) = (here.next().await?, there.next().await?);
        if ours.is_empty() && theirs.is_empty() {
            return if unmatched.0.is_empty() { Ok(()) } else { Err(differs()) };
        }
        for (side, rows) in [(Side::Source, ours), (Side::Target, theirs)] {
            for row in rows {
                if !unmatched.meet(side, encoded(table.key(&row)), &row) {
                    return Err(differs());
                }
            }
        }
    }
}

/// Compares everything of a tenant and verifies its chain.
pub(super) async fn tenant(
    source: &dyn Engine,
    target: &dyn Engine,
    scope: Scope,
) -> Result<(), ImportError> {
    for each in &CATALOGUE.of_a_tenant {
        table(source, target, scope, each).await?;
    }
    chain(source, target, scope).await
}

/// Verifies the chain of the copy from its first entry on; its head must be that of the source.
pub(super) async fn chain(source: &dyn Engine, target: &dyn Engine, scope: Scope) -> Result<(), ImportError> {
    let wanted = ledger::head(source, scope).await?.ok_or(StorageError::UnknownTenant)?;
    let found = ledger::verify(target, scope, |_, _| ()).await?;
    if found.head == wanted {
        return Ok(());
    }
    Err(ImportError::Differs { table: "ledger_heads", scope: scope.id() })
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Side {
    Source,
    Target,
}

/// Rows whose equal has not come yet, by key.
#[derive(Default)]
struct Unmatched(HashMap<Vec<u8>, (Side, Vec<u8>)>);

impl Unmatched {
    /// `false` when the row's counterpart differs, or the key came twice from one side.
    fn meet(&mut self, side: Side, key: Vec<u8>, row: &Row) -> bool {
        let row = encoded(&row.values);
        match self.0.remove(&key) {
            None => self.0.insert(key, (side, row)).is_none(),
            Some((other, counterpart)) => other != side && counterpart == row,
        }
    }
}

/// Values as bytes; different values never encode alike.
fn encoded(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        let (kind, bytes): (u8, &[u8]) = match value {
            Value::Null => (0, &[]),
            Value::Int(number) => (1, &number.to_be_bytes()),
            Value::Text(text) => (2, text.as_bytes()),
            Value::Blob(bytes) => (3, bytes),
            Value::Uuid(id) => (4, id.as_bytes()),
        };
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    }
    out
}
