use super::{Definition, Flag, FlagEvent, FlagKey};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::precondition::Precondition;
use crate::time::Timestamp;

/// Flags of a tenant. Two made at once may pass it by one.
pub const MOST_FLAGS: usize = 500;

/// There is no such flag.
pub const UNKNOWN_FLAG: Denial =
    Denial::new(DenialKind::Unknown, "unknown_flag", "Unknown flag", "there is no such flag in the tenant");
/// Another flag has this key.
pub const FLAG_KEY_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "flag_key_taken",
    "Flag key taken",
    "another flag of the tenant has this key; choose another",
);
/// The tenant has as many flags as it may.
pub const TOO_MANY_FLAGS: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_flags",
    "Too many flags",
    "a tenant has at most 500 flags; delete those that nothing asks for any more",
);

/// A change of what is stored about flags.
#[derive(Debug)]
pub enum FlagWrite {
    /// A new flag.
    Insert {
        /// The flag.
        flag: Flag,
        /// When.
        at: Timestamp,
    },
    /// A flag is as it stands here.
    Replace {
        /// The flag, with the version the decision saw.
        flag: Flag,
        /// When.
        at: Timestamp,
    },
    /// A flag is gone.
    Delete {
        /// Which.
        flag: FlagKey,
        /// Version the decision saw.
        expected_version: i64,
    },
}

fn decision(write: FlagWrite, event: FlagEvent) -> Decision<()> {
    Decision { writes: vec![Write::Flag(write)], events: vec![Event::Flag(event)], reply: () }
}

/// Makes a flag, where there are `present` others.
pub fn create(
    key: FlagKey,
    definition: Definition,
    present: usize,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    if present >= MOST_FLAGS {
        return Err(TOO_MANY_FLAGS);
    }
    let event = FlagEvent::Created { flag: key.clone() };
    Ok(decision(FlagWrite::Insert { flag: Flag { key, definition, version: 1 }, at }, event))
}

/// Gives a flag another definition, which changes `fields` of it. What is already so is not written again.
pub fn change(
    flag: &Flag,
    definition: Definition,
    fields: Vec<&'static str>,
    precondition: &Precondition,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    precondition.check(flag.version)?;
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let event = FlagEvent::Changed { flag: flag.key.clone(), fields };
    Ok(decision(FlagWrite::Replace { flag: Flag { definition, ..flag.clone() }, at }, event))
}

/// Removes a flag.
pub fn delete(flag: &Flag, precondition: &Precondition) -> Result<Decision<()>, Denial> {
    precondition.check(flag.version)?;
    let write = FlagWrite::Delete { flag: flag.key.clone(), expected_version: flag.version };
    Ok(decision(write, FlagEvent::Deleted { flag: flag.key.clone() }))
}
