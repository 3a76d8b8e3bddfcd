//! Prometheus metrics. Read at scrape time from the runtime's own counters; labels are kinds, states, reasons
//! and pool names, never keys.

use super::stats::{KindStats, PoolStats};
use super::stripes::HistogramSnapshot;
use super::tree::NodeState;
use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What is scraped. Directories and pools join as they are made.
#[derive(Default)]
pub(crate) struct RuntimeCollector {
    kinds: RwLock<Vec<Arc<KindStats>>>,
    pools: RwLock<Vec<Arc<PoolStats>>>,
}

impl RuntimeCollector {
    pub(crate) fn add_kind(&self, stats: Arc<KindStats>) {
        self.kinds.write().push(stats);
    }

    pub(crate) fn add_pool(&self, stats: Arc<PoolStats>) {
        self.pools.write().push(stats);
    }
}

impl std::fmt::Debug for RuntimeCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeCollector").finish_non_exhaustive()
    }
}

type Labels = [(&'static str, &'static str); 2];
type Point<T> = (Labels, T);
const NO_REASON: (&str, &str) = ("", "");

impl Collector for RuntimeCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut out = Out(&mut encoder);
        encode_kinds(&mut out, &self.kinds.read())?;
        encode_pools(&mut out, &self.pools.read())
    }
}

fn encode_kinds(out: &mut Out<'_, '_>, kinds: &[Arc<KindStats>]) -> Result<(), std::fmt::Error> {
    let per_kind = |value: fn(&KindStats) -> u64| -> Vec<Point<u64>> {
        kinds.iter().map(|stats| ([("kind", stats.kind), NO_REASON], value(stats))).collect()
    };
    let states = kinds.iter().flat_map(|stats| {
        NodeState::ALL.map(|state| {
            let count = i64::try_from(stats.in_state(state)).unwrap_or(i64::MAX);
            ([("kind", stats.kind), ("state", state.label())], count)
        })
    });
    out.gauge("runtime_actors", "Keys known to the directory by state", states)?;
    let depth = kinds.iter().map(|stats| ([("kind", stats.kind), NO_REASON], stats.in_flight.get()));
    out.gauge("runtime_mailbox_depth", "Requests in flight, queued ones included", depth)?;
    let bytes =
        kinds.iter().map(|stats| ([("kind", stats.kind), NO_REASON], stats.bytes.load(Ordering::Relaxed)));
    out.gauge("runtime_actor_bytes", "Estimated bytes of live actors", bytes)?;
    let histogram = |value: fn(&KindStats) -> HistogramSnapshot| -> Vec<Point<HistogramSnapshot>> {
        kinds.iter().map(|stats| ([("kind", stats.kind), NO_REASON], value(stats))).collect()
    };
    out.histogram(
        "runtime_handle_seconds",
        "Time spent in handlers",
        histogram(|s| s.handle_time.snapshot()),
    )?;
    out.histogram(
        "runtime_activation_seconds",
        "Time from the first request to a live actor",
        histogram(|s| s.activation_time.snapshot()),
    )?;
    out.counter("runtime_activations", "Actors activated", per_kind(|s| load(&s.activations)))?;
    out.counter(
        "runtime_activation_failures",
        "Activations that failed, unknown keys not counted",
        per_kind(|s| load(&s.activation_failures)),
    )?;
    out.counter("runtime_crashes", "Actors that died", per_kind(|s| load(&s.crashes)))?;
    out.counter("runtime_restarts", "Actors live again after a failure", per_kind(|s| load(&s.restarts)))?;
    out.counter("runtime_quarantines", "Keys quarantined", per_kind(|s| load(&s.quarantines)))?;
    let by_reason = |stats: &Arc<KindStats>, points: Vec<(&'static str, u64)>| {
        let kind = stats.kind;
        points.into_iter().map(move |(reason, n)| ([("kind", kind), ("reason", reason)], n))
    };
    let refusals = kinds.iter().flat_map(|s| by_reason(s, s.refusals().collect()));
    out.counter("runtime_refusals", "Requests refused", refusals)?;
    let drops = kinds.iter().flat_map(|s| by_reason(s, s.drops().collect()));
    out.counter("runtime_dropped_messages", "Messages dropped before a handler saw them", drops)?;
    let passivations = kinds.iter().flat_map(|s| by_reason(s, s.passivations().collect()));
    out.counter("runtime_passivations", "Actors that left in good order", passivations)
}

fn encode_pools(out: &mut Out<'_, '_>, pools: &[Arc<PoolStats>]) -> Result<(), std::fmt::Error> {
    let gauge = |value: fn(&PoolStats) -> &AtomicI64| -> Vec<Point<i64>> {
        pools
            .iter()
            .map(|stats| ([("pool", stats.name), NO_REASON], value(stats).load(Ordering::Relaxed)))
            .collect()
    };
    out.gauge("runtime_pool_queued", "Jobs waiting for a worker", gauge(|s| &s.queued))?;
    out.gauge("runtime_pool_running", "Jobs being worked on", gauge(|s| &s.running))?;
    let outcomes = pools.iter().flat_map(|stats| {
        let point = |reason, count| ([("pool", stats.name), ("outcome", reason)], load(count));
        [
            point("done", &stats.done),
            point("dropped", &stats.dropped),
            point("refused", &stats.refused),
            point("crashed", &stats.crashed),
        ]
    });
    out.counter("runtime_pool_jobs", "Jobs by outcome", outcomes)?;
    let waits = pools.iter().map(|stats| ([("pool", stats.name), NO_REASON], stats.wait_time.snapshot()));
    out.histogram("runtime_pool_wait_seconds", "Time jobs waited for a worker", waits)
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

struct Out<'a, 'e>(&'a mut DescriptorEncoder<'e>);

/// Encodes the labels that are present.
fn present(labels: &Labels) -> &[(&'static str, &'static str)] {
    if labels[1].0.is_empty() { &labels[..1] } else { labels }
}

impl Out<'_, '_> {
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        points: impl IntoIterator<Item = Point<i64>>,
    ) -> Result<(), std::fmt::Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in points {
            let labels = present(&labels);
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        points: impl IntoIterator<Item = Point<u64>>,
    ) -> Result<(), std::fmt::Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in points {
            let labels = present(&labels);
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        points: impl IntoIterator<Item = Point<HistogramSnapshot>>,
    ) -> Result<(), std::fmt::Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, value) in points {
            let labels = present(&labels);
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                value.sum_seconds,
                value.count,
                &value.buckets,
                None,
            )?;
        }
        Ok(())
    }
}
