//! Looking for entries: by whom, about what, when; in either direction, page by page, at a bounded cost.

use super::{Entry, decode_entry};
use crate::engine::{Columns, Engine, Scope};
use crate::error::StorageError;
use crate::repositories::ledger as texts;

/// Entries read at a time.
const CHUNK: u32 = 500;
/// Entries examined for one page; then it ends where it is, with a cursor to go on.
const MOST_EXAMINED: u32 = 10_000;
/// Entries stand in the order of their commits. How far their times may be out of that order, in milliseconds: what a
/// commit may wait and clocks of nodes may differ, with much to spare.
const DISORDER: i64 = 3_600_000;

/// The event that [`By::Actor`] and [`By::Subject`] leave out: it comes by the thousand, and an index over it would cost
/// every refresh.
pub const ROUTINE: &str = texts::ROUTINE;

/// Which entries are examined.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// All, one after the other.
    All,
    /// Those about something, but for [`ROUTINE`] ones, by an index.
    Subject(&'a str),
    /// Those of somebody, but for [`ROUTINE`] ones, by an index.
    Actor(&'a str),
}

/// In which order.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Upward by sequence.
    OldestFirst,
    /// Downward by sequence.
    NewestFirst,
}

/// What to look for.
#[derive(Copy, Clone, Debug)]
pub struct Look<'a> {
    /// Which entries are examined.
    pub by: By<'a>,
    /// In which order.
    pub order: Order,
    /// Sequence of the last entry that was seen.
    pub after: Option<i64>,
    /// Nothing before this time is wanted, unix milliseconds.
    pub from: Option<i64>,
    /// Nothing from this time on is wanted, unix milliseconds.
    pub until: Option<i64>,
    /// Most entries to find.
    pub limit: u32,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In the order asked for.
    pub entries: Vec<Entry>,
    /// Where to go on, if not everything was examined. A page may be short, even empty, and still have more behind it.
    pub next: Option<i64>,
}

impl By<'_> {
    fn text(self, order: Order) -> &'static str {
        match (self, order) {
            (Self::All, Order::OldestFirst) => texts::ALL_UPWARD,
            (Self::All, Order::NewestFirst) => texts::ALL_DOWNWARD,
            (Self::Subject(_), Order::OldestFirst) => texts::OF_SUBJECT_UPWARD,
            (Self::Subject(_), Order::NewestFirst) => texts::OF_SUBJECT_DOWNWARD,
            (Self::Actor(_), Order::OldestFirst) => texts::OF_ACTOR_UPWARD,
            (Self::Actor(_), Order::NewestFirst) => texts::OF_ACTOR_DOWNWARD,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Subject(name) | Self::Actor(name) => Some(name),
        }
    }
}

/// Finds entries that `admits` lets pass. It is asked about times, too: those of `look` only bound what is read.
pub async fn look(
    engine: &dyn Engine,
    scope: Scope,
    look: &Look<'_>,
    mut admits: impl FnMut(&Entry) -> bool + Send,
) -> Result<Found, StorageError> {
    let (mut above, mut below) = bounds(engine, scope, look).await?;
    let mut found = Found { entries: Vec::new(), next: None };
    let mut examined = 0;
    while above + 1 < below {
        let text = look.by.text(look.order);
        let statement = texts::between(text, scope.id(), (above, below), CHUNK, look.by.name());
        let rows = engine.read(scope, statement).await?;
        let ended = rows.len() < CHUNK as usize;
        for row in rows {
            let entry = decode_entry(row)?;
            match look.order {
                Order::OldestFirst => above = entry.seq,
                Order::NewestFirst => below = entry.seq,
            }
            let seq = entry.seq;
            if admits(&entry) {
                if found.entries.len() >= look.limit as usize {
                    found.next = found.entries.last().map(|last| last.seq);
                    return Ok(found);
                }
                found.entries.push(entry);
            }
            examined += 1;
            if examined >= MOST_EXAMINED {
                found.next = Some(seq);
                return Ok(found);
            }
        }
        if ended {
            break;
        }
    }
    Ok(found)
}

/// Sequences between which everything wanted stands, both exclusive.
async fn bounds(engine: &dyn Engine, scope: Scope, look: &Look<'_>) -> Result<(i64, i64), StorageError> {
    let head = super::head(engine, scope).await?.ok_or(StorageError::UnknownTenant)?;
    let (mut above, mut below) = (0, head.seq + 1);
    match (look.order, look.after) {
        (_, None) => {}
        (Order::OldestFirst, Some(seen)) => above = seen.max(0),
        (Order::NewestFirst, Some(seen)) => below = below.min(seen),
    }
    if let Some(from) = look.from {
        above = above.max(first_at(engine, scope, from.saturating_sub(DISORDER), head.seq).await? - 1);
    }
    if let Some(until) = look.until {
        below = below.min(first_at(engine, scope, until.saturating_add(DISORDER), head.seq).await?);
    }
    Ok((above, below))
}

/// The first sequence whose time is `time` or later, in a ledger whose times are in order, by bisection: an index over
/// times would cost every commit, this costs a look at twenty entries of a million. Where times are out of order by
/// less than [`DISORDER`], nothing that far before it is later, nor anything that far behind it earlier.
async fn first_at(engine: &dyn Engine, scope: Scope, time: i64, last: i64) -> Result<i64, StorageError> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let rows = engine.read(scope, texts::at(scope.id(), middle)).await?;
        let Some(row) = rows.into_iter().next() else {
            high = middle;
            continue;
        };
        let mut columns = Columns::of("ledger_entries", row);
        let (seq, at) = (columns.int("seq")?, columns.int("at")?);
        if at < time {
            low = seq + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
