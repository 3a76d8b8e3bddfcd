//! Metrics of the listeners. Labels are the listener, the route's pattern and the status class: all from tables.

use crate::config::ListenerName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    listener: &'static str,
    method: &'static str,
    route: &'static str,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RouteLabels {
    listener: &'static str,
    route: &'static str,
}

/// Families registered once.
pub(crate) struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

impl HttpMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds as fn() -> Histogram),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register("http_request_seconds", "Time to answer a request", metrics.seconds.clone());
        metrics
    }

    /// The metrics of one route, resolved once so that a request costs two atomic additions.
    pub(crate) fn route(
        &self,
        listener: ListenerName,
        method: &'static str,
        route: &'static str,
    ) -> RouteMetrics {
        let listener = listener.as_str();
        let by_class = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|status| {
            self.requests.get_or_create(&RequestLabels { listener, method, route, status }).clone()
        });
        let seconds = self.seconds.get_or_create(&RouteLabels { listener, route }).clone();
        RouteMetrics { by_class, seconds }
    }
}

/// Counters of one route.
pub(crate) struct RouteMetrics {
    by_class: [Counter; 5],
    seconds: Histogram,
}

impl RouteMetrics {
    pub(crate) fn record(&self, status: u16, elapsed: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_class[class].inc();
        self.seconds.observe(elapsed.as_secs_f64());
    }
}
