//! Several nodes over one database: telling each other what was committed, following what others commit, sharing limits.
//!
//! Correctness rests on the rows and their versions. What is here keeps memory close behind them: a notice makes the
//! other nodes look at once, and reading the ledgers finds whatever no notice brought. So a revocation reaches every
//! node within two seconds with nothing but the database, and within milliseconds with the cluster.
//!
//! Architecture invariant: nothing of this runs over an engine that nobody shares.

mod announcing;
mod apply;
mod follow;
mod guesses;
mod lease;
mod news;
mod plan;
mod poll;
mod share;
mod watch;

pub(crate) use announcing::announcing;
pub(crate) use follow::{Follower, Progress};
pub(crate) use guesses::{SharedGuesses, Verdict};
pub(crate) use lease::Lessor;
pub(crate) use news::{Reloads, UnknownKeys};
pub(crate) use watch::Watch;

use std::sync::atomic::{AtomicU64, Ordering};

/// What following other nodes has come to since the start; all zero over an engine that nobody shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodesCount {
    /// Times the ledgers were looked at.
    pub polls: u64,
    /// Times that failed.
    pub polls_failed: u64,
    /// Notices heard.
    pub notices: u64,
    /// Times notices may have been missed.
    pub gaps: u64,
    /// Changes applied, some of them more than once.
    pub changes_applied: u64,
    /// Times the sessions of a tenant, or all, had to read their rows again because changes could not be read in time.
    pub doubts: u64,
    /// Requests of tenants refused by the limits that all nodes share.
    pub allowance_refusals: u64,
}

impl Follower {
    /// Totals since the start.
    pub(crate) fn count(&self) -> NodesCount {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        NodesCount {
            polls: read(&self.progress.polls),
            polls_failed: read(&self.progress.polls_failed),
            notices: read(&self.progress.notices),
            gaps: read(&self.progress.gaps),
            changes_applied: read(&self.progress.changes),
            doubts: read(&self.progress.doubts),
            allowance_refusals: self.lessor.refused(),
        }
    }
}
