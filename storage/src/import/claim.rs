//! Who brings data into a database, so that two do not undo each other's work.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::ImportError;
use crate::engine::Statement;
use crate::error::UnitError;
use crate::repositories::master_checks;

/// The data directory an import reads. One that was interrupted may begin anew from the same directory, which only one
/// process has open at a time; any other is refused meanwhile.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Claimant([u8; 32]);

impl Claimant {
    /// `marks` are the same for one directory from one attempt to the next, and differ for any other, be it a copy.
    pub fn new(marks: &[u8]) -> Self {
        Self(hashed(b"plinto/import/v1\0", marks))
    }

    /// What stands in place of it while an attempt that failed is cleared away: with that, it cannot succeed any more.
    fn clearing(self) -> [u8; 32] {
        hashed(b"plinto/import/clearing/v1\0", &self.0)
    }
}

fn hashed(context: &[u8], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(context).chain_update(bytes).finalize().into()
}

/// A row that says who brings what.
pub(super) struct Claim {
    name: String,
    by: Claimant,
}

impl Claim {
    /// On the whole database.
    pub(super) fn on_everything(by: Claimant) -> Self {
        Self { name: "import".to_owned(), by }
    }

    /// On one tenant.
    pub(super) fn on_tenant(tenant: Uuid, by: Claimant) -> Self {
        Self { name: format!("move {tenant}"), by }
    }

    /// Takes it, also once more after an interruption.
    pub(super) fn take(&self) -> Statement {
        master_checks::claim(&self.name, self.by.0, self.by.clearing())
    }

    /// Ends it together with what becomes visible.
    pub(super) fn fulfil(&self) -> Statement {
        master_checks::release(&self.name, self.by.0)
    }

    /// From then on it cannot be fulfilled, not even by a commit that is still under way.
    pub(super) fn give_up(&self) -> Statement {
        master_checks::change_claim(&self.name, self.by.0, self.by.clearing())
    }

    /// Ends it after everything was cleared away.
    pub(super) fn forget(&self) -> Statement {
        master_checks::release(&self.name, self.by.clearing())
    }

    /// That it is somebody else's, if that is why a unit was refused.
    pub(super) fn foreign(&self, refused: &UnitError) -> Option<ImportError> {
        (*refused == UnitError::Conflict(master_checks::FOREIGN_CLAIM))
            .then(|| ImportError::Claimed { claim: self.name.clone() })
    }
}
