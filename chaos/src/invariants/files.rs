use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{Findings, Invariant};
use crate::HarnessError;

/// Every file of a data directory that holds data, byte for byte. The lock, `run.json`, and the index SQLite makes
/// beside a log (`-shm`) hold none.
#[derive(PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<PathBuf, Vec<u8>>);

impl Fingerprint {
    /// Reads all files below a directory.
    pub fn of(directory: &Path) -> Result<Self, HarnessError> {
        let mut files = BTreeMap::new();
        collect(directory, &mut files)?;
        Ok(Self(files))
    }

    /// Reads one file and the log beside it.
    pub fn of_file(file: &Path) -> Result<Self, HarnessError> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let Self(mut files) = Self::of(folder)?;
        files.retain(|path, _| path.to_string_lossy().starts_with(&*file.to_string_lossy()));
        Ok(Self(files))
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<(), HarnessError> {
    let failed = || HarnessError::io(format!("read {}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !name.ends_with("-shm") && name != "run.json" && name != "plinto.lock" {
            let bytes = fs::read(&path).map_err(HarnessError::io(format!("read {}", path.display())))?;
            // An empty log says the same as none.
            if !(name.ends_with("-wal") && bytes.is_empty()) {
                files.insert(path, bytes);
            }
        }
    }
    Ok(())
}

/// [`Invariant::NothingOverwritten`].
pub fn nothing_was_overwritten(before: &Fingerprint, after: &Fingerprint, when: &str) -> Findings {
    let mut findings = Findings::default();
    let paths = before.0.keys().chain(after.0.keys().filter(|path| !before.0.contains_key(*path)));
    for path in paths {
        let same = before.0.get(path) == after.0.get(path);
        findings.hold(Invariant::NothingOverwritten, same, || {
            let size = |side: &Fingerprint| {
                side.0.get(path).map_or("absent".to_owned(), |found| format!("{} bytes", found.len()))
            };
            format!("{when}: {} was {} and is {}, or differs", path.display(), size(before), size(after))
        });
    }
    findings
}

/// [`Invariant::RefusalSaysWhatToDo`]: an exit code that is not 0, and a message with every one of `words`.
pub fn refusal_says_what_to_do(refusal: &Output, words: &[&str], when: &str) -> Findings {
    let mut findings = Findings::default();
    let said = String::from_utf8_lossy(&refusal.stderr);
    let code = refusal.status.code();
    findings.hold(Invariant::RefusalSaysWhatToDo, code.is_some_and(|code| code != 0), || {
        format!("{when}: ended with {}, and said: {said}", refusal.status)
    });
    for word in words {
        findings.hold(Invariant::RefusalSaysWhatToDo, said.contains(word), || {
            format!("{when}: the message does not hold `{word}`: {said}")
        });
    }
    let panicked = said.contains("panicked at");
    findings.hold(Invariant::RefusalSaysWhatToDo, !panicked, || format!("{when}: {said}"));
    findings
}
