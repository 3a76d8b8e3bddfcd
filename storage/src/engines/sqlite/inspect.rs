//! What operators may look at in a data directory without its lock and without its keys, while a server runs or not.

use std::io::Write;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::directory::Layout;
use super::offline::{LedgerPart, OfflineFile};
use crate::engine::Scope;
use crate::error::StorageError;
use crate::ledger::{Head, write_entry, write_head};

/// A tenant that the platform database lists as served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredTenant {
    /// Its id.
    pub id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// The file it must have.
    pub path: PathBuf,
}

/// Tenants of the data directory `root`, in order of id. Reads only.
pub fn registered_tenants(root: &Path) -> Result<Vec<RegisteredTenant>, StorageError> {
    let layout = Layout::new(root);
    let listed = existing(&layout.file(Scope::Platform))?.register()?;
    let named = |(id, slug)| RegisteredTenant { id, slug, path: layout.file(Scope::Tenant(id)) };
    Ok(listed.into_iter().map(named).collect())
}

/// Writes the ledger of one database file as of now, in the form [`crate::ledger::verify_export`] reads. Reads only.
pub fn export_file(path: &Path, out: &mut dyn Write) -> Result<Head, StorageError> {
    let file = existing(path)?;
    let owner = file.scope().id();
    file.read_ledger(|part| match part {
        LedgerPart::Ends { head, checkpoint } => write_head(out, owner, head, checkpoint.as_ref()),
        LedgerPart::Entry(entry) => write_entry(out, entry),
    })
}

fn existing(path: &Path) -> Result<OfflineFile, StorageError> {
    let missing = || StorageError::unavailable(format!("{} does not exist, check the path", path.display()));
    OfflineFile::open(path)?.ok_or_else(missing)
}
