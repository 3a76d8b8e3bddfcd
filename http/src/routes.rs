//! The authorization table: every route with the access it asks for, and the routers made from it.

use crate::config::ListenerName;
use crate::guard::{self, BoxedHandler, Guarded, ListenerLoad, RouteContext, Wrapped};
use crate::problem;
use crate::state::AppState;
use axum::Router;
use axum::http::{HeaderValue, Method};
use axum::routing::{MethodFilter, on};
use plinto_domain::api_scope::ApiScope;
use std::sync::Arc;
use tower_http::cors::CorsLayer;

/// What a caller must present. Checked before the handler runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nothing.
    Public,
    /// An access token of the tenant; the handler's one call into the platform verifies it.
    AccessToken,
    /// A platform key, or a tenant's key that may ask about tokens; the handler's call limits the latter to its tenant.
    ApiKey,
    /// A platform key.
    PlatformKey,
    /// A platform key, or a key of the tenant with this right. Management routes select their tenant: a tenant's key
    /// reaches its own, a platform key the one that is named.
    Manage(ApiScope),
    /// A platform key, unless the operator opened the metrics.
    Metrics,
}

/// How a route finds its tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tenancy {
    /// It has none, or names it in a parameter.
    None,
    /// By `/t/{tenant}` before the path, host name, `Plinto-Tenant` header or the token itself: the route is mounted
    /// with and without the prefix.
    Selected,
}

/// One row of the table.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path pattern.
    pub path: &'static str,
    /// What a caller must present.
    pub access: Access,
    /// How the tenant is found.
    pub tenancy: Tenancy,
    /// Who bounds the time of a request.
    pub timing: Timing,
    /// What a request sent twice does.
    pub repeating: Repeating,
    /// Whose identifier the answer's `X-Request-ID` is.
    pub request_id: RequestId,
    handler: Wrapped,
}

/// Whose identifier the answer's `X-Request-ID` is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestId {
    /// Ours: the trace under which the request was logged.
    Trace,
    /// The caller's, as AuthZEN asks (§10.1.3); ours if the caller sent none.
    Callers,
}

/// Who bounds the time of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timing {
    /// The guard, by a timer of its own.
    Guarded,
    /// The handler: everything it waits for carries the request's deadline. For the hot path, where a second timer is
    /// a measurable part of the work.
    ByItsCalls,
}

/// What a request sent twice does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeating {
    /// What its method says.
    AsItIs,
    /// With `Idempotency-Key` it takes effect once and is answered as the first time.
    OnceByKey,
}

fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).expect("tables use standard methods")
}

impl Route {
    /// A row without a tenant.
    pub(crate) fn new<H, T>(method: Method, path: &'static str, access: Access, handler: H) -> Self
    where
        H: BoxedHandler<T>,
        T: 'static,
    {
        Self {
            method,
            path,
            access,
            tenancy: Tenancy::None,
            timing: Timing::Guarded,
            repeating: Repeating::AsItIs,
            request_id: RequestId::Trace,
            handler: Wrapped::new(handler),
        }
    }

    /// The same row, for a handler whose every wait is bounded by the request's deadline.
    pub(crate) fn timed_by_its_calls(self) -> Self {
        Self { timing: Timing::ByItsCalls, ..self }
    }

    /// The same row, for a route that makes something new at each request, unless it has an `Idempotency-Key`.
    pub(crate) fn once_by_key(self) -> Self {
        Self { repeating: Repeating::OnceByKey, ..self }
    }

    /// The same row, for a route whose answers carry the caller's `X-Request-ID`.
    pub(crate) fn echoing_request_id(self) -> Self {
        Self { request_id: RequestId::Callers, ..self }
    }

    /// The same row, for a route that selects a tenant.
    pub(crate) fn of_tenant(self) -> Self {
        Self { tenancy: Tenancy::Selected, ..self }
    }
}

/// The rows of a listener.
pub fn table(listener: ListenerName, state: &AppState) -> Vec<Route> {
    let mut rows = crate::health::routes();
    rows.extend(match listener {
        ListenerName::Core => crate::core::routes(state.platform().mailbox().is_some()),
        ListenerName::Auth => crate::auth::routes(state.config().fault_injection),
        ListenerName::Mock | ListenerName::Webhooks => Vec::new(),
    });
    rows
}

/// The router of a listener, made from its table.
pub fn router(listener: ListenerName, state: &AppState) -> Router {
    let load = Arc::new(ListenerLoad::new(listener, state));
    let mut router = Router::new();
    for route in table(listener, state) {
        let context = RouteContext::new(&load, &route, state);
        let guarded = on(filter(&route.method), Guarded::new(context, route.handler));
        if route.tenancy == Tenancy::Selected {
            router = router.route(&format!("/t/{{tenant}}{}", route.path), guarded.clone());
        }
        router = router.route(route.path, guarded);
    }
    if listener == ListenerName::Core {
        router = router.merge(crate::openapi::explorer(&load, state));
    }
    let unmatched = |handler| Guarded::new(RouteContext::unmatched(&load, state), handler);
    let fallback = match listener {
        ListenerName::Core | ListenerName::Auth => Wrapped::new(|| async { problem::not_found() }),
        ListenerName::Mock => Wrapped::new(|| async { crate::notices::mock() }),
        ListenerName::Webhooks => Wrapped::new(|| async { crate::notices::webhooks() }),
    };
    let mut router = router
        .fallback(unmatched(fallback))
        .method_not_allowed_fallback(unmatched(Wrapped::new(|| async { problem::method_not_allowed() })));
    if let Some(cors) = cors(state).filter(|_| listener == ListenerName::Core) {
        router = router.layer(cors);
    }
    router.with_state(state.clone())
}

/// Cross-origin calls from the configured origins only; those may also send the cookies of a session.
fn cors(state: &AppState) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> =
        state.config().cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let headers = [
        axum::http::header::AUTHORIZATION,
        axum::http::header::CONTENT_TYPE,
        axum::http::header::IF_MATCH,
        axum::http::header::IF_NONE_MATCH,
        crate::cookies::CSRF_HEADER,
        axum::http::HeaderName::from_static("plinto-tenant"),
        guard::IDEMPOTENCY_KEY,
        axum::http::HeaderName::from_static("plinto-publishable-key"),
        axum::http::HeaderName::from_static("traceparent"),
    ];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(headers)
            .allow_credentials(true)
            .expose_headers([
                axum::http::header::ETAG,
                axum::http::header::RETRY_AFTER,
                guard::budgets::POLICY,
                guard::budgets::LEFT,
                guard::REQUEST_ID,
            ])
            .max_age(std::time::Duration::from_secs(600)),
    )
}
