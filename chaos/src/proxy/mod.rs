//! A small HTTP/1.1 load balancer in the process of the experiment.
//!
//! It does what any load balancer does and no more: it asks each node's `/health/ready` every 100 ms, sends new requests
//! to ready nodes in turn, and tries another node only while no connection could be made. A request that was sent is
//! never sent again.

mod front;
mod target;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use front::Front;
pub use front::{NO_NODE, NODE_LOST};

/// One front for the core listeners of all nodes and one for the auth listeners. Dropping it ends both.
pub struct Proxy {
    core: Front,
    auth: Front,
}

impl Proxy {
    /// For so many nodes, whose places it is told with [`moved`](Self::moved).
    pub async fn open(nodes: usize) -> io::Result<Self> {
        Ok(Self { core: Front::open(nodes).await?, auth: Front::open(nodes).await? })
    }

    /// Where the core front listens.
    pub fn core(&self) -> SocketAddr {
        self.core.address()
    }

    /// Where the auth front listens.
    pub fn auth(&self) -> SocketAddr {
        self.auth.address()
    }

    /// Tells where a node's listeners are from now on, as a registry of services would.
    pub fn moved(&self, node: usize, core: SocketAddr, auth: SocketAddr) {
        self.core.targets[node].moved(core);
        self.auth.targets[node].moved(auth);
    }

    /// Whether one answer in a few is thrown away from now on, after the node has done what was asked for.
    pub fn lose_answers(&self, lose: bool) {
        for front in [&self.core, &self.auth] {
            front.loses_answers.store(lose, Ordering::Release);
        }
    }

    /// Whether a node gets new requests.
    pub fn sends_to(&self, node: usize) -> bool {
        self.core.targets[node].is_ready() && self.auth.targets[node].is_ready()
    }
}
