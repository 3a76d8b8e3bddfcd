//! What a process takes from its machine.

use std::fs;
use std::path::PathBuf;

use crate::HarnessError;

/// Threads and memory of a process at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Threads.
    pub threads: u64,
    /// Resident memory, in KiB.
    pub resident: u64,
}

impl Footprint {
    /// Of a running process.
    pub fn of(pid: u32) -> Result<Self, HarnessError> {
        let path = PathBuf::from(format!("/proc/{pid}/status"));
        let text = fs::read_to_string(&path).map_err(HarnessError::io(format!("read {}", path.display())))?;
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            value.ok_or(HarnessError::Form { path: path.clone(), reason: format!("it has no number {name}") })
        };
        Ok(Self { threads: number("Threads:")?, resident: number("VmRSS:")? })
    }
}
