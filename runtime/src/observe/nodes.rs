//! Nodes of the tree that are not actors: listeners and the like.

use super::tree::{Harvest, NodeState, TreeNode};
use parking_lot::RwLock;
use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

struct StaticNode {
    path: String,
    kind: &'static str,
    since_ms: u64,
    in_flight: AtomicU32,
    processed: AtomicU64,
}

/// The counters of a static node. The node leaves the tree when the last clone is dropped.
#[derive(Clone)]
pub struct NodeCounter(Arc<StaticNode>);

/// One piece of work at a static node; counts as in flight until dropped, then as processed.
pub struct Activity(Arc<StaticNode>);

impl NodeCounter {
    /// Counts one piece of work from now until the answer is dropped.
    #[must_use]
    pub fn begin(&self) -> Activity {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        Activity(Arc::clone(&self.0))
    }

    /// Pieces of work under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// Pieces of work done.
    #[must_use]
    pub fn processed(&self) -> u64 {
        self.0.processed.load(Ordering::Relaxed)
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.processed.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
pub(crate) struct StaticNodes(RwLock<Vec<Weak<StaticNode>>>);

impl StaticNodes {
    pub(crate) fn register(&self, path: String, kind: &'static str, now_ms: u64) -> NodeCounter {
        let node = Arc::new(StaticNode {
            path,
            kind,
            since_ms: now_ms,
            in_flight: AtomicU32::new(0),
            processed: AtomicU64::new(0),
        });
        let mut nodes = self.0.write();
        nodes.retain(|known| known.strong_count() > 0);
        nodes.push(Arc::downgrade(&node));
        NodeCounter(node)
    }

    pub(crate) fn harvest(&self, into: &mut Harvest<'_>, now_ms: u64) {
        for node in self.0.read().iter().filter_map(Weak::upgrade) {
            if !into.next() {
                return;
            }
            if !into.wants(NodeState::Live) || !into.wants_path(&node.path) {
                continue;
            }
            into.nodes.push(TreeNode {
                path: node.path.clone(),
                kind: Cow::Borrowed(node.kind),
                state: NodeState::Live,
                since_ms_ago: now_ms.saturating_sub(node.since_ms),
                in_flight: node.in_flight.load(Ordering::Relaxed),
                processed: node.processed.load(Ordering::Relaxed),
                restarts: 0,
                last_failure: None,
                overloaded: 0,
                limiter: None,
            });
        }
    }
}
