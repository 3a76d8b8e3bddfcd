//! Lists of breached passwords an operator may name, beside the one the program carries.

mod file;
mod range_api;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plinto_actors::{BreachedPasswords, Breaches};

use crate::private_file::FileError;
use crate::settings::BreachSettings;
use file::ListFile;
use range_api::RangeApi;

/// The lists of the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BreachProblem {
    /// The file does not have the form of a list.
    #[error(
        "`passwords.breached_file` names {}, which is no list of breached passwords: give one in the form of Pwned \
         Passwords, a line `SHA-1:COUNT` for each, in the order of the hashes", path.display()
    )]
    NoList {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file of authorities holds none.
    #[error(
        "`passwords.breached_ca_file` names a file without a certificate: give one with certificates (PEM)"
    )]
    NoCertificate,
    /// What was given for the range API cannot be used.
    #[error("`passwords.breached_url` or `passwords.breached_ca_file` cannot be used: {0}")]
    Client(#[source] reqwest::Error),
}

/// The lists the settings ask for.
pub(crate) fn lists(settings: &BreachSettings) -> Result<Breaches, BreachProblem> {
    let mut more: Vec<Arc<dyn BreachedPasswords>> = Vec::new();
    if let Some(path) = &settings.file {
        more.push(Arc::new(ListFile::open(path)?));
    }
    if let Some(url) = &settings.url {
        let authorities = settings.ca_file.as_deref().map(read).transpose()?;
        more.push(Arc::new(RangeApi::new(url, settings.timeout, authorities.as_deref())?));
    }
    Ok(Breaches::of(more, settings.while_unavailable))
}

fn read(path: &Path) -> Result<Vec<u8>, BreachProblem> {
    Ok(std::fs::read(path).map_err(|error| FileError::new("read", path, error))?)
}

/// Digits of a hash behind its prefix.
const REST: usize = 35;
/// Hashes of one prefix at most: Pwned Passwords has about two thousand of the most frequent one.
const LARGEST_RANGE: usize = 20_000;

/// The hash of a line `HASH:COUNT`, or of one without a count; none where the count is 0, which fills an answer up.
/// `digits` is how many the hash has.
fn hash_of(line: &str, digits: usize) -> Option<Option<&str>> {
    let line = line.trim_end_matches('\r');
    let (hash, count) = line.split_once(':').unwrap_or((line, "1"));
    let well_formed = hash.len() == digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let count: u64 = count.trim().parse().ok().filter(|_| well_formed)?;
    Some((count > 0).then_some(hash))
}
