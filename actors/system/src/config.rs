//! What the operator may configure of the actor system.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of the actor system.
#[derive(Clone, Debug)]
pub struct PlatformConfig {
    /// Public base URL without a trailing slash; issuers are `{base_url}/t/{tenant}`.
    pub base_url: String,
    /// Every bound.
    pub limits: Limits,
}

/// Every bound of the actor system. Rates are per second, queues and caps are counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second one tenant may make of its actor and sessions together, on all nodes that share a database.
    pub tenant_per_second: u32,
    /// Requests a tenant may make at once after a quiet time.
    pub tenant_burst: u32,
    /// Requests of one tenant in flight.
    pub tenant_in_flight: u32,
    /// Requests a second one session may make, on each node.
    pub session_per_second: u32,
    /// Requests a session may make at once after a quiet time.
    pub session_burst: u32,
    /// Requests of one session in flight.
    pub session_in_flight: u32,
    /// Sign-in attempts on one account at once, on all nodes that share a database; so for networks below.
    pub account_burst: u32,
    /// Seconds until one more attempt on an account is granted.
    pub account_refill_seconds: u32,
    /// Sign-ups and sign-ins from one network (IPv4 address or IPv6 /64) at once.
    pub address_burst: u32,
    /// Milliseconds until one more attempt from a network is granted.
    pub address_refill_millis: u32,
    /// Live session actors on this node; beyond it the least recently used are passivated.
    pub live_sessions: usize,
    /// Bytes of live session state on this node.
    pub live_session_bytes: usize,
    /// Seconds after which an idle session actor is passivated.
    pub session_idle_seconds: u32,
    /// Live tenant actors on this node.
    pub live_tenants: usize,
    /// Bytes of live tenant state on this node, remembered tokens included.
    pub live_tenant_bytes: usize,
    /// Seconds after which an idle tenant actor is passivated.
    pub tenant_idle_seconds: u32,
    /// Threads that hash passwords; 0 means one per core.
    pub password_workers: usize,
    /// Password checks one tenant may have waiting.
    pub password_queue: usize,
    /// Verified access tokens remembered per tenant.
    pub verified_tokens: usize,
    /// Units of work waiting in one tenant's ledger.
    pub ledger_in_flight: u32,
    /// Units of work in one transaction.
    pub ledger_batch: usize,
    /// Streams of its audit ledger one tenant may have open at once, on each node.
    pub audit_streams: usize,
    /// Imports and exports of users one tenant may have under way at once, on each node.
    pub bulk_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tenant_per_second: 2_000,
            tenant_burst: 4_000,
            tenant_in_flight: 512,
            session_per_second: 100,
            session_burst: 200,
            session_in_flight: 64,
            account_burst: 10,
            account_refill_seconds: 30,
            address_burst: 60,
            address_refill_millis: 1_000,
            live_sessions: 100_000,
            live_session_bytes: 1 << 30,
            session_idle_seconds: 300,
            live_tenants: 2_000,
            live_tenant_bytes: 1 << 30,
            tenant_idle_seconds: 900,
            password_workers: 0,
            password_queue: 64,
            verified_tokens: 10_000,
            ledger_in_flight: 4_096,
            ledger_batch: 512,
            audit_streams: 8,
            bulk_streams: 4,
        }
    }
}

impl Limits {
    /// How long an idle session actor stays.
    pub(crate) fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_idle_seconds.into())
    }

    /// How long an idle tenant actor stays.
    pub(crate) fn tenant_idle(&self) -> Duration {
        Duration::from_secs(self.tenant_idle_seconds.into())
    }

    /// Password workers, resolved.
    pub fn password_workers(&self) -> usize {
        match self.password_workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }
}
