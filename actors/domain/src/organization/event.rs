//! Events of organizations, as the audit ledger records them.

use super::domain::DomainEvent;
use super::invitation::InvitationEvent;
use crate::authorization::RoleKey;
use crate::id::{OrganizationId, UserId};
use serde_json::{Value, json};

/// Something that happened to an organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrganizationEvent {
    /// An organization was created.
    Created {
        /// Which.
        organization: OrganizationId,
        /// Its first owner.
        owner: UserId,
    },
    /// Something about it was changed.
    Changed {
        /// Which.
        organization: OrganizationId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// What it asks of sessions that are active in it was changed.
    PolicyChanged {
        /// Which.
        organization: OrganizationId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// It was deleted.
    Deleted {
        /// Which.
        organization: OrganizationId,
    },
    /// Somebody became a member.
    MemberAdded {
        /// Of which organization.
        organization: OrganizationId,
        /// Who.
        user: UserId,
        /// As what.
        role: RoleKey,
    },
    /// A member has another role.
    MemberRoleChanged {
        /// Of which organization.
        organization: OrganizationId,
        /// Who.
        user: UserId,
        /// The role before.
        from: RoleKey,
        /// The role now.
        to: RoleKey,
    },
    /// Somebody is no member any more.
    MemberRemoved {
        /// Of which organization.
        organization: OrganizationId,
        /// Who.
        user: UserId,
    },
    /// An owner handed the organization to another member.
    OwnershipTransferred {
        /// Of which organization.
        organization: OrganizationId,
        /// Who was an owner.
        from: UserId,
        /// Who is one now.
        to: UserId,
    },
    /// Something about an invitation.
    Invitation(InvitationEvent),
    /// Something about a domain.
    Domain(DomainEvent),
}

impl OrganizationEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "organization.created",
            Self::Changed { .. } => "organization.changed",
            Self::PolicyChanged { .. } => "organization.policy.changed",
            Self::Deleted { .. } => "organization.deleted",
            Self::MemberAdded { .. } => "organization.member.added",
            Self::MemberRoleChanged { .. } => "organization.member.role_changed",
            Self::MemberRemoved { .. } => "organization.member.removed",
            Self::OwnershipTransferred { .. } => "organization.ownership.transferred",
            Self::Invitation(event) => event.name(),
            Self::Domain(event) => event.name(),
        }
    }

    /// The organization, or the user whose membership it is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Created { organization, .. }
            | Self::Changed { organization, .. }
            | Self::PolicyChanged { organization, .. }
            | Self::Deleted { organization }
            | Self::OwnershipTransferred { organization, .. } => organization.to_string(),
            Self::MemberAdded { user, .. }
            | Self::MemberRoleChanged { user, .. }
            | Self::MemberRemoved { user, .. } => user.to_string(),
            Self::Invitation(event) => event.subject(),
            Self::Domain(event) => event.subject(),
        }
    }

    /// Whether other nodes hold rights in memory that it changes.
    pub const fn concerns_other_nodes(&self) -> bool {
        match self {
            Self::MemberAdded { .. }
            | Self::MemberRoleChanged { .. }
            | Self::MemberRemoved { .. }
            | Self::Deleted { .. } => true,
            // A policy is read when a decision needs it, and nobody keeps it.
            Self::Created { .. }
            | Self::Changed { .. }
            | Self::PolicyChanged { .. }
            | Self::OwnershipTransferred { .. }
            | Self::Invitation(_)
            | Self::Domain(_) => false,
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Created { owner, .. } => json!({ "owner": owner }),
            Self::Changed { fields, .. } | Self::PolicyChanged { fields, .. } => json!({ "fields": fields }),
            Self::Deleted { .. } => json!({}),
            Self::MemberAdded { organization, role, .. } => {
                json!({ "organization": organization, "role": role.as_str() })
            }
            Self::MemberRoleChanged { organization, from, to, .. } => {
                json!({ "organization": organization, "from": from.as_str(), "to": to.as_str() })
            }
            Self::MemberRemoved { organization, .. } => json!({ "organization": organization }),
            Self::OwnershipTransferred { from, to, .. } => json!({ "from": from, "to": to }),
            Self::Invitation(event) => event.data(),
            Self::Domain(event) => event.data(),
        }
    }
}
