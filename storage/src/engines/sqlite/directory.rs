use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::engine::Scope;
use crate::error::StorageError;

const LOCK: &str = "plinto.lock";
pub(crate) const PLATFORM_FILE: &str = "platform.db";
pub(crate) const TENANTS_FOLDER: &str = "tenants";

/// The paths of a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn tenants(&self) -> PathBuf {
        self.root.join(TENANTS_FOLDER)
    }

    pub(crate) fn file(&self, scope: Scope) -> PathBuf {
        match scope {
            Scope::Platform => self.root.join(PLATFORM_FILE),
            Scope::Tenant(tenant) => self.tenants().join(format!("{tenant}.db")),
        }
    }

    /// Tenants that have a file, in order of id.
    pub(crate) fn list(&self) -> Result<Vec<Uuid>, StorageError> {
        let folder = self.tenants();
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|error| refused(&error, "read", &folder))? {
            let entry = entry.map_err(|error| refused(&error, "read", &folder))?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".db"));
            found.extend(id.and_then(|id| Uuid::try_parse(id).ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Removes a database file with its log. Absent files are no error.
    pub(crate) fn remove(&self, scope: Scope) -> Result<(), StorageError> {
        let path = self.file(scope);
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let path = with_suffix(&path, suffix);
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(refused(&error, "remove", &path)),
            }
        }
        sync_folder(&self.tenants())
    }
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes created, renamed and removed names of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| refused(&error, "sync", folder))
}

pub(crate) fn refused(error: &io::Error, action: &str, path: &Path) -> StorageError {
    if error.kind() == io::ErrorKind::StorageFull {
        return StorageError::Full;
    }
    StorageError::unavailable(format!(
        "cannot {action} {}: {}, check its owner and permissions",
        path.display(),
        error.kind()
    ))
}

/// Creates an empty file that only its owner may read; SQLite gives its log the same permissions.
pub(crate) fn create_private(path: &Path) -> Result<File, StorageError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| refused(&error, "create", path))
}

/// Creates a folder that only its owner may enter.
pub(crate) fn create_private_folder(path: &Path) -> Result<(), StorageError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| refused(&error, "create", path))
}

/// A data directory owned by this process until dropped.
#[derive(Debug)]
pub(super) struct DataDirectory {
    pub(super) layout: Layout,
    lock: File,
}

impl DataDirectory {
    /// Creates what is missing and takes the lock.
    pub(super) fn claim(root: &Path) -> Result<Self, StorageError> {
        if root.exists() {
            tighten(root)?;
        }
        let layout = Layout::new(root);
        create_private_folder(&layout.tenants())?;
        let lock = lock(&layout)?;
        Ok(Self { layout, lock })
    }
}

impl DataDirectory {
    /// Lets another process have the directory, once nothing of ours uses it any more.
    pub(super) fn release(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(kind = %error.kind(), "the data directory stays locked until the process ends");
        }
    }
}

/// Closes an existing directory to others when it is ours or empty; a directory that holds other
/// things keeps its permissions, the files in it are private anyway.
fn tighten(root: &Path) -> Result<(), StorageError> {
    let ours = root.join(PLATFORM_FILE).exists() || root.join(LOCK).exists();
    let mut entries = fs::read_dir(root).map_err(|error| refused(&error, "read", root))?;
    if ours || entries.next().is_none() {
        fs::set_permissions(root, fs::Permissions::from_mode(0o700))
            .map_err(|error| refused(&error, "restrict", root))?;
    }
    Ok(())
}

fn lock(layout: &Layout) -> Result<File, StorageError> {
    let path = layout.root.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| refused(&error, "open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let named = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
            let holder = if named { holder.trim().to_owned() } else { "another process".to_owned() };
            return Err(StorageError::Locked { directory: layout.root.display().to_string(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(refused(&error, "lock", &path)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "process {}", std::process::id()))
        .map_err(|error| refused(&error, "write", &path))?;
    Ok(file)
}
