use super::connector::Connector;
use super::inbox::Inbox;
use super::link::Link;
use super::outbox::Outbox;
use super::presence::Presence;
use super::script::TAKE;
use super::signature::Signature;
use super::{OptionsError, RedisOptions};
use crate::subscribers::Subscribers;
use crate::{Cluster, ClusterError, ClusterHealth, Grant, Heard, LimitKey, NodeInfo, Notice, Quota};
use async_trait::async_trait;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long a start waits for Redis before it goes on without.
const START: Duration = Duration::from_secs(1);

/// A node of an installation that shares a Redis.
pub struct RedisShared {
    this: NodeInfo,
    prefix: String,
    link: Arc<Link>,
    outbox: Outbox,
    attached: watch::Receiver<bool>,
    presence: Arc<Presence>,
    subscribers: Arc<Subscribers>,
    sending: Background,
    running: Background,
}

/// Tasks that end together, at the latest when this is dropped.
struct Background {
    tasks: TaskTracker,
    end: DropGuard,
}

impl Background {
    fn new() -> Self {
        Self { tasks: TaskTracker::new(), end: CancellationToken::new().drop_guard() }
    }

    fn end(&self) -> CancellationToken {
        self.end.token().clone()
    }

    /// Runs it until the end, wherever it is then.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let end = self.end();
        self.tasks.spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = work => {}
            }
        });
    }

    async fn close(&self) {
        self.tasks.close();
        self.end.token().cancel();
        self.tasks.wait().await;
    }
}

impl RedisShared {
    /// Starts using it. When Redis does not answer within a second, this succeeds all the same, and what is shared
    /// begins when Redis comes.
    pub async fn connect(options: RedisOptions, this: NodeInfo) -> Result<Self, OptionsError> {
        let patience = options.response_timeout;
        let pulse = format!("{}pulse", options.prefix);
        let link = Arc::new(Link::new(Connector::new(&options, patience)?, patience, pulse));
        let stream = format!("{}notices", options.prefix);
        let (outbox, sender) = Outbox::new(Arc::clone(&link), stream.clone(), this.id);
        let subscribers = Arc::new(Subscribers::default());
        let attached = watch::Sender::new(false);
        let listener = attached.subscribe();
        let connector = Connector::new(&options, Inbox::longest(patience))?;
        let inbox = Inbox {
            connector,
            patience,
            stream,
            this: this.id,
            subscribers: Arc::clone(&subscribers),
            attached,
        };
        let signature = Signature::new(options.secret);
        let presence = Arc::new(Presence::new(
            Arc::clone(&link),
            this.clone(),
            &options.prefix,
            signature,
            options.expected_nodes,
        ));

        let (sending, running) = (Background::new(), Background::new());
        sending.tasks.spawn(sender.run(sending.end()));
        running.spawn(inbox.run());
        let (kept, present) = (Arc::clone(&link), Arc::clone(&presence));
        running.spawn(async move { kept.keep().await });
        running.spawn(async move { present.run().await });
        let prefix = options.prefix;
        let shared =
            Self { this, prefix, link, outbox, attached: listener, presence, subscribers, sending, running };
        shared.wait_until_ready().await;
        Ok(shared)
    }

    async fn wait_until_ready(&self) {
        let (mut attached, mut told) = (self.attached.clone(), self.presence.told.subscribe());
        // Both senders live as long as their tasks, which run now.
        let ready = async {
            attached.wait_for(|attached| *attached).await.is_ok() && told.wait_for(|told| *told).await.is_ok()
        };
        if tokio::time::timeout(START, ready).await.is_err() {
            tracing::debug!("started without waiting any longer for redis");
        }
    }

    fn limit_key(&self, key: &LimitKey) -> String {
        let mut text = format!("{}limit:{}:", self.prefix, key.name);
        for byte in key.id {
            write!(text, "{byte:02x}").expect("a string takes everything");
        }
        text
    }
}

#[async_trait]
impl Cluster for RedisShared {
    fn this(&self) -> &NodeInfo {
        &self.this
    }

    fn announce(&self, notice: Notice) {
        self.outbox.put(notice);
    }

    fn subscribe(&self) -> mpsc::Receiver<Heard> {
        self.subscribers.add()
    }

    async fn take(&self, key: &LimitKey, quota: Quota, cells: u32) -> Result<Grant, ClusterError> {
        let name = self.limit_key(key);
        let numbers = [quota.period_micros().to_string(), quota.burst.to_string(), cells.to_string()];
        let numbers = numbers.each_ref().map(String::as_str);
        let taken =
            self.link.ask(async |connection| TAKE.run::<(u32, u64)>(connection, &[&name], &numbers).await);
        let (cells, retry_after) = taken.await?;
        Ok(Grant { cells, retry_after: Duration::from_micros(retry_after) })
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, ClusterError> {
        self.presence.list().await
    }

    fn node_count(&self) -> u32 {
        self.presence.count()
    }

    fn is_reachable(&self) -> bool {
        self.link.is_up() && *self.attached.borrow()
    }

    async fn health(&self) -> ClusterHealth {
        let (round_trip, reason) = self.link.health();
        let reachable = self.is_reachable();
        let deaf = || "redis answers, but its notices cannot be read".to_owned();
        ClusterHealth {
            kind: "redis",
            reachable,
            reason: if reachable { None } else { Some(reason.unwrap_or_else(deaf)) },
            round_trip,
            notices_lost: self.outbox.lost(),
        }
    }

    async fn close(&self) {
        // What waits is sent first; without Redis it is given up at once.
        self.sending.close().await;
        self.running.close().await;
        // Nothing beats any more that would bring it back.
        self.presence.leave().await;
        self.link.close();
        self.subscribers.clear();
    }
}
