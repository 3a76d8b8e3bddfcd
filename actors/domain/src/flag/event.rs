use super::FlagKey;
use serde_json::{Value, json};

/// Something that happened to a flag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FlagEvent {
    /// It was made.
    Created {
        /// Which.
        flag: FlagKey,
    },
    /// It was changed.
    Changed {
        /// Which.
        flag: FlagKey,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// It was removed.
    Deleted {
        /// Which.
        flag: FlagKey,
    },
}

impl FlagEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "flag.created",
            Self::Changed { .. } => "flag.changed",
            Self::Deleted { .. } => "flag.deleted",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Created { flag } | Self::Changed { flag, .. } | Self::Deleted { flag } => flag.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Changed { fields, .. } => json!({ "fields": fields }),
            Self::Created { .. } | Self::Deleted { .. } => json!({}),
        }
    }

    /// Whether other nodes may have in memory what it changed: flags are kept for evaluations, so all do.
    pub const fn concerns_other_nodes(&self) -> bool {
        true
    }
}
