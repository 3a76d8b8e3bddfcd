//! Events of invitations, as the audit ledger records them.

use crate::authorization::RoleKey;
use crate::id::{InvitationId, OrganizationId, UserId};
use serde_json::{Value, json};

/// Something that happened to an invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvitationEvent {
    /// Somebody was invited.
    Created {
        /// Which.
        invitation: InvitationId,
        /// To which organization.
        organization: OrganizationId,
        /// As what.
        role: RoleKey,
    },
    /// It was sent once more.
    Resent {
        /// Which.
        invitation: InvitationId,
        /// To which organization.
        organization: OrganizationId,
    },
    /// It was taken back.
    Revoked {
        /// Which.
        invitation: InvitationId,
        /// To which organization.
        organization: OrganizationId,
    },
    /// The person became a member.
    Accepted {
        /// Which.
        invitation: InvitationId,
        /// To which organization.
        organization: OrganizationId,
        /// Who.
        user: UserId,
    },
    /// The person does not want to.
    Declined {
        /// Which.
        invitation: InvitationId,
        /// To which organization.
        organization: OrganizationId,
    },
}

impl InvitationEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "organization.invitation.created",
            Self::Resent { .. } => "organization.invitation.resent",
            Self::Revoked { .. } => "organization.invitation.revoked",
            Self::Accepted { .. } => "organization.invitation.accepted",
            Self::Declined { .. } => "organization.invitation.declined",
        }
    }

    /// The invitation.
    pub fn subject(&self) -> String {
        match self {
            Self::Created { invitation, .. }
            | Self::Resent { invitation, .. }
            | Self::Revoked { invitation, .. }
            | Self::Accepted { invitation, .. }
            | Self::Declined { invitation, .. } => invitation.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Created { organization, role, .. } => {
                json!({ "organization": organization, "role": role.as_str() })
            }
            Self::Resent { organization, .. }
            | Self::Revoked { organization, .. }
            | Self::Declined { organization, .. } => json!({ "organization": organization }),
            Self::Accepted { organization, user, .. } => {
                json!({ "organization": organization, "user": user })
            }
        }
    }
}
