use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One start of one process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// This start of it.
    pub id: NodeId,
    /// Name given by the operator; unique among live nodes only by their care.
    pub name: String,
    /// Version of plinto.
    pub version: String,
    /// Unix milliseconds.
    pub started_at: i64,
    /// URL of each listener as other nodes and operators reach it, by name such as `auth`.
    pub urls: BTreeMap<String, String>,
}
