use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BackupError, Phase, Progress};
use crate::engine::Scope;
use crate::engines::sqlite::OfflineFile;
use crate::engines::sqlite::directory::{Layout, create_private, refused, sync_folder};
use crate::error::StorageError;

const NAME: &str = "manifest.json";
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub format: u32,
    /// When it was taken, unix milliseconds.
    pub created_at: i64,
    /// Its files, the platform's last.
    pub files: Vec<FileEntry>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path within the backup.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(super) fn new(created_at: i64, files: Vec<FileEntry>) -> Self {
        Self { format: FORMAT, created_at, files }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(NAME);
        let text = serde_json::to_string_pretty(self).expect("strings and numbers always serialize");
        let mut file = create_private(&path)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| refused(&error, "write", &path))?;
        Ok(sync_folder(folder)?)
    }

    pub(super) fn read(folder: &Path) -> Result<Self, BackupError> {
        let unreadable = || BackupError::NoManifest { path: folder.to_owned() };
        let text = fs::read(folder.join(NAME)).map_err(|_| unreadable())?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|_| unreadable())?;
        if manifest.format > FORMAT {
            return Err(BackupError::NewerFormat { found: manifest.format, known: FORMAT });
        }
        // Paths come from a file: none may lead out of the folder.
        let inside = |file: &FileEntry| {
            Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if manifest.files.iter().all(inside) { Ok(manifest) } else { Err(unreadable()) }
    }
}

/// Length and sum of a file of `folder`, under its path there.
pub(super) fn describe(folder: &Path, path: &Path) -> Result<FileEntry, StorageError> {
    let failed = |error: std::io::Error| refused(&error, "read", path);
    let mut file = File::open(path).map_err(failed)?;
    let mut sum = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
        bytes += read as u64;
    }
    let within = path.strip_prefix(folder).unwrap_or(path);
    Ok(FileEntry { path: within.display().to_string(), bytes, sha256: hex::encode(sum.finalize()) })
}

/// Verifies a backup: sums against the manifest, then structure and ledger of every database, and that
/// every tenant its platform database serves is there.
pub fn verify_backup(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(folder)?;
    for (done, entry) in manifest.files.iter().enumerate() {
        progress(Progress { phase: Phase::Verifying, done, total: manifest.files.len() });
        let path = folder.join(&entry.path);
        if !path.is_file() || describe(folder, &path)? != *entry {
            return Err(BackupError::Differs { file: entry.path.clone() });
        }
    }
    let paths = manifest.files.iter().map(|entry| entry.path.as_str());
    verify_databases(folder, &paths.collect::<Vec<_>>())?;
    let total = manifest.files.len();
    progress(Progress { phase: Phase::Verifying, done: total, total });
    Ok(manifest)
}

/// Structure and ledger of each database, and completeness of the set.
pub(super) fn verify_databases(folder: &Path, paths: &[&str]) -> Result<(), BackupError> {
    let layout = Layout::new(folder);
    for path in paths {
        let missing = || BackupError::Differs { file: (*path).to_owned() };
        let file = OfflineFile::open(&folder.join(path))?.ok_or_else(missing)?;
        if layout.file(file.scope()) != folder.join(path) {
            return Err(missing());
        }
        file.verify(&mut |_, _| {})?;
    }
    let platform = OfflineFile::open(&layout.file(Scope::Platform))?
        .ok_or_else(|| BackupError::NotData { path: folder.to_owned() })?;
    for tenant in platform.active_tenants()? {
        let path = layout.file(Scope::Tenant(tenant));
        if !paths.iter().any(|listed| folder.join(listed) == path) {
            return Err(BackupError::Differs { file: path.display().to_string() });
        }
    }
    Ok(())
}
