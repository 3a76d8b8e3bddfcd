//! Feature flags: administered by the tenant's services, asked for by them and by signed-in users.

mod bodies;
mod evaluation;

use crate::extract::{JsonBody, ManagedTenant, QueryOf};
use crate::pages::{Page, Paging};
use crate::problem::{Problem, internal};
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bodies::{FlagBody, FlagChangeBody, FlagPath, FlagsQuery, NewFlagBody, versioned};
use plinto_actors::ServiceError;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::flag::FlagKey;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(list, create, get, change, delete, evaluation::evaluate, evaluation::mine),
    tags((name = "flags", description = "Feature flags: typed values, served by rules and percentages"))
)]
pub(crate) struct Operations;

/// The right to look at flags and to ask for their values.
const READ: Access = Access::Manage(ApiScope::read(Resource::Settings));
/// The right to change them.
const WRITE: Access = Access::Manage(ApiScope::write(Resource::Settings));

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/v1/flags", READ, list).of_tenant(),
        Route::new(Method::POST, "/v1/flags", WRITE, create).of_tenant().once_by_key(),
        Route::new(Method::POST, "/v1/flags/evaluate", READ, evaluation::evaluate).of_tenant(),
        Route::new(Method::GET, "/v1/flags/{flag}", READ, get).of_tenant(),
        Route::new(Method::PATCH, "/v1/flags/{flag}", WRITE, change).of_tenant(),
        Route::new(Method::DELETE, "/v1/flags/{flag}", WRITE, delete).of_tenant(),
        Route::new(Method::GET, "/v1/users/me/flags", Access::AccessToken, evaluation::mine).of_tenant(),
    ]
}

/// A key in a path; a text that cannot be one names nothing.
fn named(path: &FlagPath) -> Result<FlagKey, Problem> {
    FlagKey::parse("flag", &path.flag).map_err(|_| crate::problem::not_found())
}

/// List flags.
#[utoipa::path(get, path = "/v1/flags", tag = "flags", params(FlagsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<FlagBody>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<FlagsQuery>,
) -> Result<Json<Page<FlagBody>>, Problem> {
    let paging = Paging::<FlagKey>::of(query.after.as_deref(), query.limit)?;
    let to_read = paging.to_read() as usize;
    let flags = state.platform().flags(tenant, paging.after.as_ref(), to_read, state.deadline()).await?;
    Ok(Json(paging.page(flags, |view| view.flag.key.to_string(), FlagBody::from)))
}

/// Create a flag. A boolean needs nothing but its key: it has the variants `on` and `off`, and is off for everybody
/// until a rule says otherwise.
#[utoipa::path(post, path = "/v1/flags", tag = "flags", request_body = NewFlagBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = FlagBody), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewFlagBody>,
) -> Result<impl IntoResponse, Problem> {
    let (key, definition) = body.parse().map_err(ServiceError::from)?;
    let view = state.platform().create_flag(tenant, key, definition, actor, state.deadline()).await?;
    let location = HeaderValue::from_str(&format!("/v1/flags/{}", view.flag.key)).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], versioned(view)))
}

/// One flag. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/flags/{flag}", tag = "flags", params(("flag" = String, Path, example = "new-checkout"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = FlagBody), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<FlagPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().flag(tenant, &named(&path)?, state.deadline()).await?;
    Ok(versioned(view).unless_known(&known))
}

/// Change a flag (RFC 7396): what is left out stays, lists are replaced as a whole. It holds at once, on every node. With
/// `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/flags/{flag}", tag = "flags", request_body = FlagChangeBody,
    params(("flag" = String, Path, example = "new-checkout"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = FlagBody), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn change(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<FlagPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<FlagChangeBody>,
) -> Result<Versioned<FlagBody>, Problem> {
    let (key, deadline) = (named(&path)?, state.deadline());
    let view = state.platform().change_flag(tenant, key, body.into(), precondition, actor, deadline).await?;
    Ok(versioned(view))
}

/// Delete a flag.
#[utoipa::path(delete, path = "/v1/flags/{flag}", tag = "flags",
    params(("flag" = String, Path, example = "new-checkout"), ("If-Match" = Option<String>, Header, description = "ETag of the version to delete")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<FlagPath>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let key = named(&path)?;
    state.platform().delete_flag(tenant, key, precondition, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
