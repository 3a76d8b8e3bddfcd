//! The supervision tree as a bounded, serialisable snapshot.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Where an actor stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Being loaded; requests wait.
    Activating,
    /// Handling messages.
    Live,
    /// Handling its last messages; new ones wait for the next incarnation.
    Passivating,
    /// Died; waits for its backoff, requests wait with it.
    Restarting,
    /// Its activation failed; the next request after the backoff tries again.
    Failed,
    /// Failed too often; requests are refused until it is reset or has cooled down.
    Quarantined,
    /// Not resident; only its limiter or its failures are still remembered.
    Dormant,
}

impl NodeState {
    pub(crate) const COUNT: usize = 7;
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Activating,
        Self::Live,
        Self::Passivating,
        Self::Restarting,
        Self::Failed,
        Self::Quarantined,
        Self::Dormant,
    ];

    /// The name used in metrics and JSON.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Activating => "activating",
            Self::Live => "live",
            Self::Passivating => "passivating",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
            Self::Dormant => "dormant",
        }
    }
}

impl std::fmt::Display for NodeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}

/// On whose initiative an actor left.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassivationCause {
    /// It was not used for the directory's idle time.
    Idle,
    /// It was the least recently used when room was needed.
    Evicted,
    /// Somebody asked ([`crate::Directory::passivate`], [`crate::Directory::drain_where`]).
    Asked,
    /// It asked itself ([`crate::Context::retire`]).
    Retired,
    /// The system shuts down.
    Shutdown,
}

impl PassivationCause {
    pub(crate) const COUNT: usize = 5;
    pub(crate) const LABELS: [&'static str; Self::COUNT] =
        ["idle", "evicted", "asked", "retired", "shutdown"];
}

/// One actor, or one static node such as a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    /// Place in the tree; the parent is the longest other path that is a prefix of it.
    pub path: String,
    /// Kind of the node.
    pub kind: Cow<'static, str>,
    /// Where it stands.
    pub state: NodeState,
    /// Milliseconds since it entered this state.
    pub since_ms_ago: u64,
    /// Requests in flight, queued ones included.
    pub in_flight: u32,
    /// Messages handled while the key is known.
    pub processed: u64,
    /// Restarts while failures are remembered.
    pub restarts: u32,
    /// Redacted cause of the last failure, while it is remembered.
    pub last_failure: Option<String>,
    /// Requests refused because every permit was in use.
    pub overloaded: u32,
    /// The key's rate limiter, if it has one.
    pub limiter: Option<LimiterView>,
}

/// A rate limiter's fill.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimiterView {
    /// Requests that would pass now.
    pub available: u32,
    /// Requests that pass at once after a pause.
    pub burst: u32,
    /// Requests refused while the key is known.
    pub refused: u32,
}

/// All actors of one kind. Always complete, however many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSummary {
    /// Kind of the actors.
    pub kind: Cow<'static, str>,
    /// Keys per state, states without a key left out.
    pub states: Vec<(NodeState, u64)>,
    /// Requests in flight.
    pub in_flight: u64,
    /// Messages handled since start.
    pub processed: u64,
    /// Restarts since start.
    pub restarts: u64,
    /// Quarantines since start.
    pub quarantines: u64,
    /// Requests refused since start.
    pub refused: u64,
    /// Bytes held by live actors, estimated.
    pub bytes: u64,
}

/// The tree at one moment. Actors go on working while it is taken, so it is not a consistent cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeSnapshot {
    /// Name of the system.
    pub system: String,
    /// Milliseconds since the system started.
    pub uptime_ms: u64,
    /// Nodes in order of their paths.
    pub nodes: Vec<TreeNode>,
    /// Every kind, in order of registration.
    pub kinds: Vec<KindSummary>,
    /// Whether nodes were left out for the sake of the query's bounds.
    pub truncated: bool,
}

/// Which part of the tree to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeQuery {
    /// Only nodes whose path starts with this.
    pub prefix: String,
    /// Only nodes that are restarting, failed or quarantined.
    pub troubled_only: bool,
    /// At most this many nodes of each kind.
    pub limit: usize,
    /// At most this many keys of each kind are looked at, so that a query over a million sessions does
    /// not hold up an executor thread.
    pub scan_limit: usize,
}

impl Default for TreeQuery {
    fn default() -> Self {
        Self { prefix: String::new(), troubled_only: false, limit: 500, scan_limit: 50_000 }
    }
}

/// Collects one directory's nodes within a query's bounds.
pub(crate) struct Harvest<'q> {
    query: &'q TreeQuery,
    seen: usize,
    pub(crate) nodes: Vec<TreeNode>,
    pub(crate) truncated: bool,
}

impl<'q> Harvest<'q> {
    pub(crate) fn new(query: &'q TreeQuery) -> Self {
        Self { query, seen: 0, nodes: Vec::new(), truncated: false }
    }

    /// Whether to go on.
    pub(crate) fn next(&mut self) -> bool {
        let full = self.nodes.len() >= self.query.limit || self.seen >= self.query.scan_limit;
        self.truncated |= full;
        self.seen += 1;
        !full
    }

    pub(crate) fn wants(&self, state: NodeState) -> bool {
        use NodeState::{Failed, Quarantined, Restarting};
        !self.query.troubled_only || matches!(state, Restarting | Failed | Quarantined)
    }

    pub(crate) fn wants_path(&self, path: &str) -> bool {
        path.starts_with(&self.query.prefix)
    }
}
