//! Making, changing and removing roles.

use super::catalogue::RoleCatalogue;
use super::events::AuthorizationEvent;
use super::grant::Grant;
use super::role::{Role, RoleChange, RoleDraft};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{GrantId, RoleId};
use crate::precondition::Precondition;
use crate::time::Timestamp;

/// Roles of a tenant.
const MOST_ROLES: usize = 200;

/// There is no such role.
pub const UNKNOWN_ROLE: Denial =
    Denial::new(DenialKind::Unknown, "unknown_role", "Unknown role", "there is no such role in the tenant");
/// Another role has this key.
pub const ROLE_KEY_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "role_key_taken",
    "Role key taken",
    "another role of the tenant has this key; choose another",
);
/// A role would inherit from itself.
pub const ROLE_CYCLE: Denial = Denial::new(
    DenialKind::Conflict,
    "role_cycle",
    "Roles in a circle",
    "the role would inherit from itself; leave out one of the roles it inherits from",
);
/// A path of inheritance would be too long.
pub const ROLE_TOO_DEEP: Denial = Denial::new(
    DenialKind::Conflict,
    "role_too_deep",
    "Inheritance too deep",
    "a path of inheritance has at most 8 roles",
);
/// A role would come to too many permissions.
pub const ROLE_TOO_LARGE: Denial = Denial::new(
    DenialKind::Conflict,
    "role_too_large",
    "Role too large",
    "a role comes to at most 500 permissions with all it inherits; use `resource:*`, or more roles",
);
/// A role would inherit from one that is not there.
pub const ROLE_UNKNOWN_PARENT: Denial = Denial::new(
    DenialKind::Conflict,
    "unknown_inherited_role",
    "Unknown inherited role",
    "one of the roles in `inherits` does not exist; create it first",
);
/// A role would inherit from, or be granted at, another level.
pub const ROLE_LEVEL: Denial = Denial::new(
    DenialKind::Conflict,
    "role_level",
    "Wrong level",
    "roles inherit from roles of their own level; tenant roles are granted in the tenant, organization roles in an organization, both on resources",
);
/// A role is granted, or inherited from.
pub const ROLE_IN_USE: Denial = Denial::new(
    DenialKind::Conflict,
    "role_in_use",
    "Role in use",
    "the role is granted to somebody or inherited by another role; remove that first",
);
/// The tenant has as many roles as it may.
pub const TOO_MANY_ROLES: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_roles",
    "Too many roles",
    "a tenant has at most 200 roles; remove some first",
);

/// A change of what is stored for authorization.
#[derive(Debug)]
pub enum AuthorizationWrite {
    /// The set of roles moves to its next version. Every change of a role does so, because whether a role is good
    /// depends on all of them; of two changes at once one is refused.
    AdvanceRoles {
        /// The version the decision saw; 0 is that of a tenant that never had a role.
        expected_version: i64,
    },
    /// A new role.
    InsertRole {
        /// The role.
        role: Role,
        /// When.
        at: Timestamp,
    },
    /// A role is as it stands here.
    ReplaceRole {
        /// The role, with the version the decision saw.
        role: Role,
        /// When.
        at: Timestamp,
    },
    /// A role is gone.
    DeleteRole {
        /// Which.
        role: RoleId,
        /// Version of the role the decision saw.
        expected_version: i64,
    },
    /// A new grant, in place of the same one if that has expired.
    InsertGrant {
        /// The grant.
        grant: Grant,
        /// When.
        at: Timestamp,
    },
    /// A grant is gone.
    DeleteGrant {
        /// Which.
        grant: GrantId,
    },
}

/// All roles of a tenant, as a decision about one of them sees them.
#[derive(Debug, Clone, Copy)]
pub struct Roles<'r> {
    /// The roles.
    pub catalogue: &'r RoleCatalogue,
    /// Version of the set.
    pub version: i64,
}

impl Roles<'_> {
    fn decision<R>(
        &self,
        write: AuthorizationWrite,
        event: AuthorizationEvent,
        reply: R,
    ) -> Result<Decision<R>, Denial> {
        let advance = AuthorizationWrite::AdvanceRoles { expected_version: self.version };
        let writes = vec![Write::Authorization(advance), Write::Authorization(write)];
        Ok(Decision { writes, events: vec![Event::Authorization(event)], reply })
    }

    /// Makes a role.
    pub fn create(&self, id: RoleId, draft: RoleDraft, at: Timestamp) -> Result<Decision<RoleId>, Denial> {
        let RoleDraft { key, name, description, level, permissions, inherits } = draft;
        if self.catalogue.by_key(key.as_str()).is_some() {
            return Err(ROLE_KEY_TAKEN);
        }
        if self.catalogue.len() >= MOST_ROLES {
            return Err(TOO_MANY_ROLES);
        }
        let role = Role { id, key, name, description, level, permissions, inherits, version: 1 };
        self.catalogue.admit(&role)?;
        let event = AuthorizationEvent::RoleCreated { role: id };
        self.decision(AuthorizationWrite::InsertRole { role, at }, event, id)
    }

    /// Changes a role. What is already so is not written again.
    pub fn change(
        &self,
        id: RoleId,
        change: RoleChange,
        precondition: &Precondition,
        at: Timestamp,
    ) -> Result<Decision<()>, Denial> {
        let present = self.catalogue.get(id).ok_or(UNKNOWN_ROLE)?;
        precondition.check(present.version)?;
        let mut role = present.clone();
        let mut fields = Vec::new();
        set(&mut role.name, change.name, "name", &mut fields);
        set(&mut role.description, change.description, "description", &mut fields);
        set(&mut role.permissions, change.permissions, "permissions", &mut fields);
        set(&mut role.inherits, change.inherits, "inherits", &mut fields);
        if fields.is_empty() {
            return Ok(Decision::reply_only(()));
        }
        self.catalogue.admit(&role)?;
        let event = AuthorizationEvent::RoleChanged { role: id, fields };
        self.decision(AuthorizationWrite::ReplaceRole { role, at }, event, ())
    }

    /// Removes a role that nobody has and no other inherits from.
    pub fn delete(
        &self,
        id: RoleId,
        is_granted: bool,
        precondition: &Precondition,
    ) -> Result<Decision<()>, Denial> {
        let role = self.catalogue.get(id).ok_or(UNKNOWN_ROLE)?;
        precondition.check(role.version)?;
        if is_granted || self.catalogue.roles().any(|other| other.inherits.contains(&role.key)) {
            return Err(ROLE_IN_USE);
        }
        let write = AuthorizationWrite::DeleteRole { role: id, expected_version: role.version };
        self.decision(write, AuthorizationEvent::RoleDeleted { role: id }, ())
    }
}

fn set<T: PartialEq>(field: &mut T, wanted: Option<T>, name: &'static str, changed: &mut Vec<&'static str>) {
    if let Some(wanted) = wanted.filter(|wanted| wanted != field) {
        *field = wanted;
        changed.push(name);
    }
}
