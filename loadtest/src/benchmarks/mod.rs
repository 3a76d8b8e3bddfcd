//! One module per question of the issue.

pub(crate) mod bare;
pub(crate) mod introspection;
pub(crate) mod ledger;
pub(crate) mod many_sessions;
pub(crate) mod neighbours;
mod raw_ledger;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod startup;

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
}

impl Benchmark {
    /// Runs those asked for, in order.
    pub(crate) async fn run_all(asked: &[Self], settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
        let asks = |which: Self| asked.is_empty() || asked.contains(&which);
        let mut done = Vec::new();
        if asks(Self::A) || asks(Self::B) {
            done.extend(introspection::run(settings).await?);
        }
        if asks(Self::C) {
            done.extend(sign_in::run(settings).await?);
        }
        if asks(Self::D) {
            done.extend(neighbours::run(settings).await?);
        }
        if asks(Self::E) {
            done.extend(sessions::run(settings).await?);
        }
        if asks(Self::F) {
            done.extend(ledger::run(settings).await?);
        }
        if asks(Self::G) {
            done.extend(startup::run(settings).await?);
        }
        Ok(done)
    }
}
