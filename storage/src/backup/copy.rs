use std::collections::BTreeSet;
use std::path::Path;

use uuid::Uuid;

use super::manifest::{describe, verify_databases};
use super::{BackupError, Manifest, Phase, Progress};
use crate::engine::Scope;
use crate::engines::sqlite::OfflineFile;
use crate::engines::sqlite::directory::{Layout, create_private_folder, refused, sync_folder};
use crate::error::StorageError;

/// Copies the data directory `source` into `target`, which must be empty or absent, while a server may run
/// on it. Verifies the copy, then writes the manifest. `now` is unix milliseconds. Blocks.
pub fn backup(
    source: &Path,
    target: &Path,
    now: i64,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, BackupError> {
    let (from, to) = (Layout::new(source), Layout::new(target));
    if !from.file(Scope::Platform).is_file() {
        return Err(BackupError::NotData { path: source.to_owned() });
    }
    claim_empty(target)?;
    create_private_folder(&to.tenants())?;
    let copied = copy_all(&from, &to, progress)?;
    sync_folder(&to.tenants())?;

    let total = copied.len() + 1;
    progress(Progress { phase: Phase::Verifying, done: 0, total });
    let scopes = copied.into_iter().map(Scope::Tenant).chain([Scope::Platform]);
    let mut files = Vec::with_capacity(total);
    for scope in scopes {
        files.push(describe(target, &to.file(scope))?);
        progress(Progress { phase: Phase::Verifying, done: files.len(), total });
    }
    let paths: Vec<_> = files.iter().map(|entry| entry.path.as_str()).collect();
    verify_databases(target, &paths)?;
    let manifest = Manifest::new(now, files);
    manifest.write(target)?;
    Ok(manifest)
}

/// Refuses a target that holds anything.
pub(super) fn claim_empty(target: &Path) -> Result<(), BackupError> {
    create_private_folder(target)?;
    let mut entries = std::fs::read_dir(target).map_err(|error| refused(&error, "read", target))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(BackupError::NotEmpty { path: target.to_owned() }),
    }
}

/// Copies tenants, then the platform, and again those that came meanwhile, until the platform's copy
/// names only tenants that were copied before it.
fn copy_all(
    from: &Layout,
    to: &Layout,
    progress: &mut dyn FnMut(Progress),
) -> Result<BTreeSet<Uuid>, BackupError> {
    let mut copied = BTreeSet::new();
    loop {
        let wanted = copy_tenants(from, to, &mut copied, progress)?;
        discard(&to.file(Scope::Platform))?;
        if !copy(from, to, Scope::Platform)? {
            return Err(BackupError::NotData { path: from.root.clone() });
        }
        let registered = active(to)?;
        for deleted in copied.difference(&registered) {
            discard(&to.file(Scope::Tenant(*deleted)))?;
        }
        copied.retain(|tenant| registered.contains(tenant));
        // Wanted before and registered still, but its file was not there: that is no deletion.
        if let Some(lost) = wanted.intersection(&registered).find(|tenant| !copied.contains(tenant)) {
            let file = from.file(Scope::Tenant(*lost)).display().to_string();
            return Err(StorageError::corrupt(format!("{file} (it is missing)")).into());
        }
        if copied.len() == registered.len() {
            let total = copied.len() + 1;
            progress(Progress { phase: Phase::Copying, done: total, total });
            return Ok(copied);
        }
    }
}

/// Copies every tenant that is not copied yet, until the source names no more of them. The shorter the
/// time from here to the platform's copy, the fewer come in between. Returns all that were wanted.
fn copy_tenants(
    from: &Layout,
    to: &Layout,
    copied: &mut BTreeSet<Uuid>,
    progress: &mut dyn FnMut(Progress),
) -> Result<BTreeSet<Uuid>, BackupError> {
    let mut wanted = BTreeSet::new();
    loop {
        let fresh: Vec<_> = active(from)?
            .into_iter()
            .filter(|tenant| !wanted.contains(tenant) && !copied.contains(tenant))
            .collect();
        if fresh.is_empty() {
            return Ok(wanted);
        }
        let total = copied.len() + fresh.len() + 1;
        for tenant in fresh {
            progress(Progress { phase: Phase::Copying, done: copied.len(), total });
            // Gone means deleted meanwhile, which the platform's copy must then confirm.
            if copy(from, to, Scope::Tenant(tenant))? {
                copied.insert(tenant);
            }
            wanted.insert(tenant);
        }
    }
}

fn active(layout: &Layout) -> Result<BTreeSet<Uuid>, BackupError> {
    let platform = OfflineFile::open(&layout.file(Scope::Platform))?
        .ok_or_else(|| BackupError::NotData { path: layout.root.clone() })?;
    Ok(platform.active_tenants()?.into_iter().collect())
}

fn copy(from: &Layout, to: &Layout, scope: Scope) -> Result<bool, StorageError> {
    match OfflineFile::open(&from.file(scope))? {
        Some(file) => file.copy_to(&to.file(scope)).map(|()| true),
        None => Ok(false),
    }
}

fn discard(path: &Path) -> Result<(), StorageError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(refused(&error, "remove", path)),
        Ok(()) | Err(_) => Ok(()),
    }
}
