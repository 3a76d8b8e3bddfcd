//! Metrics of what an installation consists of besides this process: pooled connections, the cluster, other nodes'
//! changes. Taken when they are scraped.

use crate::dependencies::Found;
use parking_lot::Mutex;
use plinto_actors::{NodesCount, PoolHealth};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::sync::Arc;

/// What the next scrape shows.
#[derive(Default)]
struct Shown {
    pool: Option<PoolHealth>,
    reachable: bool,
    notices_lost: u64,
    nodes: NodesCount,
}

/// What a scrape shows.
#[derive(Clone, Default)]
pub(crate) struct InstallationMetrics(Arc<Mutex<Shown>>);

impl InstallationMetrics {
    /// Takes over what was found, for the scrape that follows.
    pub(crate) fn take(&self, found: &Found, nodes: NodesCount) {
        *self.0.lock() = Shown {
            pool: found.storage.pool.clone(),
            reachable: found.cluster.reachable,
            notices_lost: found.cluster.notices_lost,
            nodes,
        };
    }
}

impl fmt::Debug for InstallationMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationMetrics")
    }
}

impl Collector for InstallationMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shown = self.0.lock();
        let mut out = Out(&mut encoder);
        if let Some(pool) = &shown.pool {
            out.pool(pool)?;
        }
        out.gauge("cluster_reachable", "Whether the store nodes share answers", i64::from(shown.reachable))?;
        out.counter("cluster_notices_lost", "Notices that could not be sent", shown.notices_lost)?;
        let NodesCount { polls, polls_failed, notices, gaps, changes_applied, doubts, allowance_refusals } =
            shown.nodes;
        out.counter("nodes_polls", "Times the ledgers were looked at for other nodes' changes", polls)?;
        out.counter("nodes_polls_failed", "Times that failed", polls_failed)?;
        out.counter("nodes_notices", "Notices heard from other nodes", notices)?;
        out.counter("nodes_gaps", "Times notices may have been missed", gaps)?;
        out.counter("nodes_changes_applied", "Changes of other nodes applied here", changes_applied)?;
        out.counter("nodes_doubts", "Times sessions were read again for want of changes", doubts)?;
        out.counter("allowance_refusals", "Requests refused by limits all nodes share", allowance_refusals)
    }
}

struct Out<'a, 'e>(&'a mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn pool(&mut self, pool: &PoolHealth) -> fmt::Result {
        self.gauge("storage_pool_limit", "Connections the pool may open", pool.limit)?;
        self.gauge("storage_pool_open", "Connections open", pool.open)?;
        self.gauge("storage_pool_in_use", "Connections at work", pool.in_use)?;
        self.gauge("storage_pool_waiting", "Callers that wait for a connection", pool.waiting)?;
        let wait = pool.oldest_wait.as_secs_f64();
        self.gauge("storage_pool_oldest_wait_seconds", "How long the first of them has waited", wait)?;
        match pool.round_trip {
            Some(took) => {
                let took = took.as_secs_f64();
                self.gauge("storage_round_trip_seconds", "The last round trip to the database", took)
            }
            None => Ok(()),
        }
    }

    fn gauge<N>(&mut self, name: &str, help: &str, value: N) -> fmt::Result
    where
        ConstGauge<N>: EncodeMetric,
    {
        let metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(metric)
    }
}
