use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::directory::{refused, with_suffix};
use crate::error::StorageError;

/// Marks our files in SQLite's header: "PLIN".
pub(super) const APPLICATION_ID: u32 = 0x504c_494e;

/// Looks at the first 100 bytes and the length of a database file, before SQLite may touch it.
/// `Ok(false)` when there is no such file.
pub(super) fn check(path: &Path) -> Result<bool, StorageError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refused(&error, "open", path)),
    };
    let length = file.metadata().map_err(|error| refused(&error, "read", path))?.len();
    let mut header = [0; 100];
    let read = file.read_exact(&mut header);
    let log = fs::metadata(with_suffix(path, "-wal")).map_or(0, |log| log.len());
    if read.is_ok() && sound(&header, length, log == 0) {
        return Ok(true);
    }
    Err(StorageError::corrupt(path.display().to_string()))
}

/// Whether the header is one of our files and the file is as long as it says. With a log the length may
/// lag behind, because the last pages may be in the log still.
fn sound(header: &[u8; 100], length: u64, complete: bool) -> bool {
    let short = |at: usize| u64::from(u16::from_be_bytes([header[at], header[at + 1]]));
    let long = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let page_size = match short(16) {
        1 => 65_536,
        size => size,
    };
    let pages = u64::from(long(28));
    header.starts_with(b"SQLite format 3\0")
        && page_size.is_power_of_two()
        && page_size >= 512
        && matches!(header[18], 1 | 2)
        && matches!(header[19], 1 | 2)
        && header[20] == 0
        && header[21..24] == [64, 32, 32]
        && long(68) == APPLICATION_ID
        && (!complete || length == pages * page_size)
}
