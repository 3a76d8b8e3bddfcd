//! Secrets that the settings name: given in the environment, or kept in a file.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::private_file::{self, FileError};
use crate::settings::SecretSource;

/// A secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretProblem {
    /// The file it should be in does not exist, or is empty.
    #[error("{what} should be in {}, which holds nothing: correct the path or write it there", path.display())]
    NoFile {
        /// What it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Its file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The text of a secret, without white space around it.
pub(super) fn read(source: &SecretSource, what: &'static str) -> Result<Zeroizing<String>, SecretProblem> {
    match source {
        SecretSource::Text(text) => Ok(Zeroizing::new(text.trim().to_owned())),
        SecretSource::File(path) => from_file(path, what),
    }
}

fn from_file(path: &Path, what: &'static str) -> Result<Zeroizing<String>, SecretProblem> {
    let text = private_file::read(path)?.map(|text| Zeroizing::new(text.trim().to_owned()));
    let found = text.filter(|text| !text.is_empty());
    let text = found.ok_or_else(|| SecretProblem::NoFile { what, path: path.to_owned() })?;
    if private_file::is_open_to_others(path) {
        tracing::warn!(file = %path.display(), "others may read {what}: chmod 600 it");
    }
    Ok(text)
}
