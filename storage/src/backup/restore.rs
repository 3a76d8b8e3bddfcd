use std::fs::File;
use std::io;
use std::path::Path;

use super::copy::claim_empty;
use super::manifest::describe;
use super::{BackupError, Manifest, Phase, Progress, verify_backup};
use crate::engines::sqlite::directory::{
    Layout, create_private, create_private_folder, refused, sync_folder,
};

/// Verifies the backup `source`, then copies it into `target`, which must be empty or absent. The platform's
/// file comes last: without it a data directory does not start. Blocks.
pub fn restore(
    source: &Path,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, BackupError> {
    let manifest = verify_backup(source, progress)?;
    claim_empty(target)?;
    let layout = Layout::new(target);
    create_private_folder(&layout.tenants())?;
    let total = manifest.files.len();
    for (done, entry) in manifest.files.iter().enumerate() {
        progress(Progress { phase: Phase::Copying, done, total });
        let path = target.join(&entry.path);
        copy(&source.join(&entry.path), &path)?;
        if describe(target, &path)? != *entry {
            return Err(BackupError::Differs { file: entry.path.clone() });
        }
        sync_folder(path.parent().unwrap_or(target))?;
    }
    progress(Progress { phase: Phase::Copying, done: total, total });
    Ok(manifest)
}

fn copy(source: &Path, target: &Path) -> Result<(), BackupError> {
    let mut from = File::open(source).map_err(|error| refused(&error, "read", source))?;
    let mut to = create_private(target)?;
    io::copy(&mut from, &mut to)
        .and_then(|_| to.sync_all())
        .map_err(|error| refused(&error, "write", target))?;
    Ok(())
}
