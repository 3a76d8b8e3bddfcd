//! How what the node depends on is: asked a few times a second at most, however often somebody wants to know.

use parking_lot::Mutex;
use plinto_actors::{ClusterHealth, EngineHealth, Platform};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer is good.
const GOOD_FOR: Duration = Duration::from_millis(250);
/// How long somebody must have waited for a connection until a pool counts as exhausted.
const LONG_WAIT: Duration = Duration::from_millis(100);

/// What was found.
pub(crate) struct Found {
    pub(crate) storage: EngineHealth,
    pub(crate) cluster: ClusterHealth,
}

impl Found {
    /// Whether requests wait because every connection to storage is at work.
    pub(crate) fn is_pool_exhausted(&self) -> bool {
        self.storage.pool.as_ref().is_some_and(|pool| {
            pool.in_use >= pool.limit && pool.waiting > 0 && pool.oldest_wait >= LONG_WAIT
        })
    }

    fn states(&self) -> States {
        States {
            readable: self.storage.readable,
            writable: self.storage.writable,
            exhausted: self.is_pool_exhausted(),
            shared: self.cluster.reachable,
        }
    }
}

/// What is told to the log when it changes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct States {
    readable: bool,
    writable: bool,
    exhausted: bool,
    shared: bool,
}

const SOUND: States = States { readable: true, writable: true, exhausted: false, shared: true };

/// Remembers what was found last, for everybody who asks.
pub(crate) struct Dependencies {
    last: tokio::sync::Mutex<Option<(Instant, Arc<Found>)>>,
    logged: Mutex<States>,
}

impl Default for Dependencies {
    fn default() -> Self {
        Self { last: tokio::sync::Mutex::default(), logged: Mutex::new(SOUND) }
    }
}

impl Dependencies {
    /// How they are. Who asks while somebody else looks waits for that answer.
    pub(crate) async fn look(&self, platform: &Platform) -> Arc<Found> {
        let asking = async || {
            let (storage, cluster) = tokio::join!(platform.storage_health(), platform.cluster_health());
            Found { storage, cluster }
        };
        self.look_with(asking).await
    }

    async fn look_with(&self, ask: impl AsyncFnOnce() -> Found) -> Arc<Found> {
        let last = &mut *self.last.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR) {
            return Arc::clone(found);
        }
        let found = Arc::new(ask().await);
        self.log(&found);
        *last = Some((Instant::now(), Arc::clone(&found)));
        found
    }

    /// The engine's own words go into the log, and only there.
    fn log(&self, found: &Found) {
        let states = found.states();
        let before = std::mem::replace(&mut *self.logged.lock(), states);
        if states == before {
            return;
        }
        if states == SOUND {
            return tracing::info!("everything this node depends on serves");
        }
        let (storage, shared) = (found.storage.reason.as_deref(), found.cluster.reason.as_deref());
        tracing::warn!(
            readable = states.readable,
            writable = states.writable,
            pool_exhausted = states.exhausted,
            shared_reachable = states.shared,
            storage,
            shared,
            "something this node depends on changed and does not serve in full"
        );
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use plinto_actors::PoolHealth;
    use std::cell::Cell;

    pub(crate) fn found(readable: bool, reachable: bool) -> Found {
        let secret = |sound: bool| (!sound).then(|| "secret.host refused".to_owned());
        Found {
            storage: EngineHealth {
                engine: "postgresql",
                readable,
                writable: true,
                reason: secret(readable),
                queued_reads: 0,
                queued_writes: 0,
                open: 3,
                pool: Some(PoolHealth {
                    limit: 10,
                    open: 3,
                    oldest_wait: Duration::from_millis(2),
                    ..PoolHealth::default()
                }),
                transactions: vec![],
            },
            cluster: ClusterHealth {
                kind: "redis",
                reachable,
                reason: secret(reachable),
                round_trip: None,
                notices_lost: 0,
            },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_few_look() {
        let dependencies = Dependencies::default();
        let looks = Cell::new(0);
        let ask = || {
            dependencies.look_with(async || {
                looks.set(looks.get() + 1);
                tokio::time::sleep(Duration::from_secs(1)).await;
                found(true, true)
            })
        };
        futures::future::join_all((0..100).map(|_| ask())).await;
        assert_eq!(looks.get(), 1, "all wait for the same answer");
        tokio::time::advance(GOOD_FOR / 2).await;
        ask().await;
        assert_eq!(looks.get(), 1);
        tokio::time::advance(GOOD_FOR).await;
        ask().await;
        assert_eq!(looks.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_while_looking_keeps_nobody_from_looking() {
        let dependencies = Dependencies::default();
        let gone = dependencies.look_with(async || std::future::pending().await);
        assert!(tokio::time::timeout(Duration::from_secs(1), gone).await.is_err());
        assert!(dependencies.look_with(async || found(true, true)).await.storage.readable);
    }
}
