use uuid::Uuid;

use super::chain::{self, Entry, Head};
use super::checkpoint::{Checkpoint, Summary};
use crate::engine::{Engine, Scope};
use crate::error::StorageError;

/// Entries read at a time while verifying.
const PAGE: u32 = 1_000;

/// The first thing that is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// An entry is missing or stands twice.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Sequence {
        /// The sequence that had to come.
        expected: i64,
        /// The sequence that came.
        found: i64,
    },
    /// An entry does not follow from the one before.
    #[error(
        "entry {seq} does not follow the entry before it: expected previous hash {expected}, found {found}"
    )]
    Previous {
        /// Which entry.
        seq: i64,
        /// Hash of the entry before, hexadecimal.
        expected: String,
        /// What the entry names, hexadecimal.
        found: String,
    },
    /// The content of an entry was altered.
    #[error("entry {seq} was altered: its content has hash {expected}, found {found}")]
    Hash {
        /// Which entry.
        seq: i64,
        /// Hash of the content, hexadecimal.
        expected: String,
        /// Hash recorded with the entry, hexadecimal.
        found: String,
    },
    /// The chain does not end where its head says.
    #[error(
        "the ledger must end at entry {expected_seq} ({expected}), it ends at entry {found_seq} ({found})"
    )]
    Head {
        /// Sequence in the head.
        expected_seq: i64,
        /// Hash in the head, hexadecimal.
        expected: String,
        /// Sequence of the last entry found.
        found_seq: i64,
        /// Its hash, hexadecimal.
        found: String,
    },
    /// A line of an export, or a row, is not an entry.
    #[error("{place} is not a ledger entry")]
    Unreadable {
        /// Where, such as `line 7`.
        place: String,
    },
    /// The checkpoint at which a pruned ledger begins is not signed by its key, or says something else.
    #[error("the checkpoint at entry {seq}, where the ledger begins, is not what its key signed")]
    Checkpoint {
        /// Its sequence.
        seq: i64,
    },
    /// There is no head, so nothing says where the chain must end.
    #[error("the ledger has no head")]
    NoHead,
}

/// Why a ledger could not be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It was read, and it is wrong.
    #[error("the ledger of {tenant} does not verify: {bad}")]
    Bad {
        /// Whose ledger; nil for the platform.
        tenant: Uuid,
        /// The first bad entry.
        bad: BadEntry,
    },
    /// It could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A ledger that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose ledger; nil for the platform.
    pub tenant: Uuid,
    /// Its head, which is also the number of entries it ever had.
    pub head: Head,
    /// Where it begins, if its oldest entries were pruned. The checkpoint is what its own key signed; that the key is
    /// the right one is for who keeps it elsewhere to compare.
    pub begins: Option<Beginning>,
}

/// Where a pruned ledger begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// What was before.
    pub summary: Summary,
    /// The key that signed it.
    pub verifier: String,
}

/// Checks a chain entry by entry, in constant memory.
#[derive(Debug)]
pub struct Verifier {
    tenant: Uuid,
    at: Head,
    begins: Option<Beginning>,
}

impl Verifier {
    /// Begins before the first entry.
    pub fn new(tenant: Uuid) -> Self {
        Self { tenant, at: chain::genesis(tenant), begins: None }
    }

    /// Begins where the checkpoint says, if there is one.
    pub fn behind(tenant: Uuid, checkpoint: Option<&Checkpoint>) -> Result<Self, VerifyError> {
        let Some(checkpoint) = checkpoint else { return Ok(Self::new(tenant)) };
        let summary = checkpoint.open(tenant).map_err(|bad| VerifyError::Bad { tenant, bad })?;
        let (at, verifier) = (summary.head, checkpoint.verifier.clone());
        Ok(Self { tenant, at, begins: Some(Beginning { summary, verifier }) })
    }

    /// The last entry that verified.
    pub fn position(&self) -> Head {
        self.at
    }

    /// Checks the next entry.
    pub fn push(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        self.check(entry).map_err(|bad| self.bad(bad))
    }

    fn check(&mut self, entry: &Entry) -> Result<(), BadEntry> {
        let expected = self.at.seq + 1;
        if entry.seq != expected {
            return Err(BadEntry::Sequence { expected, found: entry.seq });
        }
        if entry.prev_hash != self.at.hash {
            return Err(BadEntry::Previous {
                seq: entry.seq,
                expected: hex::encode(self.at.hash),
                found: hex::encode(entry.prev_hash),
            });
        }
        let hash = chain::hash(self.tenant, entry);
        if entry.hash != hash {
            return Err(BadEntry::Hash {
                seq: entry.seq,
                expected: hex::encode(hash),
                found: hex::encode(entry.hash),
            });
        }
        self.at = Head { seq: entry.seq, hash };
        Ok(())
    }

    /// Checks that the chain ends where its head says.
    pub fn finish(self, head: Head) -> Result<Verified, VerifyError> {
        if self.at == head {
            return Ok(Verified { tenant: self.tenant, head, begins: self.begins });
        }
        Err(self.bad(BadEntry::Head {
            expected_seq: head.seq,
            expected: hex::encode(head.hash),
            found_seq: self.at.seq,
            found: hex::encode(self.at.hash),
        }))
    }

    /// Wraps a finding with whose ledger it is in.
    pub(crate) fn bad(&self, bad: BadEntry) -> VerifyError {
        VerifyError::Bad { tenant: self.tenant, bad }
    }
}

/// Verifies the ledger of a scope as of now, calling `progress` with (verified, total) after each page.
/// Entries appended meanwhile are left for the next time.
pub async fn verify(
    engine: &dyn Engine,
    scope: Scope,
    mut progress: impl FnMut(i64, i64) + Send,
) -> Result<Verified, VerifyError> {
    let head = super::head(engine, scope).await?;
    let checkpoint = super::checkpoint(engine, scope).await?;
    let mut verifier = Verifier::behind(scope.id(), checkpoint.as_ref())?;
    let head = head.ok_or_else(|| verifier.bad(BadEntry::NoHead))?;
    // From the very first entry that is there: nothing may stand before the checkpoint.
    let mut after = 0;
    while after < head.seq {
        let left = u32::try_from(head.seq - after).unwrap_or(PAGE).min(PAGE);
        let entries = super::page(engine, scope, after, left).await?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        for entry in &entries {
            verifier.push(entry)?;
        }
        progress(verifier.position().seq, head.seq);
    }
    verifier.finish(head)
}
