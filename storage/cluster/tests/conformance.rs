//! The suite, for everything that shares something.

use async_trait::async_trait;
use plinto_cluster::conformance::Installation;
use plinto_cluster::{Cluster, Hub, NodeInfo, RedisOptions, RedisShared};
use plinto_servers::{RedisCluster, RedisServer};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

struct OneProcess(Arc<Hub>);

#[async_trait]
impl Installation for OneProcess {
    async fn join(&self, this: NodeInfo) -> Arc<dyn Cluster> {
        Arc::new(self.0.join(this))
    }
}

async fn one_process() -> OneProcess {
    OneProcess(Hub::new())
}

/// Each has a prefix of its own on a server that all share.
struct Redis(RedisOptions);

#[async_trait]
impl Installation for Redis {
    async fn join(&self, this: NodeInfo) -> Arc<dyn Cluster> {
        let shared = RedisShared::connect(self.0.clone(), this).await.expect("options that can be used");
        assert!(shared.is_reachable(), "redis is there");
        Arc::new(shared)
    }
}

fn over(urls: &[String]) -> Redis {
    static INSTALLATIONS: AtomicU32 = AtomicU32::new(0);
    let mut options = RedisOptions::new(urls.iter().map(|url| url.parse().expect("a URL")).collect());
    options.prefix = format!("test-{}:", INSTALLATIONS.fetch_add(1, Ordering::Relaxed));
    // These tests run beside each other and beside compilers; how soon an absence is noticed is tested elsewhere.
    options.response_timeout = Duration::from_secs(5);
    Redis(options)
}

async fn redis() -> Redis {
    let url = tokio::task::spawn_blocking(|| RedisServer::shared().url()).await.expect("it starts");
    over(&[url])
}

async fn redis_cluster() -> Redis {
    static SHARED: OnceLock<RedisCluster> = OnceLock::new();
    let start = || SHARED.get_or_init(|| RedisCluster::start().expect("it starts")).urls();
    over(&tokio::task::spawn_blocking(start).await.expect("it starts"))
}

plinto_cluster::conformance!(in_process, one_process);
plinto_cluster::conformance!(redis_single, redis);
plinto_cluster::conformance!(redis_cluster_mode, redis_cluster);
