//! Liveness, readiness and metrics: the same on every listener.

use crate::dependencies::Found;
use crate::problem::{Problem, internal};
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{ClusterHealth, PoolHealth};
use prometheus_client::encoding::text::encode;
use serde::Serialize;
use std::time::Duration;
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(live, ready, metrics), tags((name = "operations", description = "Health and metrics (every port)")))]
pub(crate) struct Operations;

/// OpenMetrics media type.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/health", Access::Public, live),
        Route::new(Method::GET, "/health/ready", Access::Public, ready),
        Route::new(Method::GET, "/metrics", Access::Metrics, metrics),
    ]
}

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Live {
    status: &'static str,
}

/// Whether the process can do its work, dependency by dependency.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`; `degraded` with status 200: it serves, and something makes it serve less well; `unavailable` with status
    /// 503: send requests elsewhere.
    status: &'static str,
    dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dependency {
    /// `storage`: without it a node answers only for sessions it has in memory, so it is `unavailable`; while every
    /// connection to it is at work it is `degraded`. `shared`: what
    /// nodes share; without it limits are each node's part and changes arrive within two seconds, so the node is
    /// `degraded` and serves. `runtime`: `unavailable` from the moment the node is told to stop.
    name: &'static str,
    /// `ready`, `degraded` or `unavailable`.
    status: &'static str,
    /// What it is, such as `sqlite` or `redis`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Milliseconds of the last measured round trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip_ms: Option<f64>,
    /// The pool of connections, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<Pool>,
}

/// A pool of connections.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pool {
    /// Connections it may open.
    limit: u32,
    /// Connections open.
    open: u32,
    /// Connections at work.
    in_use: u32,
    /// Callers that wait for one.
    waiting: u32,
    /// Milliseconds the first of them has waited.
    oldest_wait_ms: f64,
}

/// The process is alive.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, body = Live)))]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

const READY: &str = "ready";
const DEGRADED: &str = "degraded";
const UNAVAILABLE: &str = "unavailable";

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// Reasons are in words that tell nothing of the machine.
fn storage(found: &Found) -> Dependency {
    let health = &found.storage;
    let (status, reason) = match (health.readable, health.writable, found.is_pool_exhausted()) {
        (true, true, false) => (READY, None),
        (true, true, true) => (DEGRADED, Some("every connection to storage is at work; requests wait")),
        (true, false, _) => (UNAVAILABLE, Some("storage cannot be written")),
        (false, ..) => (UNAVAILABLE, Some("storage cannot be read")),
    };
    let pool = |pool: &PoolHealth| Pool {
        limit: pool.limit,
        open: pool.open,
        in_use: pool.in_use,
        waiting: pool.waiting,
        oldest_wait_ms: millis(pool.oldest_wait),
    };
    Dependency {
        name: "storage",
        status,
        kind: Some(health.engine),
        reason,
        round_trip_ms: health.pool.as_ref().and_then(|pool| pool.round_trip).map(millis),
        pool: health.pool.as_ref().map(pool),
    }
}

fn shared(health: &ClusterHealth) -> Dependency {
    let away = "the store that nodes share does not answer; limits are each node's part, changes take longer to arrive";
    Dependency {
        name: "shared",
        status: if health.reachable { READY } else { DEGRADED },
        kind: Some(health.kind),
        reason: (!health.reachable).then_some(away),
        round_trip_ms: health.round_trip.map(millis),
        pool: None,
    }
}

fn runtime(stopping: bool) -> Dependency {
    Dependency {
        name: "runtime",
        status: if stopping { UNAVAILABLE } else { READY },
        kind: None,
        reason: stopping.then_some("the node is stopping"),
        round_trip_ms: None,
        pool: None,
    }
}

fn overall(dependencies: &[Dependency]) -> (StatusCode, &'static str) {
    let any = |status| dependencies.iter().any(|dependency| dependency.status == status);
    match (any(UNAVAILABLE), any(DEGRADED)) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
        (false, true) => (StatusCode::OK, DEGRADED),
        (false, false) => (StatusCode::OK, READY),
    }
}

/// The process can do its work, as of a quarter of a second ago at most: whether a load balancer should send requests here.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = Ready, description = "It serves, perhaps `degraded`"),
        (status = 503, body = Ready, description = "Send requests elsewhere")))]
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    let platform = state.platform();
    let stopping = state.is_draining() || platform.system().is_stopping();
    let found = state.dependencies().look(platform).await;
    let dependencies = vec![storage(&found), shared(&found.cluster), runtime(stopping)];
    let (code, status) = overall(&dependencies);
    (code, Json(Ready { status, dependencies })).into_response()
}

/// Metrics in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(("platform_key" = [])),
    responses((status = 200, content_type = "application/openmetrics-text", body = String), (status = 401, body = Problem)))]
pub(crate) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let platform = state.platform();
    state.installation().take(&*state.dependencies().look(platform).await, platform.nodes_count());
    let mut text = String::new();
    encode(&mut text, state.registry()).map_err(|_| internal())?;
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::tests::found;

    #[test]
    fn only_a_node_that_cannot_serve_sends_requests_elsewhere() {
        let of = |readable, reachable, stopping| {
            let found = found(readable, reachable);
            let told = [storage(&found), shared(&found.cluster), runtime(stopping)];
            let (code, status) = overall(&told);
            let told = serde_json::to_string(&told).expect("JSON");
            assert!(!told.contains("secret"), "nothing of the machine: {told}");
            (code.as_u16(), status)
        };
        assert_eq!(of(true, true, false), (200, READY));
        assert_eq!(of(true, false, false), (200, DEGRADED));
        assert_eq!(of(false, true, false), (503, UNAVAILABLE));
        assert_eq!(of(false, false, false), (503, UNAVAILABLE));
        assert_eq!(of(true, true, true), (503, UNAVAILABLE));
    }

    #[test]
    fn a_node_whose_pool_is_exhausted_still_serves() {
        let mut found = found(true, true);
        let pool = found.storage.pool.as_mut().expect("a pool");
        (pool.in_use, pool.waiting, pool.oldest_wait) = (pool.limit, 7, Duration::from_secs(1));
        let (code, status) = overall(&[storage(&found)]);
        assert_eq!((code.as_u16(), status), (200, DEGRADED));
    }

    #[test]
    fn a_pool_is_told_in_full() {
        let told = serde_json::to_value(storage(&found(true, true))).expect("JSON");
        let pool =
            serde_json::json!({ "limit": 10, "open": 3, "in_use": 0, "waiting": 0, "oldest_wait_ms": 2.0 });
        assert_eq!(told["pool"], pool);
        assert_eq!(told["kind"], "postgresql");
    }
}
