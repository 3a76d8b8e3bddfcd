//! What happens to imports and exports, as the audit ledger records it.

use super::Tally;
use crate::id::{ImportId, TenantId};
use serde_json::{Value, json};

/// Something that happened to an import, or an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportEvent {
    /// It began.
    Started {
        /// Which.
        import: ImportId,
        /// Whether it imports nobody.
        dry_run: bool,
    },
    /// All lines were there.
    Completed {
        /// Which.
        import: ImportId,
        /// What came of them.
        tally: Tally,
    },
    /// It was given up.
    Cancelled {
        /// Which.
        import: ImportId,
        /// What came of its lines until then.
        tally: Tally,
    },
    /// All users of the tenant were read.
    Exported {
        /// Whose.
        tenant: TenantId,
        /// Whether the hashes of their passwords were, too.
        password_hashes: bool,
    },
}

impl ImportEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "user_import.started",
            Self::Completed { .. } => "user_import.completed",
            Self::Cancelled { .. } => "user_import.cancelled",
            Self::Exported { .. } => "users.exported",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Started { import, .. }
            | Self::Completed { import, .. }
            | Self::Cancelled { import, .. } => import.to_string(),
            Self::Exported { tenant, .. } => tenant.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Started { dry_run, .. } => json!({ "dry_run": dry_run }),
            Self::Completed { tally, .. } | Self::Cancelled { tally, .. } => json!({
                "lines": tally.lines,
                "imported": tally.imported,
                "skipped": tally.skipped,
                "failed": tally.failed,
            }),
            Self::Exported { password_hashes, .. } => json!({ "password_hashes": password_hashes }),
        }
    }
}
