use plinto_cluster::{Cluster, LimitKey, Quota};
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Refusals remembered; one forgotten costs a round trip.
const REMEMBERED: usize = 50_000;

/// What all nodes together say to one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted,
    Refused {
        retry_after: Duration,
    },
    /// The cluster is away: the node's share decides, one of so many.
    Unknown {
        nodes: u32,
    },
}

/// Limits on guessing that all nodes share, asked after each node's own.
pub(crate) struct SharedGuesses {
    cluster: Arc<dyn Cluster>,
    refused: Cache<([u8; 32], &'static str), Instant>,
}

impl SharedGuesses {
    pub(crate) fn new(cluster: Arc<dyn Cluster>) -> Self {
        Self { cluster, refused: Cache::new(REMEMBERED) }
    }

    /// Takes one attempt. A refusal is remembered until the next is granted, so that a key under attack costs one round
    /// trip for each attempt it is granted.
    pub(crate) async fn take(&self, key: LimitKey, quota: Quota) -> Verdict {
        let remembered = (key.id, key.name);
        let now = Instant::now();
        if let Some(until) = self.refused.get(&remembered).filter(|until| *until > now) {
            return Verdict::Refused { retry_after: until - now };
        }
        if !self.cluster.is_reachable() {
            return Verdict::Unknown { nodes: self.cluster.node_count() };
        }
        match self.cluster.take(&key, quota, 1).await {
            Ok(grant) if grant.cells > 0 => Verdict::Granted,
            Ok(grant) => {
                self.refused.insert(remembered, now + grant.retry_after);
                Verdict::Refused { retry_after: grant.retry_after }
            }
            Err(_away) => Verdict::Unknown { nodes: self.cluster.node_count() },
        }
    }
}
