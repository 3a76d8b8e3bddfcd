//! Nodes in one process: the embedded mode has one, tests have several.

mod limits;

use crate::subscribers::Subscribers;
use crate::{Cluster, ClusterError, ClusterHealth, Grant, Heard, LimitKey, NodeInfo, Notice, Quota};
use async_trait::async_trait;
use limits::Limits;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::mpsc;

/// What the nodes of one process share.
pub struct Hub {
    limits: Limits,
    members: Mutex<Vec<Member>>,
}

struct Member {
    info: NodeInfo,
    subscribers: Weak<Subscribers>,
}

impl Hub {
    /// One without nodes.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { limits: Limits::new(limits::KEYS), members: Mutex::default() })
    }

    /// A node more.
    pub fn join(self: &Arc<Self>, this: NodeInfo) -> InProcess {
        let subscribers = Arc::new(Subscribers::default());
        self.members.lock().push(Member { info: this.clone(), subscribers: Arc::downgrade(&subscribers) });
        InProcess { hub: Arc::clone(self), this, subscribers }
    }

    /// Members that were dropped without being closed are forgotten.
    fn living(&self) -> Vec<(NodeInfo, Arc<Subscribers>)> {
        let mut members = self.members.lock();
        members.retain(|member| member.subscribers.strong_count() > 0);
        let living = members.iter();
        living.filter_map(|member| Some((member.info.clone(), member.subscribers.upgrade()?))).collect()
    }
}

/// One of the nodes of a [`Hub`].
pub struct InProcess {
    hub: Arc<Hub>,
    this: NodeInfo,
    subscribers: Arc<Subscribers>,
}

impl InProcess {
    /// The only node there is.
    pub fn alone(this: NodeInfo) -> Self {
        Hub::new().join(this)
    }
}

#[async_trait]
impl Cluster for InProcess {
    fn this(&self) -> &NodeInfo {
        &self.this
    }

    fn announce(&self, notice: Notice) {
        let heard = Heard::Notice { from: self.this.id, notice };
        // The lock is held, so that every node hears notices in the same order.
        for member in self.hub.members.lock().iter().filter(|member| member.info.id != self.this.id) {
            if let Some(subscribers) = member.subscribers.upgrade() {
                subscribers.tell(&heard);
            }
        }
    }

    fn subscribe(&self) -> mpsc::Receiver<Heard> {
        self.subscribers.add()
    }

    async fn take(&self, key: &LimitKey, quota: Quota, cells: u32) -> Result<Grant, ClusterError> {
        Ok(self.hub.limits.take(key, quota, cells))
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, ClusterError> {
        let mut nodes: Vec<NodeInfo> = self.hub.living().into_iter().map(|(info, _)| info).collect();
        nodes.sort_by(|left, right| (&left.name, left.id).cmp(&(&right.name, right.id)));
        Ok(nodes)
    }

    fn node_count(&self) -> u32 {
        u32::try_from(self.hub.living().len()).unwrap_or(u32::MAX).max(1)
    }

    fn is_reachable(&self) -> bool {
        true
    }

    async fn health(&self) -> ClusterHealth {
        ClusterHealth {
            kind: "in-process",
            reachable: true,
            reason: None,
            round_trip: Some(Duration::ZERO),
            notices_lost: 0,
        }
    }

    async fn close(&self) {
        self.hub.members.lock().retain(|member| member.info.id != self.this.id);
        self.subscribers.clear();
    }
}

#[cfg(test)]
mod tests;
