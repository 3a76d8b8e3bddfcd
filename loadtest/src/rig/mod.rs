//! What every benchmark needs: a platform, accounts, load, numbers.

pub(crate) mod accounts;
pub(crate) mod answer;
pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod cpu;
pub(crate) mod environment;
mod error;
pub(crate) mod instance;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod nodes;
pub(crate) mod numbers;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod servers;

pub(crate) use error::BenchError;

use std::path::PathBuf;
use std::time::Duration;

/// How long and how often to measure.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Length of one measurement.
    pub(crate) span: Duration,
    /// How often baseline and ours alternate.
    pub(crate) rounds: usize,
    /// Fewer sessions and tenants, for a look while developing.
    pub(crate) quick: bool,
    /// Where data directories are made; on the disk whose fsync is to be measured.
    pub(crate) work_dir: PathBuf,
}

impl Settings {
    /// A fresh directory that is removed when dropped.
    pub(crate) fn fresh_dir(&self) -> Result<tempfile::TempDir, BenchError> {
        Ok(tempfile::Builder::new().prefix("plinto-bench-").tempdir_in(&self.work_dir)?)
    }
}
