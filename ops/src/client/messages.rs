//! What instances answer, as far as the commands need it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) created_at: i64,
}

/// A page of tenants.
#[derive(Debug, Deserialize)]
pub(super) struct TenantPage {
    pub(super) items: Vec<Tenant>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A new user.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
}

/// An import of users.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct UserImport {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) dry_run: bool,
    pub(crate) on_conflict: String,
    pub(crate) source: Option<String>,
    pub(crate) lines: u64,
    pub(crate) imported: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
}

/// What was wrong with a line.
#[derive(Debug, Deserialize)]
pub(crate) struct LineError {
    pub(crate) line: u64,
    pub(crate) field: String,
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// A page of something.
#[derive(Debug, Deserialize)]
pub(super) struct PageOf<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A new service key. No `Debug`: it holds the key.
#[derive(Serialize, Deserialize)]
pub(crate) struct ServiceKey {
    pub(crate) id: String,
    pub(crate) key: String,
}

/// A live node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) started_at: i64,
    pub(crate) urls: BTreeMap<String, String>,
    /// Whether it is the one that answered this question.
    #[serde(default)]
    pub(crate) answered: bool,
}

/// The live nodes.
#[derive(Debug, Deserialize)]
pub(super) struct Nodes {
    pub(super) nodes: Vec<Node>,
}

/// Whether a service can do its work.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Readiness {
    pub(crate) status: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Readiness {
    /// Whether requests are served, if perhaps less well: a node without Redis is no node to be restarted.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.status.as_str(), "ready" | "degraded")
    }
}

/// A problem document (RFC 9457), as far as people are shown it.
#[derive(Deserialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) detail: String,
    #[serde(default)]
    pub(super) errors: Vec<FieldProblem>,
}

/// One refused field.
#[derive(Deserialize)]
pub(super) struct FieldProblem {
    pub(super) field: String,
    pub(super) detail: String,
}
