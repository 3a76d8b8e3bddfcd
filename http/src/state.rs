//! What every handler works with.

use crate::config::{HttpConfig, ListenerName};
use crate::dependencies::Dependencies;
use crate::installation_metrics::InstallationMetrics;
use crate::metrics::HttpMetrics;
use bytes::Bytes;
use plinto_actors::Platform;
use plinto_actors::runtime::Deadline;
use plinto_domain::randomness::Randomness;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Bodies of several megabytes that are in memory at once.
const UPLOADS: usize = 32;

/// Shared by all listeners. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    platform: Platform,
    config: HttpConfig,
    randomness: Arc<dyn Randomness>,
    metrics: HttpMetrics,
    installation: InstallationMetrics,
    dependencies: Dependencies,
    registry: Registry,
    openapi: OnceLock<Bytes>,
    draining: AtomicBool,
    closing: CancellationToken,
    uploads: Arc<Semaphore>,
}

impl AppState {
    /// State over a running platform.
    pub fn new(platform: Platform, config: HttpConfig, randomness: Arc<dyn Randomness>) -> Self {
        let mut registry = Registry::with_prefix("plinto");
        platform.system().metrics(&mut registry);
        let metrics = HttpMetrics::register(&mut registry);
        let installation = InstallationMetrics::default();
        registry.register_collector(Box::new(installation.clone()));
        Self(Arc::new(Inner {
            platform,
            config,
            randomness,
            metrics,
            installation,
            dependencies: Dependencies::default(),
            registry,
            openapi: OnceLock::new(),
            draining: AtomicBool::new(false),
            closing: CancellationToken::new(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
        }))
    }

    /// The platform.
    pub fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// Where what is random comes from.
    pub(crate) fn randomness(&self) -> &dyn Randomness {
        &*self.0.randomness
    }

    /// Settings of the listeners.
    pub fn config(&self) -> &HttpConfig {
        &self.0.config
    }

    /// The OpenAPI document of this node.
    pub(crate) fn openapi(&self) -> Bytes {
        let render = || {
            let auth = crate::openapi::url_of(self, ListenerName::Auth);
            crate::openapi::render(&auth, self.config().fault_injection)
        };
        self.0.openapi.get_or_init(render).clone()
    }

    /// Says from now on that this node is not ready, while it goes on serving, so that a load balancer sends requests
    /// elsewhere before the listeners close. Connections are closed with their next answer.
    pub fn begin_draining(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the node is about to stop.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// A place for a body that is larger than others may be; none when all are taken.
    pub(crate) fn upload(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.uploads).try_acquire_owned().ok()
    }

    /// Cancelled when the listeners begin to close; answers without an end stop then.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    pub(crate) fn metrics(&self) -> &HttpMetrics {
        &self.0.metrics
    }

    /// What the installation consists of besides this process, as last looked at.
    pub(crate) fn installation(&self) -> &InstallationMetrics {
        &self.0.installation
    }

    /// How what the node depends on is.
    pub(crate) fn dependencies(&self) -> &Dependencies {
        &self.0.dependencies
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
