use super::{PolicyEvent, PolicySource};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::precondition::Precondition;
use crate::time::Timestamp;

/// Versions of a tenant.
pub const MOST_VERSIONS: u32 = 100;

/// There is no such version.
pub const UNKNOWN_POLICY_VERSION: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_policy_version",
    "Unknown policy version",
    "the tenant's policies have no such version",
);
/// The version is the active one.
pub const POLICY_VERSION_ACTIVE: Denial = Denial::new(
    DenialKind::Conflict,
    "policy_version_active",
    "Policy version active",
    "the version is active; activate another one, or none, first",
);
/// The tenant has as many versions as it may.
pub const TOO_MANY_POLICY_VERSIONS: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_policy_versions",
    "Too many policy versions",
    "a tenant keeps at most 100 versions of its policies; delete old ones",
);

/// What is known of the policies of a tenant as a whole; all zero before the first version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PolicyState {
    /// Number of the newest version there ever was.
    pub latest: i64,
    /// Number of the active one.
    pub active: Option<i64>,
    /// How often another one became active: the version of that choice.
    pub activations: i64,
    /// Grows by one with each change; fences them.
    pub version: i64,
}

/// A change of what is stored about policies.
#[derive(Debug)]
pub enum PolicyWrite {
    /// The set is as it stands here, with the version the decision saw.
    Set {
        /// The set.
        set: PolicyState,
        /// When.
        at: Timestamp,
    },
    /// A new version.
    InsertVersion {
        /// Its number.
        version: i64,
        /// What it is made of.
        source: PolicySource,
        /// What it is for.
        note: String,
        /// How many policies it has.
        count: usize,
        /// When.
        at: Timestamp,
    },
    /// A version is gone.
    DeleteVersion {
        /// Its number.
        version: i64,
    },
}

/// Stores a validated version, where there are `present` others.
pub fn create_version(
    set: PolicyState,
    present: u32,
    source: PolicySource,
    note: String,
    count: usize,
    at: Timestamp,
) -> Result<Decision<i64>, Denial> {
    if present >= MOST_VERSIONS {
        return Err(TOO_MANY_POLICY_VERSIONS);
    }
    let version = set.latest + 1;
    let set = PolicyState { latest: version, ..set };
    Ok(Decision {
        writes: vec![
            Write::Policy(PolicyWrite::Set { set, at }),
            Write::Policy(PolicyWrite::InsertVersion { version, source, note, count, at }),
        ],
        events: vec![Event::Policy(PolicyEvent::VersionCreated { version })],
        reply: version,
    })
}

/// Makes a version the active one, or none. Whether the version is there, the caller looked in the same breath: removing
/// one moves the set on. What is already so is not written again.
pub fn activate(
    set: PolicyState,
    wanted: Option<i64>,
    is_there: bool,
    precondition: &Precondition,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    precondition.check(set.activations)?;
    if wanted.is_some() && !is_there {
        return Err(UNKNOWN_POLICY_VERSION);
    }
    if wanted == set.active {
        return Ok(Decision::reply_only(()));
    }
    let event = PolicyEvent::Activated { version: wanted, previous: set.active };
    let set = PolicyState { active: wanted, activations: set.activations + 1, ..set };
    Ok(Decision {
        writes: vec![Write::Policy(PolicyWrite::Set { set, at })],
        events: vec![Event::Policy(event)],
        reply: (),
    })
}

/// Removes a version that is not active. Its number is not used again.
pub fn delete_version(
    set: PolicyState,
    version: i64,
    is_there: bool,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    if !is_there {
        return Err(UNKNOWN_POLICY_VERSION);
    }
    if set.active == Some(version) {
        return Err(POLICY_VERSION_ACTIVE);
    }
    Ok(Decision {
        writes: vec![
            Write::Policy(PolicyWrite::Set { set, at }),
            Write::Policy(PolicyWrite::DeleteVersion { version }),
        ],
        events: vec![Event::Policy(PolicyEvent::VersionDeleted { version })],
        reply: (),
    })
}
