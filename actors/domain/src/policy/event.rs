use serde_json::{Value, json};

/// Something that happened to the policies of a tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyEvent {
    /// A version was stored.
    VersionCreated {
        /// Its number.
        version: i64,
    },
    /// A version was removed.
    VersionDeleted {
        /// Its number.
        version: i64,
    },
    /// Another version is active, or none.
    Activated {
        /// Its number.
        version: Option<i64>,
        /// The one that was.
        previous: Option<i64>,
    },
}

impl PolicyEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::VersionCreated { .. } => "policy.version_created",
            Self::VersionDeleted { .. } => "policy.version_deleted",
            Self::Activated { .. } => "policy.activated",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::VersionCreated { version } | Self::VersionDeleted { version } => {
                format!("policies:{version}")
            }
            Self::Activated { .. } => "policies".to_owned(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::VersionCreated { .. } | Self::VersionDeleted { .. } => json!({}),
            Self::Activated { version, previous } => json!({ "version": version, "previous": previous }),
        }
    }

    /// Whether other nodes may have in memory what it changed: only what is active is kept.
    pub const fn concerns_other_nodes(&self) -> bool {
        matches!(self, Self::Activated { .. })
    }
}
