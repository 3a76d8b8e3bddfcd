//! Files that only their owner may read: keys and credentials in the data directory.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A file could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}; check its owner and permissions", path.display())]
pub(crate) struct FileError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }
}

/// Makes a folder that only its owner may enter. An existing one stays as it is.
pub(crate) fn create_folder(path: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| FileError::new("create", path, source))
}

/// The text of a file, `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, FileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new("read", path, error)),
    }
}

/// Whether others than the owner may read a file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// Writes a file, durably and as a whole: after a crash it holds the old text or the new one. An existing one is
/// replaced. `prepare` sees the file before it gets its name. Returns the open file.
pub(crate) fn write(
    path: &Path,
    text: &str,
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> Result<File, FileError> {
    let fresh = beside(path);
    let written = fill(&fresh, text).and_then(|file| prepare(&file).map(|()| file));
    let placed = written.and_then(|file| std::fs::rename(&fresh, path).map(|()| file));
    finish(path, placed.inspect_err(|_| discard(&fresh)))
}

/// Writes a secret, in place of an existing one.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), FileError> {
    write(path, text, |_| Ok(())).map(drop)
}

/// Writes a secret unless there is one: of two processes at the same time one wins, and both are told. `false` if
/// there was one.
pub(crate) fn write_first_secret(path: &Path, text: &str) -> Result<bool, FileError> {
    let fresh = beside(path);
    let placed = fill(&fresh, text).and_then(|_| std::fs::hard_link(&fresh, path));
    discard(&fresh);
    match placed {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        placed => finish(path, placed).map(|()| true),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

fn fill(path: &Path, text: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

fn discard(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(file = %path.display(), error = %error, "could not be removed");
    }
}

/// Makes the new name durable.
fn finish<T>(path: &Path, placed: io::Result<T>) -> Result<T, FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = placed.and_then(|placed| File::open(folder)?.sync_all().map(|()| placed));
    synced.map_err(|source| FileError::new("write", path, source))
}
