//! The ledger's part of a transaction: the locked head, the entries of all units in one statement, the new head.

use futures::future::join;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

use super::failure::Fault;
use super::value::{Column, row};
use crate::engine::NewEntry;
use crate::error::StorageError;
use crate::ledger::chain::{self, Entry, Head};
use crate::ledger::decode_head;
use crate::repositories::ledger;

/// Whoever holds this row is the only one that commits for the scope, on any node.
const LOCK_HEAD: &str = "SELECT seq, hash FROM ledger_heads WHERE tenant_id = $1 FOR UPDATE";
const APPEND: &str = "INSERT INTO ledger_entries \
    (tenant_id, seq, at, event, actor, subject, data, prev_hash, hash) \
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], \
    $8::bytea[], $9::bytea[])";
const STANDS: &str = "SELECT seq FROM ledger_entries WHERE tenant_id = $1 AND seq = $2 AND hash = $3";

/// Raises unless the head is the entry that was written last, so that the commit sent with it does nothing: head and
/// entries stand together or not at all.
const TOGETHER: &str = "SELECT 1 / count(*) FROM ledger_heads AS h JOIN ledger_entries AS e \
    ON e.tenant_id = h.tenant_id AND e.seq = h.seq AND e.hash = h.hash \
    WHERE h.tenant_id = $1 AND h.seq = $2 AND h.hash = $3 AND e.tenant_id = $1 AND e.seq = $2";

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Locks the head, after whoever holds it, and reads it. Without one the scope has no storage.
pub(super) async fn lock_head(client: &Client, id: Uuid) -> Result<Head, Fault> {
    let rows = client.query_typed(LOCK_HEAD, &[(&id, Type::UUID)]).await?;
    let found = rows.first().ok_or(StorageError::UnknownTenant)?;
    Ok(decode_head(row(found)?)?)
}

/// Whether the entry that would be `head` is in the ledger.
pub(super) async fn stands(client: &Client, id: Uuid, head: &Head) -> Result<bool, Error> {
    let params: [Parameter<'_>; 3] =
        [(&id, Type::UUID), (&head.seq, Type::INT8), (&&head.hash[..], Type::BYTEA)];
    Ok(!client.query_typed(STANDS, &params).await?.is_empty())
}

/// Entries chained behind a head and not written yet.
pub(super) struct Chain {
    id: Uuid,
    head: Head,
    entries: Vec<Entry>,
}

impl Chain {
    pub(super) fn behind(id: Uuid, head: Head) -> Self {
        Self { id, head, entries: Vec::new() }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn append(&mut self, new: &NewEntry) {
        let entry = chain::append(self.id, &self.head, new);
        self.head = Head { seq: entry.seq, hash: entry.hash };
        self.entries.push(entry);
    }

    /// Writes all entries with one statement.
    pub(super) async fn write_entries(&self, client: &Client) -> Result<u64, Error> {
        fn all<'a, T>(entries: &'a [Entry], of: impl Fn(&'a Entry) -> T) -> Vec<T> {
            entries.iter().map(of).collect()
        }
        let Self { id, entries, .. } = self;
        let (seqs, ats) = (all(entries, |entry| entry.seq), all(entries, |entry| entry.at));
        let texts: [Vec<&str>; 4] = [
            all(entries, |entry| entry.event.as_str()),
            all(entries, |entry| entry.actor.as_str()),
            all(entries, |entry| entry.subject.as_str()),
            all(entries, |entry| entry.data.as_str()),
        ];
        let hashes: [Vec<&[u8]>; 2] =
            [all(entries, |entry| &entry.prev_hash[..]), all(entries, |entry| &entry.hash[..])];
        let (seqs, ats) = (Column(&seqs), Column(&ats));
        let texts = texts.each_ref().map(|text| Column(text));
        let hashes = hashes.each_ref().map(|hash| Column(hash));
        let mut params: Vec<Parameter<'_>> =
            vec![(id, Type::UUID), (&seqs, Type::INT8_ARRAY), (&ats, Type::INT8_ARRAY)];
        params.extend(texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT_ARRAY)));
        params.extend(hashes.iter().map(|hash| (hash as &(dyn ToSql + Sync), Type::BYTEA_ARRAY)));
        client.execute_typed(APPEND, &params).await
    }

    /// Moves the head behind the entries, and has the server raise unless both are there.
    pub(super) async fn write_head(&self, client: &Client) -> Result<(), Error> {
        let hash = &self.head.hash[..];
        let params: [Parameter<'_>; 3] =
            [(&self.id, Type::UUID), (&self.head.seq, Type::INT8), (&hash, Type::BYTEA)];
        let moved = client.execute_typed(ledger::SET_HEAD, &params);
        let (moved, stand) = join(moved, client.execute_typed(TOGETHER, &params)).await;
        moved?;
        stand.map(drop)
    }
}
