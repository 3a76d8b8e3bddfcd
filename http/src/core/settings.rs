//! Settings of a tenant, administered by its services and by operators.

use crate::extract::{JsonBody, ManagedTenant};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use plinto_actors::TenantChange;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::tenant::TenantSettings;
use serde_json::{Map, Value};
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(get, change), tags((name = "settings", description = "How a tenant is configured")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Settings));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Settings));
    vec![
        Route::new(Method::GET, "/v1/settings", READ, get).of_tenant(),
        Route::new(Method::PATCH, "/v1/settings", WRITE, change).of_tenant(),
    ]
}

/// The tenant's settings. The answer's `ETag` is the tenant's version.
#[utoipa::path(get, path = "/v1/settings", tag = "settings",
    params(("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = TenantSettings), (status = 304, description = "not changed"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().tenant(tenant).await?;
    Ok(Versioned { version: view.version, body: view.settings }.unless_known(&known))
}

/// Change settings (RFC 7396): what is left out stays, `null` goes back to the default. They hold at once. With
/// `If-Match` only if nobody else changed the tenant meanwhile.
#[utoipa::path(patch, path = "/v1/settings", tag = "settings", request_body = TenantSettings,
    params(("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = TenantSettings), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    IfMatch(precondition): IfMatch,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> Result<Versioned<TenantSettings>, Problem> {
    let wanted = TenantChange { settings: Some(patch), ..TenantChange::default() };
    let view = state.platform().change_tenant(tenant, wanted, precondition, actor).await?;
    Ok(Versioned { version: view.version, body: view.settings })
}
