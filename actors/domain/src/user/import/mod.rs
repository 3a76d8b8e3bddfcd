//! Imports: many users from a file with one user a line, sent in parts by whoever has the file.
//!
//! An import remembers up to which line it came, in the same transaction as the users of those lines. So a part that is
//! sent again is passed over line by line, whatever was lost on the way and whichever node hears it, and nobody is
//! imported twice. The file itself is never kept.

mod batch;
mod event;
mod line;
mod write;

pub use batch::{ImportOutcome, Seen, Taken, advance, examine};
pub use event::ImportEvent;
pub use line::{ImportedEmail, ImportedUser, LONGEST_LINE};
pub use write::{ImportWrite, LineError};

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::ImportId;
use crate::input::InvalidInput;
use crate::randomness::Randomness;
use crate::time::Timestamp;
use std::time::Duration;

/// How long an import is kept after its last change.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Most errors of one import that are kept; those beyond are only counted.
pub const MOST_ERRORS: u32 = 10_000;

/// There is no such import in the tenant.
pub const UNKNOWN_IMPORT: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_import",
    "Unknown import",
    "there is no import of this id in the tenant; one is kept for 30 days after its last change",
);

/// The import has ended.
pub const IMPORT_ENDED: Denial = Denial::new(
    DenialKind::Conflict,
    "import_ended",
    "Import ended",
    "this import was completed or cancelled; begin another one",
);

/// Lines were left out.
pub const LINES_MISSING: Denial = Denial::new(
    DenialKind::Conflict,
    "import_lines_missing",
    "Lines missing",
    "lines before the first one of this request were not sent yet; read the import and go on behind its `lines`",
);

/// Two requests send lines of one import.
pub const IMPORT_BUSY: Denial = Denial::new(
    DenialKind::Conflict,
    "import_busy",
    "Import busy",
    "another request goes on with this import; send its lines one request after the other",
);

/// What becomes of a line about somebody who is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnConflict {
    /// It is an error of that line.
    #[default]
    Fail,
    /// The line is passed over and counted.
    Skip,
}

impl OnConflict {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fail, Self::Skip].into_iter().find(|known| known.as_str() == text)
    }
}

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportState {
    /// It takes lines.
    Open,
    /// Its sender said that there are no more.
    Completed,
    /// It was given up; users imported before stay.
    Cancelled,
}

impl ImportState {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Completed, Self::Cancelled].into_iter().find(|known| known.as_str() == text)
    }
}

/// Lines so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// All of them; also the number of the last one.
    pub lines: u64,
    /// Users that were imported, or would have been.
    pub imported: u64,
    /// Lines about users that are there.
    pub skipped: u64,
    /// Lines with errors.
    pub failed: u64,
    /// Errors that are kept.
    pub errors: u32,
}

/// An import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Whether nothing but the import itself is written.
    pub dry_run: bool,
    /// What becomes of a line about somebody who is there.
    pub on_conflict: OnConflict,
    /// By what its sender knows the file again.
    pub source: Option<ImportSource>,
    /// How far it is.
    pub state: ImportState,
    /// Lines so far.
    pub tally: Tally,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

/// By what a sender knows a file again, such as its SHA-256.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportSource(String);

impl ImportSource {
    /// Checks a source.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let is_name = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':' | b'=' | b'+')
        };
        if (1..=128).contains(&text.len()) && text.bytes().all(is_name) {
            return Ok(Self(text.to_owned()));
        }
        let detail = "a source has 1 to 128 of letters, digits and . _ - : = +, such as the file's SHA-256";
        Err(InvalidInput::new(field, "invalid_source", detail))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A checked wish for an import.
#[derive(Clone, Debug, Default)]
pub struct NewImport {
    /// Whether nothing but the import itself is to be written.
    pub dry_run: bool,
    /// What becomes of a line about somebody who is there.
    pub on_conflict: OnConflict,
    /// By what its sender knows the file again.
    pub source: Option<ImportSource>,
}

impl Import {
    fn check_open(&self) -> Result<(), Denial> {
        if self.state == ImportState::Open { Ok(()) } else { Err(IMPORT_ENDED) }
    }
}

/// Begins an import. Those that have been kept long enough are forgotten on the way.
pub fn begin(new: NewImport, now: Timestamp, randomness: &dyn Randomness) -> Decision<Import> {
    let NewImport { dry_run, on_conflict, source } = new;
    let import = Import {
        id: ImportId::generate(now, randomness),
        dry_run,
        on_conflict,
        source,
        state: ImportState::Open,
        tally: Tally::default(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let forgotten = Timestamp::from_millis(now.as_millis().saturating_sub(millis(KEPT)));
    Decision {
        writes: vec![
            Write::UserImport(ImportWrite::Forget { unchanged_since: forgotten }),
            Write::UserImport(ImportWrite::Insert(Box::new(import.clone()))),
        ],
        events: vec![Event::UserImport(ImportEvent::Started { import: import.id, dry_run })],
        reply: import,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How an import ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// There are no more lines.
    Complete,
    /// It is given up.
    Cancel,
}

/// Ends an import. One that ended in this way is answered as it is.
pub fn end(import: &Import, ending: Ending, now: Timestamp) -> Result<Decision<Import>, Denial> {
    let state = match ending {
        Ending::Complete => ImportState::Completed,
        Ending::Cancel => ImportState::Cancelled,
    };
    if import.state == state {
        return Ok(Decision::reply_only(import.clone()));
    }
    import.check_open()?;
    let ended = Import { state, updated_at: now, version: import.version + 1, ..import.clone() };
    let event = match ending {
        Ending::Complete => ImportEvent::Completed { import: import.id, tally: import.tally },
        Ending::Cancel => ImportEvent::Cancelled { import: import.id, tally: import.tally },
    };
    Ok(Decision {
        writes: vec![Write::UserImport(ImportWrite::Update {
            import: Box::new(ended.clone()),
            expected_version: import.version,
        })],
        events: vec![Event::UserImport(event)],
        reply: ended,
    })
}

#[cfg(test)]
mod tests;
