//! Where a pruned ledger begins: a signed summary of the entries that are gone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::note::{NoteSigner, open_note};
use super::{BadEntry, Entry, Head};
use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::repositories::{ledger as texts, ledger_checkpoints, legal_holds};
use crate::vault::TenantVault;

/// What stood before the first entry that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Sequence of the first entry that was removed with this checkpoint.
    pub first_seq: i64,
    /// The last entry that was removed: the chain goes on behind it.
    pub head: Head,
    /// Time of the first entry that was removed, unix milliseconds.
    pub oldest_at: i64,
    /// Time of the last one, unix milliseconds.
    pub newest_at: i64,
    /// When they were removed, unix milliseconds.
    pub pruned_at: i64,
}

/// A checkpoint as it is stored: a signed note and the key to check it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last entry that was removed.
    pub seq: i64,
    /// Who signed, see [`NoteSigner::verifier`].
    pub verifier: String,
    /// The signed note.
    pub note: String,
}

/// First line of the notes of a ledger.
fn origin(tenant: Uuid) -> String {
    format!("plinto/{}/ledger", tenant.simple())
}

impl Summary {
    /// The lines that are signed: origin, sequence, hash in base64, as in a C2SP checkpoint, then what is ours.
    fn text(&self, tenant: Uuid) -> String {
        format!(
            "{}\n{}\n{}\nfirst {}\noldest {}\nnewest {}\npruned {}\n",
            origin(tenant),
            self.head.seq,
            STANDARD.encode(self.head.hash),
            self.first_seq,
            self.oldest_at,
            self.newest_at,
            self.pruned_at
        )
    }

    fn parse(tenant: Uuid, text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == origin(tenant)).then_some(())?;
        let seq = lines.next()?.parse().ok()?;
        let hash = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let mut named = |name: &str| lines.next()?.strip_prefix(name)?.trim_start().parse().ok();
        Some(Self {
            head: Head { seq, hash },
            first_seq: named("first ")?,
            oldest_at: named("oldest ")?,
            newest_at: named("newest ")?,
            pruned_at: named("pruned ")?,
        })
    }
}

impl Checkpoint {
    pub(crate) fn sign(summary: &Summary, signer: &NoteSigner, tenant: Uuid) -> Self {
        let note = signer.sign(&summary.text(tenant));
        Self { seq: summary.head.seq, verifier: signer.verifier(), note }
    }

    /// What it says, if its signature is good and it is of this tenant and sequence.
    pub fn open(&self, tenant: Uuid) -> Result<Summary, BadEntry> {
        let summary = open_note(&self.note, &self.verifier).and_then(|text| Summary::parse(tenant, text));
        summary.filter(|summary| summary.head.seq == self.seq).ok_or(BadEntry::Checkpoint { seq: self.seq })
    }
}

/// The checkpoint at which the ledger of a scope begins; none if nothing was removed.
pub async fn checkpoint(engine: &dyn Engine, scope: Scope) -> Result<Option<Checkpoint>, StorageError> {
    // Only ledgers of tenants are pruned.
    let Scope::Tenant(tenant) = scope else { return Ok(None) };
    let rows = engine.read(scope, ledger_checkpoints::latest(tenant)).await?;
    rows.into_iter().next().map(decode_checkpoint).transpose()
}

/// Checkpoints of a tenant, newest first, at most `limit`.
pub async fn checkpoints(
    engine: &dyn Engine,
    tenant: Uuid,
    limit: u32,
) -> Result<Vec<Checkpoint>, StorageError> {
    let rows = engine.read(Scope::of(tenant), ledger_checkpoints::list(tenant, limit)).await?;
    rows.into_iter().map(decode_checkpoint).collect()
}

pub(crate) fn decode_checkpoint(row: Row) -> Result<Checkpoint, StorageError> {
    let mut columns = Columns::of("ledger_checkpoints", row);
    Ok(Checkpoint {
        seq: columns.int("seq")?,
        verifier: columns.text("verifier")?,
        note: columns.text("note")?,
    })
}

/// A beginning of the ledger that may go.
#[derive(Clone, Debug)]
pub struct Pruning {
    /// What goes.
    pub summary: Summary,
    /// What is left in its place.
    pub checkpoint: Checkpoint,
    /// Removes it and keeps the checkpoint. Refused as the conflict `legal_hold` while anything of the tenant is under
    /// one, and as `ledger_prefix` (or a unique constraint) if somebody else removed some of it meanwhile.
    pub statements: Vec<Statement>,
}

/// The entries before the first one of `cutoff` or later (unix milliseconds), at most `most` of them; none if there are
/// none. Entries stand in the order of their commits: one that is younger keeps those behind it.
pub async fn prunable(
    engine: &dyn Engine,
    vault: &TenantVault,
    cutoff: i64,
    now: i64,
    most: u32,
) -> Result<Option<Pruning>, StorageError> {
    let (tenant, scope) = (vault.tenant(), Scope::of(vault.tenant()));
    let head = super::head(engine, scope).await?.ok_or(StorageError::UnknownTenant)?;
    let begin = checkpoint(engine, scope).await?.map_or(0, |checkpoint| checkpoint.seq);
    let kept = engine.read(scope, texts::first_since(tenant, cutoff)).await?.into_iter().next();
    let kept = kept.map(|row| Columns::of("ledger_entries", row).int("seq")).transpose()?;
    let end = kept.map_or(head.seq, |kept| kept - 1).min(begin + i64::from(most));
    if end <= begin {
        return Ok(None);
    }
    let (first, last) = (entry(engine, scope, begin + 1).await?, entry(engine, scope, end).await?);
    let summary = Summary {
        first_seq: first.seq,
        head: Head { seq: last.seq, hash: last.hash },
        oldest_at: first.at,
        newest_at: last.at,
        pruned_at: now,
    };
    let checkpoint = Checkpoint::sign(&summary, &NoteSigner::of(vault), tenant);
    let statements = vec![
        legal_holds::none_of_tenant(tenant),
        ledger_checkpoints::insert(tenant, &checkpoint),
        texts::prune(tenant, begin, end),
    ];
    Ok(Some(Pruning { summary, checkpoint, statements }))
}

async fn entry(engine: &dyn Engine, scope: Scope, seq: i64) -> Result<Entry, StorageError> {
    let found = super::page(engine, scope, seq - 1, 1).await?.into_iter().next();
    // Somebody else may just have removed it.
    let gone = || StorageError::unavailable(format!("entry {seq} of the ledger is not there any more"));
    found.filter(|entry| entry.seq == seq).ok_or_else(gone)
}
