//! Fine-grained policies of a tenant in the language Cedar, beside roles and grants.
//!
//! A version of a tenant's policies is a schema and a set of static policies that were validated strictly against it. It
//! is numbered and never changes; one of them is active, or none. How it goes together with roles and grants:
//!
//! - a `forbid` that holds overrides everything;
//! - otherwise a `permit` that holds permits, and so does what is granted;
//! - otherwise nothing does.
//!
//! What cannot be evaluated never permits: a `permit` that fails counts for nothing, a `forbid` that fails forbids, and
//! so does a question that the schema knows and does not admit, because nobody can say what the policies would.

mod changes;
mod compiled;
mod entities;
mod evaluate;
mod event;
mod extent;
mod nesting;
mod shape;

#[cfg(test)]
mod tests;

pub use changes::{
    MOST_VERSIONS, POLICY_VERSION_ACTIVE, PolicyState, PolicyWrite, TOO_MANY_POLICY_VERSIONS,
    UNKNOWN_POLICY_VERSION, activate, create_version, delete_version,
};
pub use compiled::{Compiled, PolicySource, SchemaSource};
pub use entities::{Principal, PrincipalFacts};
pub use evaluate::{Asked, Failure, Outcome, Verdict};
pub use event::PolicyEvent;

use crate::denial::Denial;

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_POLICY_VERSION, POLICY_VERSION_ACTIVE, TOO_MANY_POLICY_VERSIONS];
