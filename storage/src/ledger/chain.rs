//! The chain itself, pure.
//!
//! The canonical bytes of an entry are nine fields, each as a 64-bit big-endian length followed by
//! its bytes:
//!
//! 1. `plinto/ledger/entry/v1`
//! 2. the previous entry's hash (32 bytes); for the first entry, the genesis hash
//! 3. the tenant's id (16 bytes; nil for the platform)
//! 4. `seq`, 64-bit big-endian
//! 5. `at`, unix milliseconds, 64-bit big-endian two's complement
//! 6. `event`, 7. `actor`, 8. `subject`, UTF-8
//! 9. `data`, canonical JSON: no white space, members of objects in order of the bytes of their names,
//!    numbers and strings as `serde_json` writes them
//!
//! The hash of an entry is SHA-256 of these bytes. The genesis hash of a tenant is SHA-256 of two such
//! fields: `plinto/ledger/genesis/v1` and the tenant's id. Sequences start at 1 and have no gaps.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::engine::NewEntry;
use crate::vault::fields;

/// The last link of a chain.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the last entry; 0 when there is none.
    pub seq: i64,
    /// Its hash; the genesis hash when there is none.
    pub hash: [u8; 32],
}

/// An entry as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position, from 1, without gaps.
    pub seq: i64,
    /// When it happened, unix milliseconds.
    pub at: i64,
    /// What happened.
    pub event: String,
    /// Who did it.
    pub actor: String,
    /// What it was done to.
    pub subject: String,
    /// Canonical JSON text.
    pub data: String,
    /// Hash of the entry before.
    pub prev_hash: [u8; 32],
    /// Hash of this entry.
    pub hash: [u8; 32],
}

/// The head of an empty chain.
pub fn genesis(tenant: Uuid) -> Head {
    let bytes = fields(&[b"plinto/ledger/genesis/v1", tenant.as_bytes()]);
    Head { seq: 0, hash: Sha256::digest(bytes).into() }
}

/// Makes the entry that follows `head`.
pub fn append(tenant: Uuid, head: &Head, new: &NewEntry) -> Entry {
    let mut entry = Entry {
        seq: head.seq + 1,
        at: new.at,
        event: new.event.clone().into_owned(),
        actor: new.actor.clone(),
        subject: new.subject.clone(),
        data: canonical_json(&new.data),
        prev_hash: head.hash,
        hash: [0; 32],
    };
    entry.hash = hash(tenant, &entry);
    entry
}

/// The hash an entry must have, given everything else in it.
pub fn hash(tenant: Uuid, entry: &Entry) -> [u8; 32] {
    Sha256::digest(canonical_bytes(tenant, entry)).into()
}

/// What the hash covers; see the module's documentation.
pub fn canonical_bytes(tenant: Uuid, entry: &Entry) -> Vec<u8> {
    fields(&[
        b"plinto/ledger/entry/v1",
        &entry.prev_hash,
        tenant.as_bytes(),
        &entry.seq.to_be_bytes(),
        &entry.at.to_be_bytes(),
        entry.event.as_bytes(),
        entry.actor.as_bytes(),
        entry.subject.as_bytes(),
        entry.data.as_bytes(),
    ])
}

/// JSON with sorted members and no white space. Written out here because `serde_json` keeps the order
/// of insertion when any crate of the build asks it to.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::with_capacity(128);
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write_value(member, out);
            }
            out.push('}');
        }
        Value::String(text) => write_text(text, out),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string always serializes"));
}
