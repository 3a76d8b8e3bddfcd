//! What the nodes of one installation share and tell each other: limits, notices, presence.
//!
//! Everything here may vanish at any moment. With it gone, precision and latency suffer, never correctness: limits fall
//! to each node's share, and changes are found by polling the ledgers. What must last is kept by `plinto-storage`.
//!
//! * [`Cluster`] is what the actors know.
//! * [`InProcess`] serves the embedded mode, and tests with several nodes in one process.
//! * [`RedisShared`] serves many nodes.
//! * The module `conformance` is the suite both must pass, behind the feature of that name.

#[cfg(feature = "conformance")]
pub mod conformance;
mod gcra;
mod in_process;
mod limits;
mod node;
mod notice;
mod redis;
mod subscribers;

use async_trait::async_trait;
use std::time::Duration;

pub use in_process::{Hub, InProcess};
pub use limits::{Grant, LimitKey, Quota};
pub use node::{NodeId, NodeInfo};
pub use notice::{Heard, Notice};
pub use redis::{OptionsError, RedisOptions, RedisShared, RedisUrl};

/// The shared store cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// It does not answer. The text never holds a credential.
    #[error("the shared store is away: {reason}")]
    Away {
        /// What happened, for the operator.
        reason: String,
    },
}

/// How the shared store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterHealth {
    /// `in-process` or `redis`.
    pub kind: &'static str,
    /// Whether it answers and takes writes; the in-process one always does.
    pub reachable: bool,
    /// Why not, and what to look at.
    pub reason: Option<String>,
    /// The last measured round trip.
    pub round_trip: Option<Duration>,
    /// Notices that could not be sent since the start.
    pub notices_lost: u64,
}

/// What the nodes of one installation share. Every call answers within about half a second or fails.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// This node.
    fn this(&self) -> &NodeInfo;

    /// Tells every other node, without waiting: what cannot be sent is counted and forgotten, because the ledgers hold
    /// it as well.
    fn announce(&self, notice: Notice);

    /// What other nodes announce from now on, in the order of arrival; never this node's own. A reader that is too slow
    /// hears [`Heard::Gap`] in place of what it missed.
    fn subscribe(&self) -> tokio::sync::mpsc::Receiver<Heard>;

    /// Takes up to `cells` from the limit all nodes share (GCRA).
    async fn take(&self, key: &LimitKey, quota: Quota, cells: u32) -> Result<Grant, ClusterError>;

    /// The nodes that are alive, this one included, in order of name.
    async fn nodes(&self) -> Result<Vec<NodeInfo>, ClusterError>;

    /// How many nodes were alive when that was last known, or are expected as long as it never was; at least 1.
    fn node_count(&self) -> u32;

    /// Whether the shared store took a write lately and its notices are read. When this turns false, notices may be
    /// missed from then on.
    fn is_reachable(&self) -> bool;

    /// How it is.
    async fn health(&self) -> ClusterHealth;

    /// Withdraws this node and ends what runs in the background.
    async fn close(&self);
}
