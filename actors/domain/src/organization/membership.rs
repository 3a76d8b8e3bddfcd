//! Who belongs to an organization, and as what. It always has an owner.

use super::changes::parse_user;
use super::{
    ALREADY_MEMBER, ALREADY_OWNER, LAST_OWNER, NOT_AN_OWNER, OrganizationEvent, OrganizationWrite,
    Permission, Standing, UNKNOWN_ORGANIZATION,
};
use crate::audit::Event;
use crate::authorization::RoleKey;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::id::{OrganizationId, UserId};
use crate::input::InvalidInput;
use crate::precondition::Precondition;
use crate::time::Timestamp;

/// A user in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Which organization.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: RoleKey,
    /// Grows by one with each change.
    pub version: i64,
}

/// What a decision about members has to know of their organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roster {
    /// Which organization.
    pub organization: OrganizationId,
    /// How many owners it has.
    pub owners: i64,
}

/// A request to make somebody a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: RoleKey,
}

impl NewMember {
    /// Checks the fields, and tells everything that is wrong with them.
    pub fn parse(user: &str, role: &str) -> Result<Self, Vec<InvalidInput>> {
        match (parse_user("user", user), RoleKey::parse("role", role)) {
            (Ok(user), Ok(role)) => Ok(Self { user, role }),
            (user, role) => Err([user.err(), role.err()].into_iter().flatten().collect()),
        }
    }
}

/// Checks who hands on an ownership to whom, and tells everything that is wrong with it.
pub fn parse_transfer(from: &str, to: &str) -> Result<(UserId, UserId), Vec<InvalidInput>> {
    match (parse_user("from", from), parse_user("to", to)) {
        (Ok(from), Ok(to)) => Ok((from, to)),
        (from, to) => Err([from.err(), to.err()].into_iter().flatten().collect()),
    }
}

fn decision(write: OrganizationWrite, event: OrganizationEvent) -> Decision<()> {
    Decision { writes: vec![Write::Organization(write)], events: vec![Event::Organization(event)], reply: () }
}

/// Makes a user a member. Nobody gives a role that permits more than their own.
pub fn add(
    standing: &Standing,
    organization: OrganizationId,
    present: Option<&Membership>,
    new: NewMember,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    standing.require(Permission::ManageMembers)?;
    standing.require_all_of(&new.role)?;
    if present.is_some() {
        return Err(ALREADY_MEMBER);
    }
    let NewMember { user, role } = new;
    let event = OrganizationEvent::MemberAdded { organization, user, role: role.clone() };
    Ok(decision(OrganizationWrite::InsertMember { organization, user, role, at: now }, event))
}

/// Gives a member another role. What is already so is not written again.
pub fn set_role(
    standing: &Standing,
    roster: Roster,
    member: Membership,
    role: RoleKey,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    standing.require(Permission::ManageMembers)?;
    standing.require_all_of(&member.role)?;
    standing.require_all_of(&role)?;
    precondition.check(member.version)?;
    if member.role == role {
        return Ok(Decision::reply_only(()));
    }
    if member.role.is_owner() && roster.owners <= 1 {
        return Err(LAST_OWNER);
    }
    let event = OrganizationEvent::MemberRoleChanged {
        organization: member.organization,
        user: member.user,
        from: member.role.clone(),
        to: role.clone(),
    };
    Ok(decision(OrganizationWrite::SetRole { member, role, at: now }, event))
}

/// Removes a member. Everybody may leave, but for the last owner. That they left is remembered, unless it is with the user
/// that the membership goes.
pub fn remove(
    standing: &Standing,
    by: Option<UserId>,
    roster: Roster,
    member: Membership,
    departed_at: Option<Timestamp>,
) -> Result<Decision<()>, Denial> {
    if by != Some(member.user) {
        standing.require(Permission::ManageMembers)?;
        standing.require_all_of(&member.role)?;
    }
    if member.role.is_owner() && roster.owners <= 1 {
        return Err(LAST_OWNER);
    }
    let event = OrganizationEvent::MemberRemoved { organization: member.organization, user: member.user };
    Ok(decision(OrganizationWrite::RemoveMember { member, departed_at }, event))
}

/// Makes an owner an admin and another member an owner. Owners hand on their own ownership; the tenant anybody's.
pub fn transfer(
    standing: &Standing,
    by: Option<UserId>,
    from: Membership,
    to: Membership,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    standing.require(Permission::Own)?;
    if by.is_some_and(|by| by != from.user) {
        return Err(super::NOT_PERMITTED);
    }
    if from.organization != to.organization {
        return Err(UNKNOWN_ORGANIZATION);
    }
    if !from.role.is_owner() {
        return Err(NOT_AN_OWNER);
    }
    if to.role.is_owner() {
        return Err(ALREADY_OWNER);
    }
    let organization = from.organization;
    let changed = |member: &Membership, role: RoleKey| {
        let (user, from) = (member.user, member.role.clone());
        OrganizationEvent::MemberRoleChanged { organization, user, from, to: role }
    };
    let events = [
        OrganizationEvent::OwnershipTransferred { organization, from: from.user, to: to.user },
        changed(&from, RoleKey::admin()),
        changed(&to, RoleKey::owner()),
    ];
    Ok(Decision {
        writes: vec![Write::Organization(OrganizationWrite::TransferOwnership { from, to, at: now })],
        events: events.map(Event::Organization).into(),
        reply: (),
    })
}

#[cfg(test)]
mod tests {
    use super::super::NOT_PERMITTED;
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn organization() -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(1))
    }

    fn user(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    fn member(number: u128, role: RoleKey) -> Membership {
        Membership { organization: organization(), user: user(number), role, version: 1 }
    }

    fn roster(owners: i64) -> Roster {
        Roster { organization: organization(), owners }
    }

    const NOW: Timestamp = Timestamp::from_millis(9);

    #[test]
    fn the_last_owner_is_neither_removed_nor_demoted_nor_may_leave() {
        let (tenant, owner) = (Standing::Tenant, RoleKey::owner());
        let last = || member(7, owner.clone());
        assert_eq!(remove(&tenant, None, roster(1), last(), Some(NOW)).expect_err("last"), LAST_OWNER);
        let leaving = remove(&Standing::Member(owner.clone()), Some(user(7)), roster(1), last(), Some(NOW));
        assert_eq!(leaving.expect_err("last"), LAST_OWNER);
        let demoted = set_role(&tenant, roster(1), last(), RoleKey::member(), &Precondition::None, NOW);
        assert_eq!(demoted.expect_err("last"), LAST_OWNER);
        assert!(remove(&tenant, None, roster(2), last(), Some(NOW)).is_ok());
    }

    #[test]
    fn members_leave_by_themselves_and_are_removed_by_those_who_manage_them() {
        let as_member = Standing::Member(RoleKey::member());
        let leaving = remove(&as_member, Some(user(7)), roster(1), member(7, RoleKey::member()), Some(NOW));
        assert!(leaving.is_ok());
        let removing = remove(&as_member, Some(user(7)), roster(1), member(8, RoleKey::member()), Some(NOW));
        assert_eq!(removing.expect_err("refused"), NOT_PERMITTED);
        let admin = Standing::Member(RoleKey::admin());
        let removing = remove(&admin, Some(user(7)), roster(2), member(8, RoleKey::owner()), Some(NOW));
        assert_eq!(removing.expect_err("refused"), NOT_PERMITTED);
    }

    #[test]
    fn an_ownership_is_handed_on_by_its_owner_to_another_member() {
        let owner = Standing::Member(RoleKey::owner());
        let (from, to) = (member(1, RoleKey::owner()), member(2, RoleKey::member()));
        let transfer = |standing: &Standing, by, from: &Membership, to: &Membership| {
            transfer(standing, by, from.clone(), to.clone(), NOW).map(|decision| decision.writes.len())
        };
        assert_eq!(transfer(&owner, Some(user(1)), &from, &to), Ok(1));
        assert_eq!(transfer(&Standing::Tenant, None, &from, &to), Ok(1));
        assert_eq!(transfer(&owner, Some(user(3)), &from, &to), Err(NOT_PERMITTED));
        assert_eq!(transfer(&Standing::Tenant, None, &to, &from), Err(NOT_AN_OWNER));
        assert_eq!(transfer(&Standing::Tenant, None, &from, &from), Err(ALREADY_OWNER));
        let admin = Standing::Member(RoleKey::admin());
        assert_eq!(transfer(&admin, Some(user(1)), &from, &to), Err(NOT_PERMITTED));
    }

    fn role() -> impl Strategy<Value = RoleKey> {
        prop_oneof![Just(RoleKey::owner()), Just(RoleKey::admin()), Just(RoleKey::member())]
    }

    proptest! {
        /// Whoever does whatever: where an owner goes, another one stays.
        #[test]
        fn no_allowed_change_leaves_an_organization_without_an_owner(
            standing in prop_oneof![Just(Standing::Tenant), role().prop_map(Standing::Member)],
            by in prop::option::of(1_u128..4),
            owners in 1_i64..3,
            (who, before) in (1_u128..4, role()),
            after in prop::option::of(role()),
        ) {
            let (by, target) = (by.map(user), member(who, before.clone()));
            let allowed = match after.clone() {
                Some(role) => set_role(&standing, roster(owners), target, role, &Precondition::None, NOW),
                None => remove(&standing, by, roster(owners), target, Some(NOW)),
            };
            let loses = before.is_owner() && after.as_ref().is_none_or(|role| !role.is_owner());
            if allowed.is_ok() && loses {
                prop_assert!(owners > 1);
            }
        }
    }
}
