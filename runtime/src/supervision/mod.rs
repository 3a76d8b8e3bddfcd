//! Supervision: one-for-one restarts within a budget.

mod budget;
mod failure;
mod supervisor;
#[cfg(test)]
mod tests;

pub use budget::{RestartBudget, RestartPolicy, Verdict};
pub(crate) use failure::{Exit, Trouble, redact_panic};
pub(crate) use supervisor::{Root, Supervisor};
