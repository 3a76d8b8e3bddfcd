//! What can be seen from outside: the tree, the event stream, Prometheus metrics.

mod events;
mod metrics;
mod nodes;
mod stats;
mod stripes;
mod tree;

pub(crate) use events::EventBus;
pub use events::{Change, RuntimeEvent};
pub(crate) use metrics::RuntimeCollector;
pub(crate) use nodes::StaticNodes;
pub use nodes::{Activity, NodeCounter};
pub(crate) use stats::{DropReason, KindStats, PoolStats};
pub(crate) use tree::Harvest;
pub use tree::{KindSummary, LimiterView, NodeState, PassivationCause, TreeNode, TreeQuery, TreeSnapshot};
