//! Auth service: what other services ask.

pub(crate) mod introspect;
pub(crate) mod nodes;
pub(crate) mod runtime;

use crate::routes::{Access, Route};
use axum::http::Method;

/// The auth service's rows of the authorization table.
pub(crate) fn routes(fault_injection: bool) -> Vec<Route> {
    use Access::{ApiKey, PlatformKey};
    let mut rows = vec![
        Route::new(Method::POST, "/v1/introspect", ApiKey, introspect::introspect).timed_by_its_calls(),
        Route::new(Method::GET, "/v1/runtime/tree", PlatformKey, runtime::tree),
        Route::new(Method::GET, "/v1/runtime/events", PlatformKey, runtime::events),
        Route::new(Method::GET, "/v1/runtime/nodes", PlatformKey, nodes::nodes),
        Route::new(Method::POST, "/v1/runtime/reset", PlatformKey, runtime::reset),
    ];
    if fault_injection {
        rows.push(Route::new(Method::POST, "/v1/runtime/fault", PlatformKey, runtime::fault));
    }
    rows
}
