//! One module per question of the issue.

pub(crate) mod bare;
pub(crate) mod checks;
mod clients;
mod entries;
pub(crate) mod grants;
mod imports;
pub(crate) mod introspection;
pub(crate) mod ledger;
pub(crate) mod many_sessions;
pub(crate) mod neighbours;
pub(crate) mod nodes;
pub(crate) mod oauth;
pub(crate) mod postgres_ledger;
mod raw_ledger;
mod raw_postgres;
pub(crate) mod revocation;
pub(crate) mod sessions;
pub(crate) mod shared_limits;
pub(crate) mod sign_in;
pub(crate) mod startup;
mod units;
pub(crate) mod users;

use crate::rig::report::Measurement;
use crate::rig::{BenchError, Settings};
use clap::ValueEnum;

/// The benchmarks by their letters in the issue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Benchmark {
    /// Introspection against a bare axum JSON route.
    A,
    /// Introspection against axum and one ractor call.
    B,
    /// Sign-ins against the raw argon2id limit.
    C,
    /// A neighbour's p99 while another tenant is flooded.
    D,
    /// Memory and activation latency of many sessions.
    E,
    /// Durable writes against raw SQLite group commit.
    F,
    /// Start-up with 1000 tenants.
    G,
    /// Durable writes on PostgreSQL against raw single-row commits.
    H,
    /// Introspections and clients at one node and at three.
    I,
    /// What limits shared over Redis add to a request.
    J,
    /// Revocation across nodes, with Redis and without.
    K,
    /// Users read, listed, signed up, looked up and imported.
    L,
    /// Checks of permissions and policies, in the process.
    M,
    /// Tokens clients get for themselves.
    N,
    /// What users grant clients: refreshes and whole flows.
    O,
}

impl Benchmark {
    /// Runs those asked for, in order: what was measured, and what could not be and why.
    pub(crate) async fn run_all(
        asked: &[Self],
        settings: &Settings,
    ) -> Result<(Vec<Measurement>, Vec<String>), BenchError> {
        let asks = |which: &Self| {
            // (a) and (b) are one run.
            let same_run = *which == Self::A && asked.contains(&Self::B);
            asked.is_empty() || asked.contains(which) || same_run
        };
        let (mut done, mut skipped) = (Vec::new(), Vec::new());
        for which in Self::value_variants().iter().filter(|which| asks(which)) {
            match which.run(settings).await {
                Ok(measured) => done.extend(measured),
                Err(BenchError::Missing(what)) => skipped.push(format!("({which:?}): {what}").to_lowercase()),
                Err(error) => return Err(error),
            }
        }
        Ok((done, skipped))
    }

    async fn run(self, settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
        match self {
            Self::A => introspection::run(settings).await,
            // Measured together with (a).
            Self::B => Ok(Vec::new()),
            Self::C => sign_in::run(settings).await,
            Self::D => neighbours::run(settings).await,
            Self::E => sessions::run(settings).await,
            Self::F => ledger::run(settings).await,
            Self::G => startup::run(settings).await,
            Self::H => postgres_ledger::run(settings).await,
            Self::I => nodes::run(settings).await,
            Self::J => shared_limits::run(settings).await,
            Self::K => revocation::run(settings).await,
            Self::L => users::run(settings).await,
            Self::M => checks::run(settings).await,
            Self::N => oauth::run(settings).await,
            Self::O => grants::run(settings).await,
        }
    }
}
