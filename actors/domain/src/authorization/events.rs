use super::grant::Subject;
use crate::id::{GrantId, RoleId};
use serde_json::{Value, json};

/// Something that happened to roles and grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthorizationEvent {
    /// A role was made.
    RoleCreated {
        /// Which.
        role: RoleId,
    },
    /// A role was changed.
    RoleChanged {
        /// Which.
        role: RoleId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// A role was removed.
    RoleDeleted {
        /// Which.
        role: RoleId,
    },
    /// Somebody was granted something.
    GrantCreated {
        /// Which grant.
        grant: GrantId,
        /// To whom.
        subject: Subject,
    },
    /// A grant was taken back.
    GrantDeleted {
        /// Which grant.
        grant: GrantId,
        /// Whose it was.
        subject: Subject,
    },
}

impl AuthorizationEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RoleCreated { .. } => "role.created",
            Self::RoleChanged { .. } => "role.changed",
            Self::RoleDeleted { .. } => "role.deleted",
            Self::GrantCreated { .. } => "grant.created",
            Self::GrantDeleted { .. } => "grant.deleted",
        }
    }

    /// What the event is about. A grant is told of its subject, so that other nodes know whose rights changed.
    pub fn subject(&self) -> String {
        match self {
            Self::RoleCreated { role } | Self::RoleChanged { role, .. } | Self::RoleDeleted { role } => {
                role.to_string()
            }
            Self::GrantCreated { subject, .. } | Self::GrantDeleted { subject, .. } => subject.id_text(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::RoleCreated { .. } | Self::RoleDeleted { .. } => json!({}),
            Self::RoleChanged { fields, .. } => json!({ "fields": fields }),
            Self::GrantCreated { grant, .. } | Self::GrantDeleted { grant, .. } => json!({ "grant": grant }),
        }
    }

    /// Whether other nodes may have in memory what it changed: roles and grants are kept for checks, so all do.
    pub const fn concerns_other_nodes(&self) -> bool {
        true
    }
}
