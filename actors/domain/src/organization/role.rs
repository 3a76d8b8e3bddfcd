//! Roles in an organization, and what they permit.

use super::{NOT_PERMITTED, UNKNOWN_ORGANIZATION};
use crate::authorization::RoleKey;
use crate::denial::Denial;

/// What a member may do in an organization.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Permission {
    /// See the organization.
    ReadOrganization,
    /// Change its name, slug and metadata.
    ChangeOrganization,
    /// Change what it asks of sessions that are active in it.
    ChangePolicy,
    /// Delete it.
    DeleteOrganization,
    /// See its members.
    ReadMembers,
    /// Add, change and remove members, and invite people.
    ManageMembers,
    /// Own it: what only owners do with other owners.
    Own,
}

impl Permission {
    /// As `resource:action`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOrganization => "organization:read",
            Self::ChangeOrganization => "organization:write",
            Self::ChangePolicy => "policy:write",
            Self::DeleteOrganization => "organization:delete",
            Self::ReadMembers => "members:read",
            Self::ManageMembers => "members:write",
            Self::Own => "organization:own",
        }
    }
}

const OWNER: &[Permission] = &[
    Permission::ReadOrganization,
    Permission::ChangeOrganization,
    Permission::ChangePolicy,
    Permission::DeleteOrganization,
    Permission::ReadMembers,
    Permission::ManageMembers,
    Permission::Own,
];
const ADMIN: &[Permission] = &[
    Permission::ReadOrganization,
    Permission::ChangeOrganization,
    Permission::ChangePolicy,
    Permission::ReadMembers,
    Permission::ManageMembers,
];
const MEMBER: &[Permission] = &[Permission::ReadOrganization, Permission::ReadMembers];

/// A role every tenant has.
fn built_in(key: &str) -> RoleKey {
    RoleKey::parse("role", key).expect("a key of a good form")
}

/// What a role is in an organization: `owner`, `admin`, `member`, or one of the tenant's own.
impl RoleKey {
    /// The role of owners.
    pub fn owner() -> Self {
        built_in("owner")
    }

    /// The role of those who administer for the owners.
    pub fn admin() -> Self {
        built_in("admin")
    }

    /// The role of everybody else.
    pub fn member() -> Self {
        built_in("member")
    }

    /// Whether every tenant has this role.
    pub fn is_built_in(&self) -> bool {
        matches!(self.as_str(), "owner" | "admin" | "member")
    }

    /// Whether it is the role of owners.
    pub fn is_owner(&self) -> bool {
        self.as_str() == "owner"
    }

    /// What it permits in the organization itself. A role of the tenant's own permits there what every member may;
    /// what else it grants is for the tenant's own resources.
    pub fn permissions(&self) -> &'static [Permission] {
        match self.as_str() {
            "owner" => OWNER,
            "admin" => ADMIN,
            _ => MEMBER,
        }
    }
}

/// What somebody who asks for something is to an organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The tenant itself, by a key with the right to it.
    Tenant,
    /// A member.
    Member(RoleKey),
    /// Nobody: they must not learn that the organization exists.
    Stranger,
}

impl Standing {
    /// Refuses those who may not.
    pub fn require(&self, permission: Permission) -> Result<(), Denial> {
        match self {
            Self::Tenant => Ok(()),
            Self::Member(role) if role.permissions().contains(&permission) => Ok(()),
            Self::Member(_) => Err(NOT_PERMITTED),
            Self::Stranger => Err(UNKNOWN_ORGANIZATION),
        }
    }

    /// Refuses to give or take a role that permits what they may not do themselves.
    pub fn require_all_of(&self, role: &RoleKey) -> Result<(), Denial> {
        role.permissions().iter().try_for_each(|permission| self.require(*permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_built_in_role_permits_what_the_next_one_does_and_more() {
        for (greater, lesser) in [(OWNER, ADMIN), (ADMIN, MEMBER)] {
            assert!(lesser.iter().all(|permission| greater.contains(permission)));
            assert!(greater.len() > lesser.len());
        }
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        let (owner, admin, member) = (RoleKey::owner(), RoleKey::admin(), RoleKey::member());
        let standing = |role: &RoleKey| Standing::Member(role.clone());
        assert_eq!(Standing::Tenant.require_all_of(&owner), Ok(()));
        assert_eq!(standing(&owner).require_all_of(&owner), Ok(()));
        assert_eq!(standing(&admin).require_all_of(&owner), Err(NOT_PERMITTED));
        assert_eq!(standing(&admin).require_all_of(&admin), Ok(()));
        assert_eq!(standing(&member).require_all_of(&admin), Err(NOT_PERMITTED));
        assert_eq!(Standing::Stranger.require(Permission::ReadOrganization), Err(UNKNOWN_ORGANIZATION));
    }
}
