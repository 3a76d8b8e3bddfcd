use async_trait::async_trait;
use parking_lot::Mutex;
use plinto_cluster::{
    Cluster, ClusterError, ClusterHealth, Grant, Heard, Hub, InProcess, LimitKey, NodeId, NodeInfo, Notice,
    Quota,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::mpsc;
use uuid::Uuid;

/// One node's way to the others, which tests cut, with or without the node noticing.
pub(crate) struct Line {
    inner: InProcess,
    reachable: AtomicBool,
    deaf: Arc<AtomicBool>,
    pub(crate) takes: AtomicU64,
    gaps: Mutex<Option<mpsc::Sender<Heard>>>,
}

impl Line {
    pub(crate) fn to(hub: &Arc<Hub>, name: &str, number: u128) -> Arc<Self> {
        let info = NodeInfo {
            id: NodeId(Uuid::from_u128(number)),
            name: name.to_owned(),
            version: "test".to_owned(),
            started_at: 0,
            urls: BTreeMap::new(),
        };
        Arc::new(Self {
            inner: hub.join(info),
            reachable: AtomicBool::new(true),
            deaf: Arc::default(),
            takes: AtomicU64::new(0),
            gaps: Mutex::default(),
        })
    }

    /// Neither says nor hears anything, and knows it.
    pub(crate) fn cut(&self, cut: bool) {
        self.reachable.store(!cut, Ordering::SeqCst);
        self.deaf.store(cut, Ordering::SeqCst);
    }

    /// Loses every notice without knowing it.
    pub(crate) fn deafen(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    /// Says that notices may have been missed.
    pub(crate) fn gap(&self) {
        let gaps = self.gaps.lock();
        gaps.as_ref().expect("somebody subscribed").try_send(Heard::Gap).expect("there is room");
    }
}

#[async_trait]
impl Cluster for Line {
    fn this(&self) -> &NodeInfo {
        self.inner.this()
    }

    fn announce(&self, notice: Notice) {
        if self.is_reachable() {
            self.inner.announce(notice);
        }
    }

    fn subscribe(&self) -> mpsc::Receiver<Heard> {
        let mut heard = self.inner.subscribe();
        let (out, receiver) = mpsc::channel(64);
        *self.gaps.lock() = Some(out.clone());
        let deaf = Arc::clone(&self.deaf);
        tokio::spawn(async move {
            while let Some(heard) = heard.recv().await {
                if !deaf.load(Ordering::SeqCst) && out.send(heard).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    async fn take(&self, key: &LimitKey, quota: Quota, cells: u32) -> Result<Grant, ClusterError> {
        if !self.is_reachable() {
            return Err(ClusterError::Away { reason: "cut by the test".into() });
        }
        self.takes.fetch_add(1, Ordering::SeqCst);
        self.inner.take(key, quota, cells).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, ClusterError> {
        self.inner.nodes().await
    }

    fn node_count(&self) -> u32 {
        self.inner.node_count()
    }

    fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::SeqCst)
    }

    async fn health(&self) -> ClusterHealth {
        ClusterHealth { reachable: self.is_reachable(), ..self.inner.health().await }
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
