//! What the operator may configure of the listeners.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// One of the four listeners.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenerName {
    /// Core API.
    Core,
    /// Auth service.
    Auth,
    /// Mock API.
    Mock,
    /// Webhook service.
    Webhooks,
}

impl ListenerName {
    /// All of them, in the order of their ports.
    pub const ALL: [Self; 4] = [Self::Core, Self::Auth, Self::Mock, Self::Webhooks];

    /// Name in configuration, metrics and the supervision tree.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Auth => "auth",
            Self::Mock => "mock",
            Self::Webhooks => "webhooks",
        }
    }

    /// Port it has unless configured otherwise.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Core => 8000,
            Self::Auth => 8001,
            Self::Mock => 8002,
            Self::Webhooks => 8003,
        }
    }
}

impl fmt::Display for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Settings of the listeners.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Which listeners to open, and where.
    pub listeners: Vec<(ListenerName, SocketAddr)>,
    /// Bounds.
    pub limits: HttpLimits,
    /// Origins that browsers may call the Core API from; none by default.
    pub cors_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Domain under which `{tenant}.{domain}` selects a tenant.
    pub tenant_domain: Option<String>,
    /// Whether `/metrics` needs no platform key.
    pub open_metrics: bool,
    /// Whether `POST /v1/runtime/fault` exists: fault injection for chaos experiments, never in production.
    pub fault_injection: bool,
    /// Whether the public base URL is https, so that browsers are told to stay on it.
    pub strict_transport: bool,
}

/// Bounds of every listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpLimits {
    /// Largest request body in bytes.
    pub body_bytes: usize,
    /// Largest part of an import of users in bytes.
    pub import_bytes: usize,
    /// Largest request head (line and headers) in bytes.
    pub head_bytes: usize,
    /// Most headers in a request.
    pub headers: usize,
    /// Milliseconds within which a request's head must have arrived.
    pub head_millis: u64,
    /// Milliseconds within which a request is answered, its body included; the deadline that travels with messages.
    pub request_millis: u64,
    /// Requests in flight per listener; beyond it requests are refused at once.
    pub in_flight: u32,
    /// Connections per listener; beyond it new ones wait in the kernel's backlog.
    pub connections: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            import_bytes: 16 * 1024 * 1024,
            head_bytes: 32 * 1024,
            headers: 64,
            head_millis: 10_000,
            request_millis: 10_000,
            in_flight: 4_096,
            connections: 10_000,
        }
    }
}

impl HttpLimits {
    /// Time a request has.
    pub fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_millis)
    }

    /// Time a request's head has.
    pub fn head_time(&self) -> Duration {
        Duration::from_millis(self.head_millis)
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        let local = |name: ListenerName| (name, SocketAddr::from(([127, 0, 0, 1], name.default_port())));
        Self {
            listeners: ListenerName::ALL.map(local).to_vec(),
            limits: HttpLimits::default(),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            tenant_domain: None,
            open_metrics: false,
            fault_injection: false,
            strict_transport: false,
        }
    }
}
