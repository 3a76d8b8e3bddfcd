//! What happens round every handler: shed load, identify the request, check access, bound its time, harden the answer.

mod access;
pub(crate) mod budgets;
pub(crate) mod cross_site;
mod guarded;
mod headers;
mod idempotency;
mod trace;

use crate::config::ListenerName;
use crate::metrics::RouteMetrics;
use crate::problem;
use crate::routes::{Access, Repeating, RequestId, Route, Timing};
use crate::state::AppState;
use access::check_access;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use guarded::Inner;
use plinto_actors::noting_charges;
use plinto_actors::runtime::{Activity, NodeCounter};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::Instant;
use trace::TraceId;

pub(crate) use access::{Bearer, credential};
pub(crate) use guarded::{BoxedHandler, Guarded, Wrapped};
pub(crate) use headers::{ANSWER_HEADERS, short};
pub(crate) use idempotency::KEY as IDEMPOTENCY_KEY;

/// Header that carries the request's trace id back.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Load of one listener.
pub(crate) struct ListenerLoad {
    listener: ListenerName,
    most: u32,
    node: NodeCounter,
}

impl ListenerLoad {
    pub(crate) fn new(listener: ListenerName, state: &AppState) -> Self {
        let node = state.platform().system().register_node(format!("/listeners/{listener}"), "listener");
        Self { listener, most: state.config().limits.in_flight, node }
    }

    fn enter(&self, is_probe: bool) -> Option<Activity> {
        let activity = self.node.begin();
        (is_probe || self.node.in_flight() <= self.most).then_some(activity)
    }
}

/// What the guard knows of the route it stands before.
pub(crate) struct RouteContext {
    load: Arc<ListenerLoad>,
    access: Access,
    metrics: RouteMetrics,
    /// Probes are answered however busy the listener is: a busy process is alive.
    is_probe: bool,
    timing: Timing,
    repeatable: Repeating,
    request_id: RequestId,
    pattern: &'static str,
}

impl RouteContext {
    pub(crate) fn new(load: &Arc<ListenerLoad>, route: &Route, state: &AppState) -> Self {
        Self {
            timing: route.timing,
            repeatable: route.repeating,
            request_id: route.request_id,
            ..Self::of(load, route.method.as_str(), route.path, route.access, state)
        }
    }

    /// Of requests that match no route.
    pub(crate) fn unmatched(load: &Arc<ListenerLoad>, state: &AppState) -> Self {
        Self::of(load, "ANY", "unmatched", Access::Public, state)
    }

    /// Of the API explorer's files.
    pub(crate) fn explorer(load: &Arc<ListenerLoad>, state: &AppState) -> Self {
        Self::of(load, "GET", "/docs", Access::Public, state)
    }

    fn of(
        load: &Arc<ListenerLoad>,
        method: &str,
        pattern: &'static str,
        access: Access,
        state: &AppState,
    ) -> Self {
        let method = match method {
            "GET" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => "ANY",
        };
        let metrics = state.metrics().route(load.listener, method, pattern);
        Self {
            load: Arc::clone(load),
            access,
            metrics,
            is_probe: pattern.starts_with("/health"),
            timing: Timing::Guarded,
            repeatable: Repeating::AsItIs,
            request_id: RequestId::Trace,
            pattern,
        }
    }
}

/// Runs a request under guard.
async fn run(state: AppState, guarded: Arc<Inner>, mut request: Request) -> Response {
    let Inner { context: route, .. } = &*guarded;
    let began = Instant::now();
    let trace = TraceId::of(request.headers(), &state);
    let https = state.config().strict_transport;
    let callers_id = match route.request_id {
        RequestId::Callers => request.headers().get(REQUEST_ID).cloned(),
        RequestId::Trace => None,
    };
    let answer = match route.load.enter(route.is_probe) {
        None => problem::overloaded().into_response(),
        Some(_) if !is_text(request.uri().path()) => problem::not_found().into_response(),
        Some(in_flight) => {
            let answer = match check_access(route.access, &mut request, &state).await {
                Err(problem) => problem.into_response(),
                Ok(()) => answer_within_budget(&state, trace, &guarded, request).await,
            };
            drop(in_flight);
            answer
        }
    };
    let mut answer = headers::harden(answer, trace, https);
    if let Some(id) = callers_id {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    if state.is_draining() {
        headers::close_connection(&mut answer);
    }
    let status = answer.status();
    route.metrics.record(status.as_u16(), began.elapsed());
    if status.is_server_error() {
        tracing::warn!(trace_id = %trace, route = route.pattern, status = status.as_u16(), "request failed");
    }
    answer
}

/// Whether a path can name anything: names are text, also behind their percent signs.
fn is_text(path: &str) -> bool {
    !path.contains('%') || percent_encoding::percent_decode_str(path).decode_utf8().is_ok()
}

/// The answer, saying what is left of the caller's rate limit.
async fn answer_within_budget(
    state: &AppState,
    trace: TraceId,
    guarded: &Arc<Inner>,
    request: Request,
) -> Response {
    let answer = answer_once(state, trace, guarded, request);
    let access = guarded.context.access;
    if !budgets::are_told(access) {
        return answer.await;
    }
    let (mut answer, charged) = noting_charges(answer).await;
    budgets::tell(answer.headers_mut(), access, charged, state);
    answer
}

/// The handler's answer, or the one it gave to an earlier request with the same `Idempotency-Key`.
async fn answer_once(state: &AppState, trace: TraceId, guarded: &Arc<Inner>, request: Request) -> Response {
    if guarded.context.repeatable == Repeating::AsItIs {
        return answer_in_time(state, trace, guarded, request).await;
    }
    match idempotency::key_of(&request) {
        Err(problem) => problem.into_response(),
        Ok(None) => answer_in_time(state, trace, guarded, request).await,
        // Boxed, so that requests without a key do not carry the size of this.
        Ok(Some(key)) => Box::pin(idempotency::once(state, trace, guarded, request, &key)).await,
    }
}

/// The handler's answer, or why there is none: it took too long, or it panicked. Both are told from here rather than by
/// layers of their own: every layer costs each request a boxed service and a boxed future.
async fn answer_in_time(state: &AppState, trace: TraceId, guarded: &Inner, request: Request) -> Response {
    use tracing::Instrument;
    let Inner { context, handler } = guarded;
    let span = tracing::debug_span!("request", trace_id = %trace, route = context.pattern);
    let answer = AssertUnwindSafe(async { handler.call(request, state.clone()).await }).catch_unwind();
    let answer = match context.timing {
        Timing::ByItsCalls => Ok(answer.instrument(span).await),
        Timing::Guarded => {
            tokio::time::timeout(state.config().limits.request_time(), answer).instrument(span).await
        }
    };
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => panicked(&*panic),
        Err(_elapsed) => problem::timed_out().into_response(),
    }
}

/// A handler panicked: a bug. The connection lives on, the panic's text stays in the log.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    let what = panic.downcast_ref::<&'static str>().copied().unwrap_or("a panic with data");
    tracing::error!(panic = what, "handler panicked");
    problem::internal().into_response()
}
