//! What every handler works with.

use crate::config::HttpConfig;
use crate::metrics::HttpMetrics;
use plinto_actors::Platform;
use plinto_actors::runtime::Deadline;
use plinto_domain::randomness::Randomness;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Shared by all listeners. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    platform: Platform,
    config: HttpConfig,
    randomness: Arc<dyn Randomness>,
    metrics: HttpMetrics,
    registry: Registry,
    closing: CancellationToken,
}

impl AppState {
    /// State over a running platform.
    pub fn new(platform: Platform, config: HttpConfig, randomness: Arc<dyn Randomness>) -> Self {
        let mut registry = Registry::with_prefix("plinto");
        platform.system().metrics(&mut registry);
        let metrics = HttpMetrics::register(&mut registry);
        Self(Arc::new(Inner {
            platform,
            config,
            randomness,
            metrics,
            registry,
            closing: CancellationToken::new(),
        }))
    }

    /// The platform.
    pub fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// Settings of the listeners.
    pub fn config(&self) -> &HttpConfig {
        &self.0.config
    }

    /// Cancelled when the listeners begin to close; answers without an end stop then.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    pub(crate) fn metrics(&self) -> &HttpMetrics {
        &self.0.metrics
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The deadline of a request that arrives now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.0.config.limits.request_time())
    }

    /// A trace id (W3C Trace Context §3.2.2.3): 16 random bytes, not all zero.
    pub(crate) fn trace_id(&self) -> [u8; 16] {
        let mut id = [0_u8; 16];
        self.0.randomness.fill(&mut id);
        id[0] |= 1;
        id
    }
}
