use super::connector::{Connection, Connector};
use crate::ClusterError;
use parking_lot::Mutex;
use redis::{RedisError, RedisResult};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// Time between two writes that show whether Redis takes them, and between two attempts to reach it.
const PULSE: Duration = Duration::from_millis(200);

/// How long what a pulse wrote is kept.
const KEPT: Duration = Duration::from_secs(10);

/// The reason when nothing comes within the time.
const NO_ANSWER: &str = "no answer in time";

/// The one connection that requests share, renewed for as long as this lives.
///
/// The client crate's own manager would hold calls up while it reconnects with growing pauses, and knows nothing of a
/// server that accepts and never answers. This one writes all the time, and calls fail at once while it cannot: a Redis
/// whose memory is full, that cannot save, or that became a replica answers and is of no use all the same.
pub(super) struct Link {
    connector: Connector,
    patience: Duration,
    /// The key a pulse writes.
    pulse: String,
    current: Mutex<State>,
    up: watch::Sender<bool>,
}

struct State {
    connection: Option<Connection>,
    round_trip: Option<Duration>,
    reason: Option<String>,
}

impl Link {
    pub(super) fn new(connector: Connector, patience: Duration, pulse: String) -> Self {
        let state =
            State { connection: None, round_trip: None, reason: Some("not connected yet".to_owned()) };
        Self { connector, patience, pulse, current: Mutex::new(state), up: watch::Sender::new(false) }
    }

    /// Whether Redis took the last pulse.
    pub(super) fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Hears when that changes.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// The last measured round trip, and why Redis is away if it is.
    pub(super) fn health(&self) -> (Option<Duration>, Option<String>) {
        let current = self.current.lock();
        (current.round_trip, current.reason.clone())
    }

    /// Asks Redis something, if it is there, for no longer than it may take to answer.
    pub(super) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, ClusterError> {
        let mut connection = {
            let current = self.current.lock();
            let away = || ClusterError::Away {
                reason: current.reason.clone().unwrap_or_else(|| "closed".to_owned()),
            };
            current.connection.clone().ok_or_else(away)?
        };
        let answer = timeout(self.patience, question(&mut connection)).await;
        let reason = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => reason(&error),
            Err(_) => NO_ANSWER.to_owned(),
        };
        Err(ClusterError::Away { reason })
    }

    /// Connects, asks, and connects again, for ever.
    pub(super) async fn keep(&self) {
        loop {
            match self.connector.connect(self.patience).await {
                Ok(mut connection) => {
                    let reason = self.follow(&mut connection).await;
                    self.down(reason);
                }
                Err(error) => self.down(reason(&error)),
            }
            sleep(PULSE).await;
        }
    }

    /// Writes until that fails; gives the reason.
    async fn follow(&self, connection: &mut Connection) -> String {
        loop {
            let asked = Instant::now();
            match timeout(self.patience, connection.write(&self.pulse, KEPT)).await {
                Ok(Ok(())) => self.up(connection, asked.elapsed()),
                Ok(Err(error)) => return reason(&error),
                Err(_) => return NO_ANSWER.to_owned(),
            }
            sleep(PULSE).await;
        }
    }

    fn up(&self, connection: &Connection, round_trip: Duration) {
        let mut current = self.current.lock();
        if current.connection.is_none() {
            current.connection = Some(connection.clone());
            tracing::info!("redis answers: limits are shared and changes are heard at once");
        }
        current.round_trip = Some(round_trip);
        current.reason = None;
        drop(current);
        self.up.send_if_modified(|up| !std::mem::replace(up, true));
    }

    fn down(&self, reason: String) {
        let mut current = self.current.lock();
        let first = current.reason.as_deref().is_none_or(|before| before == "not connected yet");
        if first {
            tracing::warn!(reason, "redis is away: each node limits by its share and polls for changes");
        }
        *current = State { connection: None, round_trip: None, reason: Some(reason) };
        drop(current);
        self.up.send_if_modified(|up| std::mem::replace(up, false));
    }

    /// Gives the connection up.
    pub(super) fn close(&self) {
        let reason = Some("this node is shutting down".to_owned());
        *self.current.lock() = State { connection: None, round_trip: None, reason };
        self.up.send_if_modified(|up| std::mem::replace(up, false));
    }
}

/// What happened, in words that hold neither address nor credential.
pub(super) fn reason(error: &RedisError) -> String {
    if let Some(code) = error.code() {
        return match code {
            "OOM" => "it refuses writes, its memory is full: give it more, or a policy to evict".to_owned(),
            "MISCONF" => "it refuses writes, it cannot save them: look at its disk".to_owned(),
            "READONLY" => "it refuses writes, it is a replica: give the address of the primary".to_owned(),
            "NOPERM" => "it refuses, its user may not use these keys or commands".to_owned(),
            code => format!("it refuses: {code}"),
        };
    }
    let text = match error {
        _ if error.is_timeout() => NO_ANSWER,
        _ if error.is_connection_refusal() => "nothing listens there",
        _ if error.is_connection_dropped() => "the connection was cut",
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => "it refuses the user or the password",
        _ if error.is_cluster_error() => "no node of the cluster is there for the key",
        _ if error.is_io_error() => "the connection failed: check address and certificates",
        _ => "it answers what is not understood",
    };
    text.to_owned()
}
