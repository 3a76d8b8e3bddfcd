use crate::NodeId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something other nodes should know soon. It is a hint: what is true stands in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A committed change that other nodes may have in memory.
    Changed {
        /// The tenant; nil for the platform.
        scope: Uuid,
        /// Name of the ledger's event, such as `session.revoked`.
        event: String,
        /// What it happened to: an id as the ledger has it.
        subject: String,
    },
    /// A subscription has something to deliver.
    Wake {
        /// Its tenant.
        tenant: Uuid,
        /// The subscription.
        subscription: Uuid,
    },
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Another node's notice.
    Notice {
        /// Who announced it.
        from: NodeId,
        /// What.
        notice: Notice,
    },
    /// Notices were missed, or may have been: read the ledgers.
    Gap,
}
