//! The whole platform in this process, assembled as the `plinto` binary assembles it.

use super::environment::{SystemClock, SystemRandomness};
use super::error::BenchError;
use plinto_actors::{Clock, Environment, Limits, MailRoute, Platform, PlatformConfig};
use plinto_cluster::{InProcess, NodeId, NodeInfo};
use plinto_domain::audit::Actor;
use plinto_domain::tenant::TenantSettings;
use plinto_domain::{TenantId, Timestamp};
use plinto_http::{AppState, HttpConfig, ListenerName, Listeners};
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::{Engine, MasterKey, Store, TenantVault};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The data directories of benchmarks are thrown away, so this protects nothing.
pub(crate) const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// Issuers are below it.
pub(crate) const BASE_URL: &str = "http://plinto.bench";
/// Time a shutdown may take.
const GRACE: Duration = Duration::from_secs(10);

/// A running platform.
pub(crate) struct Instance {
    pub(crate) platform: Platform,
    pub(crate) store: Arc<Store>,
    listeners: Option<Listeners>,
}

/// A tenant to measure with.
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    pub(crate) slug: String,
    pub(crate) service_key: String,
    pub(crate) vault: Arc<TenantVault>,
}

/// Limits that run on every request and refuse none.
pub(crate) fn roomy() -> Limits {
    const MANY: u32 = 50_000_000;
    Limits {
        tenant_per_second: MANY,
        tenant_burst: MANY,
        tenant_in_flight: 4_096,
        session_per_second: MANY,
        session_burst: MANY,
        account_burst: MANY,
        account_refill_seconds: 1,
        address_burst: MANY,
        address_refill_millis: 1,
        ..Limits::default()
    }
}

/// The present.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// Opens a data directory, creating it if missing, without starting any actor.
pub(crate) async fn open_store(data_dir: &Path) -> Result<Arc<Store>, BenchError> {
    let data_dir = data_dir.to_owned();
    let engine = tokio::task::spawn_blocking(move || SqliteEngine::open(&data_dir, SqliteOptions::default()))
        .await??;
    open_over(Arc::new(engine)).await
}

async fn open_over(engine: Arc<dyn Engine>) -> Result<Arc<Store>, BenchError> {
    let master = MasterKey::parse(MASTER_KEY).expect("64 hexadecimal digits are a master key");
    let store = Store::open(engine, master, Arc::new(SystemRandomness), now().as_millis()).await?;
    Ok(Arc::new(store))
}

/// The only node there is.
fn alone() -> InProcess {
    InProcess::alone(NodeInfo {
        id: NodeId(uuid::Uuid::nil()),
        name: "bench".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        started_at: now().as_millis(),
        urls: BTreeMap::new(),
    })
}

impl Instance {
    /// Starts the platform without listeners.
    pub(crate) async fn start(data_dir: &Path, limits: Limits) -> Result<Self, BenchError> {
        Self::over(open_store(data_dir).await?, limits).await
    }

    /// The same on an engine that was opened elsewhere.
    pub(crate) async fn on(engine: Arc<dyn Engine>, limits: Limits) -> Result<Self, BenchError> {
        Self::over(open_over(engine).await?, limits).await
    }

    async fn over(store: Arc<Store>, limits: Limits) -> Result<Self, BenchError> {
        let environment = Environment::new(Arc::new(SystemClock), Arc::new(SystemRandomness));
        let config = PlatformConfig { base_url: BASE_URL.into(), limits };
        let platform =
            Platform::start(config, Arc::clone(&store), environment, Arc::new(alone()), MailRoute::Nowhere)
                .await?;
        Ok(Self { platform, store, listeners: None })
    }

    /// The same with all four listeners on free ports. Requests from this machine may name another address in
    /// `X-Forwarded-For`, so that a benchmark can come from many networks.
    pub(crate) async fn serve(data_dir: &Path, limits: Limits) -> Result<Self, BenchError> {
        let mut instance = Self::start(data_dir, limits).await?;
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = HttpConfig {
            listeners: ListenerName::ALL.map(|name| (name, free)).to_vec(),
            trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network of the loopback")],
            ..HttpConfig::default()
        };
        let state = AppState::new(instance.platform.clone(), http, Arc::new(SystemRandomness));
        instance.listeners = Some(Listeners::open(&state).await?);
        Ok(instance)
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: ListenerName) -> SocketAddr {
        let address = self.listeners.as_ref().and_then(|listeners| listeners.address(listener));
        address.expect("all listeners were opened by `serve`")
    }

    /// Creates a tenant.
    pub(crate) async fn tenant(&self, slug: &str) -> Result<Tenant, BenchError> {
        let settings = TenantSettings::default();
        self.platform.create_tenant(slug, slug, settings, Actor::System).await?;
        self.known_tenant(slug).await
    }

    /// A tenant that an earlier process created, with a service key of its own.
    pub(crate) async fn known_tenant(&self, slug: &str) -> Result<Tenant, BenchError> {
        let id = self.platform.resolve(slug).await?;
        let service_key =
            self.platform.issue_service_key(id, "benchmark", plinto_domain::audit::Actor::System).await?.text;
        let vault = self.store.unlock(id.uuid()).await?;
        let vault = vault.ok_or_else(|| BenchError::Invalid("the new tenant has no keys".into()))?;
        Ok(Tenant { id, slug: slug.to_owned(), service_key, vault })
    }

    /// Stops everything in order.
    pub(crate) async fn stop(self) {
        if let Some(listeners) = self.listeners {
            listeners.close(GRACE).await;
        }
        self.platform.system().shutdown(GRACE, GRACE * 2).await;
        self.platform.close().await;
    }
}
