use super::connector::{Connection, Connector};
use super::outbox::KEPT;
use super::script::POSITION;
use crate::subscribers::Subscribers;
use crate::{Heard, NodeId};
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{FromRedisValue as _, RedisResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long one question for news may wait inside Redis.
const WAIT: Duration = Duration::from_millis(1_000);

/// Entries read at a time.
const TOGETHER: usize = 512;

/// Pause between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads the stream of notices over a connection of its own, because reading blocks it.
pub(super) struct Inbox {
    pub(super) connector: Connector,
    pub(super) patience: Duration,
    pub(super) stream: String,
    pub(super) this: NodeId,
    pub(super) subscribers: Arc<Subscribers>,
    pub(super) attached: watch::Sender<bool>,
}

/// Where the reader is.
#[derive(Default)]
struct Place {
    /// The process it reads from; empty when that cannot be told.
    server: String,
    /// The last entry it saw; empty before the first.
    id: String,
}

impl Inbox {
    /// The longest wait for an answer on its connection.
    pub(super) fn longest(patience: Duration) -> Duration {
        WAIT + patience
    }

    /// Reads, and connects again, for ever.
    pub(super) async fn run(self) {
        let mut place = Place::default();
        loop {
            // Why it failed is told by the link, which asks the same server more often.
            if let Ok(mut connection) = self.connector.connect(Self::longest(self.patience)).await {
                let _interrupted = self.follow(&mut connection, &mut place).await;
                self.attached.send_replace(false);
            }
            sleep(PAUSE).await;
        }
    }

    async fn follow(&self, connection: &mut Connection, place: &mut Place) -> RedisResult<()> {
        self.take_place(connection, place).await?;
        self.attached.send_replace(true);
        loop {
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(TOGETHER).arg("BLOCK").arg(WAIT.as_millis());
            command.arg("STREAMS").arg(&self.stream).arg(&place.id);
            let answer = timeout(Self::longest(self.patience), command.query_async(connection)).await;
            let news: Option<StreamReadReply> = answer.map_err(timed_out)??;
            let before = place.id.clone();
            for entry in news.into_iter().flat_map(|news| news.keys).flat_map(|key| key.ids) {
                if let Some(heard) = self.understand(&entry) {
                    self.subscribers.tell(&heard);
                }
                place.id = entry.id;
            }
            self.look_back(connection, &before, place).await?;
        }
    }

    /// The entry read last is still there: nothing between it and the news was lost, because a stream loses entries
    /// from its head. Otherwise they were trimmed before they were read, or the stream is another one.
    async fn look_back(
        &self,
        connection: &mut Connection,
        before: &str,
        place: &mut Place,
    ) -> RedisResult<()> {
        let mut command = redis::cmd("XRANGE");
        command.arg(&self.stream).arg(before).arg(before);
        let asked = timeout(self.patience, command.query_async(connection)).await;
        let there: StreamRangeReply = asked.map_err(timed_out)??;
        if !there.ids.is_empty() {
            return Ok(());
        }
        if place.id == before {
            // Nothing was read after it, so there is no later place to go on from.
            return self.take_place(connection, place).await;
        }
        self.subscribers.tell(&Heard::Gap);
        Ok(())
    }

    /// Goes on where it was, or tells everybody that something may have been missed.
    async fn take_place(&self, connection: &mut Connection, place: &mut Place) -> RedisResult<()> {
        // A replica that became the primary may lack entries, and ids do not show it. Which process answers is only
        // comparable where there is one.
        let server = if self.connector.is_cluster() { "" } else { &place.server };
        let kept = KEPT.to_string();
        let arguments = [place.id.as_str(), server, &kept];
        let asked = timeout(self.patience, POSITION.run(connection, &[&self.stream], &arguments)).await;
        let (server, id, missed): (String, String, u8) = asked.map_err(timed_out)??;
        *place = Place { server, id };
        if missed == 1 {
            self.subscribers.tell(&Heard::Gap);
        }
        Ok(())
    }

    /// Nothing for marks and for what this node said itself. What a newer version says in words this one does not know
    /// is a gap.
    fn understand(&self, entry: &StreamId) -> Option<Heard> {
        let field =
            |name: &str| entry.map.get(name).and_then(|value| String::from_redis_value_ref(value).ok());
        let (Some(from), Some(notice)) = (field("from"), field("notice")) else {
            return (!entry.map.contains_key("mark")).then_some(Heard::Gap);
        };
        match (from.parse().map(NodeId), serde_json::from_str(&notice)) {
            (Ok(from), _) if from == self.this => None,
            (Ok(from), Ok(notice)) => Some(Heard::Notice { from, notice }),
            _ => Some(Heard::Gap),
        }
    }
}

fn timed_out(_: tokio::time::error::Elapsed) -> redis::RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
