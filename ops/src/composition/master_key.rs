//! Where the master key comes from. Only `plinto dev` ever makes one by itself, and only for a new data directory.

use std::path::{Path, PathBuf};

use plinto_storage::MasterKey;
use plinto_storage::vault::MasterKeyError;
use zeroize::Zeroizing;

use super::{SystemRandomness, holds_files};
use crate::private_file::{self, FileError};
use crate::settings::{MasterKeySource, Settings};

const FILE: &str = "master.key";

/// There is no usable master key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyProblem {
    /// None was given.
    #[error(
        "no master key: set PLINTO_MASTER_KEY or PLINTO_MASTER_KEY_FILE (`master_key_file` in the configuration); \
         for a new installation make one with `plinto keys generate` and keep a copy in a safe place"
    )]
    Missing,
    /// The file it should be in does not exist.
    #[error("the master key file {} does not exist: correct PLINTO_MASTER_KEY_FILE or `master_key_file`", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The data directory is in use, its key is gone.
    #[error(
        "{} is missing, but {} holds data sealed with it: put the file back, or give the key in PLINTO_MASTER_KEY; \
         without it the data cannot be read", file.display(), directory.display()
    )]
    Lost {
        /// Where it was.
        file: PathBuf,
        /// The data.
        directory: PathBuf,
    },
    /// It is not a key.
    #[error("the master key {origin} cannot be used: {source}")]
    Malformed {
        /// Where it was given.
        origin: String,
        /// What a key looks like.
        source: MasterKeyError,
    },
    /// Its file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The key the settings name.
pub(crate) fn find(settings: &Settings) -> Result<MasterKey, MasterKeyProblem> {
    match &settings.master_key {
        MasterKeySource::Text(text) => parse(text, "in PLINTO_MASTER_KEY"),
        MasterKeySource::File(path) => in_file(path),
        MasterKeySource::DataDirectory => in_directory(&settings.data_dir)?.ok_or(MasterKeyProblem::Missing),
    }
}

/// The key the settings name; if they name none and the data directory is new, a key is made and stored in it.
pub(crate) fn find_or_create(settings: &Settings) -> Result<MasterKey, MasterKeyProblem> {
    let directory = &settings.data_dir;
    match find(settings) {
        Err(MasterKeyProblem::Missing) if holds_files(directory) => {
            Err(MasterKeyProblem::Lost { file: directory.join(FILE), directory: directory.clone() })
        }
        Err(MasterKeyProblem::Missing) => {
            private_file::create_folder(directory)?;
            let key = MasterKey::generate(&SystemRandomness);
            let text = Zeroizing::new(format!("{}\n", key.to_hex().as_str()));
            // If another process was faster, its key is the one: this one must never replace it.
            if private_file::write_first_secret(&directory.join(FILE), &text)? {
                Ok(key)
            } else {
                find(settings)
            }
        }
        found => found,
    }
}

/// The key in `master.key` of a data directory, if it is there.
pub(crate) fn in_directory(data_dir: &Path) -> Result<Option<MasterKey>, MasterKeyProblem> {
    from_file(&data_dir.join(FILE))
}

/// The key in this file, which must exist.
pub(crate) fn in_file(path: &Path) -> Result<MasterKey, MasterKeyProblem> {
    from_file(path)?.ok_or_else(|| MasterKeyProblem::NoFile { path: path.to_owned() })
}

fn from_file(path: &Path) -> Result<Option<MasterKey>, MasterKeyProblem> {
    let Some(text) = private_file::read(path)? else { return Ok(None) };
    if private_file::is_open_to_others(path) {
        tracing::warn!(file = %path.display(), "others may read the master key: chmod 600 it");
    }
    parse(&text, &format!("in {}", path.display())).map(Some)
}

fn parse(text: &str, origin: &str) -> Result<MasterKey, MasterKeyProblem> {
    MasterKey::parse(text).map_err(|source| MasterKeyProblem::Malformed { origin: origin.to_owned(), source })
}
