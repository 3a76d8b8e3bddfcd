//! Changes of organizations, as decisions ask for them.

use super::domain::DomainWrite;
use super::invitation::InvitationWrite;
use super::{Membership, OrganizationPolicy, OrganizationSlug};
use crate::authorization::RoleKey;
use crate::id::{OrganizationId, UserId};
use crate::metadata::Metadata;
use crate::name::DisplayName;
use crate::time::Timestamp;

/// One change of an organization or of what belongs to it.
#[derive(Debug)]
pub enum OrganizationWrite {
    /// A new organization with its first owner.
    Insert {
        /// Which.
        organization: OrganizationId,
        /// Unique in the tenant.
        slug: OrganizationSlug,
        /// Its name for people.
        name: DisplayName,
        /// What the tenant keeps with it.
        metadata: Metadata,
        /// Its first owner.
        owner: UserId,
        /// When.
        at: Timestamp,
    },
    /// Its slug, name and metadata.
    Update {
        /// Which.
        organization: OrganizationId,
        /// Unique in the tenant.
        slug: OrganizationSlug,
        /// Its name for people.
        name: DisplayName,
        /// What the tenant keeps with it.
        metadata: Metadata,
        /// Version of the organization the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// What it asks of sessions that are active in it.
    SetPolicy {
        /// Whose.
        organization: OrganizationId,
        /// The policy.
        policy: OrganizationPolicy,
        /// Version of the policy the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// The organization goes, with all that belongs to it.
    Delete {
        /// Which.
        organization: OrganizationId,
        /// Version of the organization the decision saw.
        expected_version: i64,
    },
    /// A new member.
    InsertMember {
        /// Of which organization.
        organization: OrganizationId,
        /// Who.
        user: UserId,
        /// As what.
        role: RoleKey,
        /// When.
        at: Timestamp,
    },
    /// A member's role; refused where it would leave no owner.
    SetRole {
        /// The member as the decision saw it.
        member: Membership,
        /// The new role.
        role: RoleKey,
        /// When.
        at: Timestamp,
    },
    /// A member goes; refused where it would leave no owner.
    RemoveMember {
        /// The member as the decision saw it.
        member: Membership,
        /// When they left, which is remembered; nothing is of a user who goes altogether.
        departed_at: Option<Timestamp>,
    },
    /// An owner becomes an admin, and another member an owner.
    TransferOwnership {
        /// The owner as the decision saw it.
        from: Membership,
        /// The member as the decision saw it.
        to: Membership,
        /// When.
        at: Timestamp,
    },
    /// Of an invitation.
    Invitation(InvitationWrite),
    /// Of a domain.
    Domain(DomainWrite),
}
