//! `run.json` in the data directory: where a running instance listens. The instance holds a lock on it, so that one
//! left behind by a killed process is known for what it is.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::private_file::{self, FileError};

const FILE: &str = "run.json";

/// A running instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunInfo {
    /// Process id.
    pub(crate) pid: u32,
    /// Version of plinto.
    pub(crate) version: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) started_at: i64,
    /// Public base URL.
    pub(crate) base_url: String,
    /// Address of each service that runs.
    pub(crate) listeners: BTreeMap<String, SocketAddr>,
}

impl RunInfo {
    /// URL under which this machine reaches a service.
    pub(crate) fn url(&self, service: &str) -> Option<String> {
        self.listeners.get(service).map(|address| format!("http://{}", reachable(*address)))
    }
}

/// A wildcard address is no address to connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The file of this process, locked until dropped; dropping removes it.
pub(super) struct RunFile {
    path: PathBuf,
    _lock: File,
}

impl RunFile {
    /// Publishes where this process listens. It must hold the lock of the data directory.
    pub(super) fn publish(data_dir: &Path, info: &RunInfo) -> Result<Self, FileError> {
        let path = data_dir.join(FILE);
        let text = serde_json::to_string_pretty(info).expect("strings and numbers always serialize");
        let lock = private_file::write(&path, &text, File::lock)?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), error = %error, "could not be removed");
        }
    }
}

/// The instance that runs on a data directory, if one does.
pub(crate) fn running(data_dir: &Path) -> Result<Option<RunInfo>, FileError> {
    let path = data_dir.join(FILE);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::new("open", &path, error)),
    };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(FileError::new("lock", &path, error)),
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| FileError::new("read", &path, error))?;
    let info = serde_json::from_str(&text).map_err(|error| FileError::new("read", &path, error.into()))?;
    Ok(Some(info))
}
