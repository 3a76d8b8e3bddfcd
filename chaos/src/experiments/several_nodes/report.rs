//! What a run on several nodes has done.

use std::fmt;

use crate::invariants::Written;
use crate::journal::Tally;
use crate::traffic::{Spread, Verdict};

/// Counts and times, so that a run in which little happened is noticed.
#[derive(Clone, Debug)]
pub struct SeveralNodesReport {
    /// What was acknowledged and what was left open.
    pub tally: Tally,
    /// What became of the calls.
    pub verdict: Verdict,
    /// From a sign-out to the refusal by every node, while nothing was broken.
    pub refused: Spread,
    /// The same while Redis was away.
    pub refused_without_redis: Spread,
    /// What the ledgers hold.
    pub written: Written,
    /// Threads and resident KiB of each node before and after.
    pub footprints: Vec<String>,
}

impl fmt::Display for SeveralNodesReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tally, verdict, refused, refused_without_redis, written, footprints } = self;
        let Tally { sign_ups, sign_ins, refreshes, sign_outs, open, .. } = tally;
        writeln!(
            out,
            "acknowledged and found again: {sign_ups} sign-ups, {sign_ins} sign-ins, {refreshes} refreshes, \
             {sign_outs} sign-outs; {open} answers lost"
        )?;
        for (call, spread) in &verdict.done {
            writeln!(out, "  {call}: {spread}")?;
        }
        for (fault, count) in &verdict.excused {
            writeln!(out, "  failed while {fault}: {count}")?;
        }
        writeln!(out, "refused by every node after a sign-out: {refused}")?;
        writeln!(out, "refused while Redis was away: {refused_without_redis}")?;
        writeln!(
            out,
            "{} ledgers with {} entries, {} acknowledged changes among them",
            written.ledgers, written.entries, written.expected
        )?;
        write!(out, "{}", footprints.join("\n"))
    }
}
