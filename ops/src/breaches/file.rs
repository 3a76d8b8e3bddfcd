use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use plinto_actors::{BreachedPasswords, HashPrefix, ListUnavailable};
use tokio::sync::Semaphore;

use super::{BreachProblem, LARGEST_RANGE, REST, hash_of};
use crate::private_file::FileError;

/// Digits of a whole hash.
const DIGITS: usize = REST + 5;
/// Longest line: a hash, a colon, a count and the end of the line.
const LONGEST_LINE: usize = 64;
/// Bytes read at once where lines follow one another.
const AT_ONCE: usize = 64 * 1024;
/// Look-ups at once: each takes a thread while the disk is slow.
const LOOK_UPS: usize = 8;

/// A sorted list on disk. A look-up reads some forty short pieces of it, and holds none of it.
pub(super) struct ListFile {
    list: Arc<List>,
    look_ups: Semaphore,
}

struct List {
    path: PathBuf,
    file: File,
    size: u64,
}

/// What went wrong with a list.
enum Fault {
    Io(std::io::Error),
    /// A line has another form.
    Form,
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl ListFile {
    /// Opens a list, and looks at both of its ends.
    pub(super) fn open(path: &Path) -> Result<Self, BreachProblem> {
        let io = |error| FileError::new("read", path, error);
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let list = List { path: path.to_owned(), file, size };
        match list.ends_are_in_order() {
            Ok(true) => Ok(Self { list: Arc::new(list), look_ups: Semaphore::new(LOOK_UPS) }),
            Ok(false) | Err(Fault::Form) => Err(BreachProblem::NoList { path: path.to_owned() }),
            Err(Fault::Io(error)) => Err(io(error).into()),
        }
    }
}

#[async_trait]
impl BreachedPasswords for ListFile {
    async fn range(&self, prefix: &HashPrefix) -> Result<Vec<String>, ListUnavailable> {
        let Ok(_permit) = self.look_ups.acquire().await else {
            return Err(ListUnavailable("it is closed".to_owned()));
        };
        let (list, prefix) = (Arc::clone(&self.list), *prefix);
        let look = move || list.range(prefix.as_str()).map_err(|fault| list.unavailable(&fault));
        let looked = tokio::task::spawn_blocking(look).await;
        looked.unwrap_or_else(|_| Err(ListUnavailable("the look-up was interrupted".to_owned())))
    }
}

impl List {
    fn unavailable(&self, fault: &Fault) -> ListUnavailable {
        let path = self.path.display();
        ListUnavailable(match fault {
            Fault::Io(error) => format!("{path}: {error}"),
            Fault::Form => format!("{path} has a line that is no hash with a count"),
        })
    }

    fn ends_are_in_order(&self) -> Result<bool, Fault> {
        let first = self.hash_at(0)?;
        let last = self.hash_at(self.line_at_or_after(self.size.saturating_sub(LONGEST_LINE as u64))?)?;
        Ok(first.zip(last).is_some_and(|(first, last)| first <= last))
    }

    /// The hashes that begin with five digits, without them.
    fn range(&self, prefix: &str) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        let mut at = self.first_from(prefix)?;
        let mut piece = vec![0; AT_ONCE];
        while at < self.size && found.len() < LARGEST_RANGE {
            let read = self.read_at(at, &mut piece)?;
            // What is cut off at the end of the piece is read again with the next.
            let is_last = at + read as u64 == self.size;
            let whole = match piece[..read].iter().rposition(|byte| *byte == b'\n') {
                _ if is_last => read,
                Some(end) => end + 1,
                None => return Err(Fault::Form),
            };
            for line in text(&piece[..whole])?.lines() {
                let hash = hash_of(line, DIGITS).ok_or(Fault::Form)?;
                let Some(hash) = hash else { continue };
                match hash.split_at_checked(prefix.len()) {
                    Some((begins, rest)) if begins.eq_ignore_ascii_case(prefix) => {
                        found.push(rest.to_owned())
                    }
                    _ => return Ok(found),
                }
            }
            at += whole as u64;
        }
        Ok(found)
    }

    /// Where the first line stands whose hash does not sort before the prefix.
    fn first_from(&self, prefix: &str) -> Result<u64, Fault> {
        // Every line that begins before `low` sorts before; the line at or after `high` does not.
        let (mut low, mut high) = (0, self.size);
        while low < high {
            let middle = low + (high - low) / 2;
            let line = self.line_at_or_after(middle)?;
            match self.hash_at(line)? {
                Some(hash) if hash.as_str() < prefix => low = line + 1,
                _ => high = middle,
            }
        }
        self.line_at_or_after(low)
    }

    /// Where the first line begins that begins here or later; the end if there is none.
    fn line_at_or_after(&self, at: u64) -> Result<u64, Fault> {
        if at == 0 {
            return Ok(0);
        }
        // One byte before: if that ends a line, one begins here.
        let mut piece = [0; LONGEST_LINE + 1];
        let read = self.read_at(at - 1, &mut piece)?;
        match piece[..read].iter().position(|byte| *byte == b'\n') {
            Some(end) => Ok(at + end as u64),
            None if read < piece.len() => Ok(self.size),
            None => Err(Fault::Form),
        }
    }

    /// The hash of the line that begins here, in capitals; none at the end.
    fn hash_at(&self, at: u64) -> Result<Option<String>, Fault> {
        let mut piece = [0; LONGEST_LINE];
        let read = self.read_at(at, &mut piece)?;
        if read == 0 {
            return Ok(None);
        }
        let line = piece[..read].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = text(line)?;
        hash_of(line, DIGITS).ok_or(Fault::Form)?;
        Ok(Some(line[..DIGITS].to_ascii_uppercase()))
    }

    /// Fills a piece from here, as far as the file goes.
    fn read_at(&self, at: u64, piece: &mut [u8]) -> Result<usize, Fault> {
        let mut read = 0;
        while read < piece.len() {
            match self.file.read_at(&mut piece[read..], at + read as u64)? {
                0 => break,
                more => read += more,
            }
        }
        Ok(read)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::Form)
}
