use super::link::Link;
use super::script::{BEAT, LEAVE, LIST};
use super::signature::Signature;
use crate::{ClusterError, NodeInfo};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Time between two beats.
const BEATS: Duration = Duration::from_secs(1);

/// How long a node lives without a beat.
const LIFE: Duration = Duration::from_secs(5);

/// Says that this node is alive, and knows who else is.
pub(super) struct Presence {
    link: Arc<Link>,
    this: NodeInfo,
    entry: String,
    signature: Signature,
    /// Whether an entry was there already that nobody of this installation had signed.
    suspicious: AtomicBool,
    keys: [String; 2],
    count: AtomicU32,
    pub(super) told: watch::Sender<bool>,
}

impl Presence {
    /// `expected` nodes are reckoned with until Redis was asked for the first time.
    pub(super) fn new(
        link: Arc<Link>,
        this: NodeInfo,
        prefix: &str,
        signature: Signature,
        expected: NonZeroU32,
    ) -> Self {
        let entry = signature.sign(&this);
        // The same part in braces: both keys are on one server of a cluster.
        let keys = [format!("{prefix}{{nodes}}:seen"), format!("{prefix}{{nodes}}:info")];
        let (suspicious, count) = (AtomicBool::new(false), AtomicU32::new(expected.get()));
        Self { link, this, entry, signature, suspicious, keys, count, told: watch::Sender::new(false) }
    }

    fn keys(&self) -> [&str; 2] {
        [&self.keys[0], &self.keys[1]]
    }

    /// Nodes alive when that was last known.
    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed).max(1)
    }

    /// Beats for ever.
    pub(super) async fn run(&self) {
        let mut up = self.link.watch();
        loop {
            // While the link is up it changes only by going down.
            if up.wait_for(|up| *up).await.is_err() {
                return;
            }
            // A Redis that came back empty learns of the nodes one by one; until all had the time to say so, fewer
            // nodes are no news.
            let settled = Instant::now() + LIFE;
            while *up.borrow_and_update() {
                self.beat(Instant::now() >= settled).await;
                tokio::select! {
                    () = sleep(BEATS) => {}
                    _ = up.changed() => {}
                }
            }
        }
    }

    async fn beat(&self, may_shrink: bool) {
        let id = self.this.id.0.to_string();
        let life = LIFE.as_secs().to_string();
        let told = self.link.ask(async |connection| {
            BEAT.run::<u32>(connection, &self.keys(), &[&id, &self.entry, &life]).await
        });
        // When Redis went away, the link says so.
        if let Ok(count) = told.await {
            let known = self.count();
            self.count.store(if may_shrink { count } else { count.max(known) }, Ordering::Relaxed);
            self.told.send_replace(true);
        }
    }

    /// The living, by name.
    pub(super) async fn list(&self) -> Result<Vec<NodeInfo>, ClusterError> {
        let life = LIFE.as_secs().to_string();
        let told = self.link.ask(async |connection| {
            LIST.run::<Vec<Option<String>>>(connection, &self.keys(), &[&life]).await
        });
        let entries = told.await?.into_iter().flatten();
        let mut nodes: Vec<NodeInfo> = entries.filter_map(|entry| self.understand(&entry)).collect();
        if nodes.iter().all(|node| node.id != self.this.id) {
            nodes.push(self.this.clone());
        }
        nodes.sort_by(|left, right| (&left.name, left.id).cmp(&(&right.name, right.id)));
        nodes.dedup_by_key(|node| node.id);
        Ok(nodes)
    }

    /// Nothing for what no node of this installation signed, and for what a newer version says in words unknown here.
    fn understand(&self, entry: &str) -> Option<NodeInfo> {
        let Some(text) = self.signature.open(entry) else {
            if !self.suspicious.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "redis lists a node that no node of this installation signed: it is left out; look who else writes \
                     there, and whether all nodes share one database"
                );
            }
            return None;
        };
        serde_json::from_str(text).ok()
    }

    /// Withdraws this node. Without Redis its last beat runs out by itself.
    pub(super) async fn leave(&self) {
        let id = self.this.id.0.to_string();
        let left = self.link.ask(async |connection| LEAVE.run::<u32>(connection, &self.keys(), &[&id]).await);
        if let Err(error) = left.await {
            tracing::debug!(%error, "this node is listed until its last beat runs out");
        }
    }
}
