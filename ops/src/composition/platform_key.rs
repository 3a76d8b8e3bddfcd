//! The operator's own API key, kept in the data directory for the commands of this machine.

use std::path::Path;

use plinto_actors::Platform;
use zeroize::Zeroizing;

use super::StartError;
use crate::private_file::{self, FileError};

/// Name of the file in the data directory.
pub(crate) const FILE: &str = "platform.key";

/// The key in a data directory, if there is one.
pub(crate) fn read(data_dir: &Path) -> Result<Option<Zeroizing<String>>, FileError> {
    let text = private_file::read(&data_dir.join(FILE))?;
    Ok(text.map(|text| Zeroizing::new(text.trim().to_owned())).filter(|text| !text.is_empty()))
}

/// Makes and stores the first platform key. Later it is the operator's: a file that was taken away stays away.
pub(super) async fn provide(platform: &Platform, data_dir: &Path) -> Result<(), StartError> {
    if platform.has_platform_key().await? {
        return Ok(());
    }
    issue(platform, data_dir).await.map(drop)
}

/// Makes a platform key and stores it in place of the one in the data directory.
pub(super) async fn issue(platform: &Platform, data_dir: &Path) -> Result<Zeroizing<String>, StartError> {
    let key = Zeroizing::new(platform.issue_platform_key("operator").await?.text);
    private_file::write_secret(&data_dir.join(FILE), &format!("{}\n", key.as_str()))?;
    Ok(key)
}
