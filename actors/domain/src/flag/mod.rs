//! Feature flags: typed values that a tenant's programs ask for, decided by ordered rules about who asks.
//!
//! Rules are data: a list of conditions, and what is served when all of them hold. Nothing is executed, no clock and no
//! generator is asked, so the same flag, subject and attributes always come to the same variant, on every node and in
//! every client that computes it itself; see [`bucket`] for the percentages.

mod attribute;
mod changes;
mod compiled;
mod definition;
mod event;

#[cfg(test)]
mod tests;

pub use changes::{
    FLAG_KEY_TAKEN, FlagWrite, MOST_FLAGS, TOO_MANY_FLAGS, UNKNOWN_FLAG, change, create, delete,
};
pub use compiled::{Compiled, Evaluated, Reason, Who, bucket};
pub use definition::{
    Condition, Definition, DefinitionChange, DefinitionDraft, FlagKind, Operator, Rule, Share, Variant,
};
pub use event::FlagEvent;

use crate::denial::Denial;
use crate::input::InvalidInput;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_FLAG, FLAG_KEY_TAKEN, TOO_MANY_FLAGS];

/// What a flag is called in programs: 1 to 100 of `a-z 0-9 _ - .`, a letter first. Unique in the tenant, never changed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlagKey(Arc<str>);

impl FlagKey {
    /// Checks a key.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
        let good = (1..=100).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(allowed)
            // A path of the API stands where its own would be.
            && text != "evaluate";
        if !good {
            let detail =
                "a flag's key is 1 to 100 of a-z, 0-9, _, - and ., a letter first, and not `evaluate`";
            return Err(InvalidInput::new(field, "invalid_flag_key", detail));
        }
        Ok(Self(text.into()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FlagKey {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        Self::parse("key", text)
    }
}

impl fmt::Display for FlagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FlagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A flag. Its definition was checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Flag {
    /// Its name in programs.
    pub key: FlagKey,
    /// What it is.
    pub definition: Definition,
    /// Grows by one with each change.
    pub version: i64,
}
