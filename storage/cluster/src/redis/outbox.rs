use super::link::Link;
use crate::{NodeId, Notice};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Notices that may wait to be sent.
const WAITING: usize = 8192;

/// Notices sent in one round trip.
const TOGETHER: usize = 256;

/// About as many are kept for who reads late.
pub(super) const KEPT: usize = 10_000;

/// Sends this node's notices without making anybody wait.
pub(super) struct Outbox {
    sender: mpsc::Sender<Notice>,
    lost: Arc<AtomicU64>,
}

/// The other end of an [`Outbox`].
pub(super) struct Sending {
    pub(super) link: Arc<Link>,
    pub(super) stream: String,
    pub(super) this: NodeId,
    receiver: mpsc::Receiver<Notice>,
    lost: Arc<AtomicU64>,
}

impl Outbox {
    pub(super) fn new(link: Arc<Link>, stream: String, this: NodeId) -> (Self, Sending) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let sending = Sending { link, stream, this, receiver, lost: Arc::clone(&lost) };
        (Self { sender, lost }, sending)
    }

    pub(super) fn put(&self, notice: Notice) {
        // Full or closed: the ledgers hold it as well.
        if self.sender.try_send(notice).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Sending {
    /// Sends until cancelled, then what is still waiting.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        let mut batch = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled() => break,
                count = self.receiver.recv_many(&mut batch, TOGETHER) => {
                    if count == 0 {
                        return;
                    }
                    self.send(&mut batch).await;
                }
            }
        }
        self.receiver.close();
        while self.link.is_up() && self.receiver.recv_many(&mut batch, TOGETHER).await > 0 {
            self.send(&mut batch).await;
        }
        let left = u64::try_from(self.receiver.len()).expect("a bounded number");
        self.lost.fetch_add(left, Ordering::Relaxed);
    }

    async fn send(&self, batch: &mut Vec<Notice>) {
        let count = u64::try_from(batch.len()).expect("a bounded number");
        let mut pipeline = redis::pipe();
        for notice in batch.drain(..) {
            let text = serde_json::to_string(&notice).expect("a notice is plain data");
            let command = pipeline.cmd("XADD").arg(&self.stream).arg("MAXLEN").arg("~").arg(KEPT).arg("*");
            command.arg("from").arg(self.this.0.to_string()).arg("notice").arg(text).ignore();
        }
        let sent = self.link.ask(async |connection| pipeline.exec_async(connection).await).await;
        if sent.is_err() {
            // Some may have arrived after all; what counts is that not all are known to have.
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
    }
}
