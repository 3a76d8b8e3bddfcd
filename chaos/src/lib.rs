//! Experiments against real `plinto` processes: what a unit test cannot show, because it cannot be killed.
//!
//! An experiment starts the binary on a data directory of its own, makes it do work over HTTP, hurts it, and holds
//! what it finds afterwards against what had been acknowledged before. It knows the binary's command line and its
//! HTTP interface, and nothing of what is inside.
//!
//! * [`process`] starts, stops and kills the binary; [`binary`] finds it.
//! * [`api`] calls it and says of every call whether its outcome is known.
//! * [`nodes`] runs several of them over one PostgreSQL and one Redis, behind [`proxy`].
//! * [`load`] works on one process until it is gone, [`traffic`] on several whatever breaks.
//! * [`journal`] keeps what was acknowledged, and what was in flight when nobody answered any more.
//! * [`invariants`] is the list of promises; every experiment checks these and no others.
//! * [`experiments`] holds the experiments.

pub mod api;
pub mod audit;
pub mod bench;
pub mod binary;
mod error;
pub mod experiments;
pub mod invariants;
pub mod journal;
pub mod load;
pub mod nodes;
pub mod process;
pub mod proxy;
pub mod seed;
pub mod traffic;
pub mod verification;

pub use error::{Failure, HarnessError};
