//! What Plinto promises, whatever happens to its process, its disk and its files.
//!
//! Every experiment checks these promises, each by the one function here that checks it, so that a promise means the
//! same everywhere.

mod accounts;
mod chain;
mod files;
mod leaks;
mod ledger;
mod sessions;
mod tenants;

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use accounts::{account_signs_in, open_sign_up_is_old_or_new};
pub use chain::{Written, one_chain};
pub use files::{Fingerprint, nothing_was_overwritten, refusal_says_what_to_do};
pub use leaks::nothing_leaks;
pub use ledger::{ledger_records, ledger_verifies};
pub use sessions::{
    account_sessions, replaced_token_ends_the_session, revoked_everywhere, tokens_work_as_known,
};
pub use tenants::tenant_is_as_known;

use crate::api::{Answer, Api};

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// Whoever got the answer to a sign-up can sign in, from then on.
    AccountSurvives,
    /// A session whose beginning was acknowledged lives until it is ended: its access token is active and the last
    /// refresh token received is the current one.
    SessionSurvives,
    /// A refresh token that was exchanged is never good again. Presenting it ends the session, so that the old token
    /// and the new one never both work.
    RefreshTokenIsSingleUse,
    /// An acknowledged sign-out holds: access token and refresh token stay unusable.
    RevocationSurvives,
    /// A change that was asked for and never answered was made entirely or not at all, and stays so.
    OpenChangeIsOldOrNew,
    /// Tenants whose creation was acknowledged serve, with all their keys; deleted ones are gone.
    TenantSurvives,
    /// Every ledger verifies from its first entry to its head, with the server running and without.
    LedgerVerifies,
    /// The ledger holds an entry for every acknowledged change.
    LedgerRecords,
    /// After any end the server starts again and is ready.
    StartsAgain,
    /// A request on acknowledged state is done, or refused because the server is busy or full; it never fails.
    NoFailureUnderLoad,
    /// Where Plinto refuses to start, every database file is byte for byte what it was.
    NothingOverwritten,
    /// Where Plinto refuses to start, it exits with an error that names what is wrong and says what to do.
    RefusalSaysWhatToDo,
    /// Damage or exhaustion of one tenant's storage is answered with a problem, and the neighbour is served.
    NeighbourWorks,
    /// A full disk is answered 503 `storage_full`; sessions still validate; writes resume by themselves.
    FullDiskIsSurvived,
    /// A client that did not hear the answer to a refresh and soon presents the same token again is served, and its
    /// session goes on.
    HonestRetryIsServed,
    /// Two seconds after an acknowledged sign-out no node takes a token of the session, with Redis or without.
    RevocationIsBounded,
    /// While nothing is broken no request fails on any of several nodes; nor is one refused as busy.
    NoFailureOutsideFaults,
    /// What a node held for requests and connections while something was broken it gives back.
    NothingLeaks,
    /// Several nodes write one chain: sequences from 1 without gap or duplicate, one entry for each change.
    OneChain,
    /// Without PostgreSQL sessions validate on the node that holds them, and writes are refused at once with 503 and
    /// `Retry-After`; without Redis everything goes on. It heals without a restart.
    OutageIsSurvived,
    /// Of two processes on one data directory the second refuses and the first goes on.
    OneProcessPerDirectory,
}

impl fmt::Display for Invariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What was found; holds ids, never a token or password.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.invariant, self.found)
    }
}

/// Collects what a check finds.
#[derive(Default)]
pub struct Findings(Vec<Violation>);

impl Findings {
    /// Notes a broken promise unless it is kept.
    pub fn hold(&mut self, invariant: Invariant, kept: bool, found: impl FnOnce() -> String) {
        if !kept {
            self.0.push(Violation { invariant, found: found() });
        }
    }

    /// Adds what another check found.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds broken promises found elsewhere.
    pub fn extend(&mut self, violations: Vec<Violation>) {
        self.0.extend(violations);
    }

    /// Whether every promise was kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The broken promises.
    pub fn into_violations(self) -> Vec<Violation> {
        self.0
    }
}

/// A running instance, asked with the operator's key.
pub struct Witness<'a> {
    /// The instance.
    pub api: &'a Api,
    /// The operator's key.
    pub platform_key: &'a str,
    /// How long the end of a session may take to be known everywhere.
    bound: Duration,
}

impl<'a> Witness<'a> {
    /// One process, in which the end of a session is known at once.
    pub fn new(api: &'a Api, platform_key: &'a str) -> Self {
        Self { api, platform_key, bound: Duration::ZERO }
    }

    /// The same for an address that stands for several nodes.
    #[must_use]
    pub fn within(self, bound: Duration) -> Self {
        Self { bound, ..self }
    }

    /// Whether a token of an ended session is refused: by any process asked after the bound.
    async fn is_refused(
        &self,
        token: &str,
        ended: Instant,
        invariant: Invariant,
        findings: &mut Findings,
    ) -> bool {
        loop {
            let asked = Instant::now();
            let refused = self.is_active(token, invariant, findings).await != Some(true);
            if refused || asked - ended > self.bound {
                return refused;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether a token is active; a question that is not answered breaks `invariant`.
    async fn is_active(&self, token: &str, invariant: Invariant, findings: &mut Findings) -> Option<bool> {
        match self.api.is_active(self.platform_key, token).await {
            Answer::Done(active) => Some(active),
            other => {
                findings.hold(invariant, false, || format!("introspection was answered {}", other.summary()));
                None
            }
        }
    }
}
