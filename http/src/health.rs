//! Liveness, readiness and metrics: the same on every listener.

use crate::problem::{Problem, internal};
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::EngineHealth;
use prometheus_client::encoding::text::encode;
use serde::Serialize;
use utoipa::ToSchema;

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
    /// `ready`, or `degraded`: at least one dependency is not.
    status: &'static str,
    dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dependency {
    name: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The process is alive.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, body = Live)))]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

/// What is wrong, in words that tell nothing of the machine; the engine's own words go into the log.
fn reason_of(storage: &EngineHealth) -> Option<&'static str> {
    let said = storage.reason.as_deref()?;
    tracing::warn!(reason = said, "storage is degraded");
    Some(if storage.readable { "storage cannot be written" } else { "storage cannot be read" })
}

/// The process can do its work.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = Ready), (status = 503, body = Ready)))]
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    let storage = state.platform().storage_health().await;
    let good = |ready| if ready { "ready" } else { "degraded" };
    let dependencies = vec![
        Dependency { name: "storage", status: good(storage.ready()), reason: reason_of(&storage) },
        Dependency { name: "runtime", status: good(!state.platform().system().is_stopping()), reason: None },
    ];
    let all = dependencies.iter().all(|dependency| dependency.status == "ready");
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { status: good(all), dependencies })).into_response()
}

/// Metrics in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(("platform_key" = [])),
    responses((status = 200, content_type = "application/openmetrics-text", body = String), (status = 401, body = Problem)))]
pub(crate) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let mut text = String::new();
    encode(&mut text, state.registry()).map_err(|_| internal())?;
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}
