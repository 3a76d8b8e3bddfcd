//! Events of domains, as the audit ledger records them. The domain itself is not among the facts: it may be a name.

use crate::id::{DomainId, OrganizationId, UserId};
use serde_json::{Value, json};

/// Something that happened to a domain of an organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DomainEvent {
    /// It is claimed.
    Claimed {
        /// Which.
        domain: DomainId,
        /// By which organization.
        organization: OrganizationId,
    },
    /// It does something else from now on.
    Changed {
        /// Which.
        domain: DomainId,
        /// Of which organization.
        organization: OrganizationId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// It was proved.
    Verified {
        /// Which.
        domain: DomainId,
        /// Of which organization.
        organization: OrganizationId,
    },
    /// It is no longer claimed.
    Removed {
        /// Which.
        domain: DomainId,
        /// Of which organization.
        organization: OrganizationId,
    },
    /// Somebody became a member by it.
    Admitted {
        /// Which.
        domain: DomainId,
        /// Of which organization.
        organization: OrganizationId,
        /// Who.
        user: UserId,
    },
}

impl DomainEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "organization.domain.claimed",
            Self::Changed { .. } => "organization.domain.changed",
            Self::Verified { .. } => "organization.domain.verified",
            Self::Removed { .. } => "organization.domain.removed",
            Self::Admitted { .. } => "organization.domain.admitted",
        }
    }

    /// The domain's id.
    pub fn subject(&self) -> String {
        match self {
            Self::Claimed { domain, .. }
            | Self::Changed { domain, .. }
            | Self::Verified { domain, .. }
            | Self::Removed { domain, .. }
            | Self::Admitted { domain, .. } => domain.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Claimed { organization, .. }
            | Self::Verified { organization, .. }
            | Self::Removed { organization, .. } => json!({ "organization": organization }),
            Self::Changed { organization, fields, .. } => {
                json!({ "organization": organization, "fields": fields })
            }
            Self::Admitted { organization, user, .. } => {
                json!({ "organization": organization, "user": user })
            }
        }
    }
}
