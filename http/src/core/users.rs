//! Users of a tenant, administered by its services and by operators.

use crate::core::accounts::User;
use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::Response;
use plinto_domain::UserId;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::user::UserChange;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(list, get, change), tags((name = "users", description = "Administration of a tenant's users")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Users));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Users));
    vec![
        Route::new(Method::GET, "/v1/users", READ, list).of_tenant(),
        Route::new(Method::GET, "/v1/users/{user}", READ, get).of_tenant(),
        Route::new(Method::PATCH, "/v1/users/{user}", WRITE, change).of_tenant(),
    ]
}

/// Which users.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsersQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Users on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// List users.
#[utoipa::path(get, path = "/v1/users", tag = "users", params(UsersQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<User>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<UsersQuery>,
) -> Result<Json<Page<User>>, Problem> {
    let paging = Paging::<UserId>::of(query.after.as_deref(), query.limit)?;
    let users = state.platform().users(tenant, paging.after, paging.to_read(), state.deadline()).await?;
    Ok(Json(paging.page(users, |user| user.id.to_string(), User::from)))
}

/// One user. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/users/{user}", tag = "users", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 304, description = "not changed"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().user(tenant, path_id(&path.user)?, state.deadline()).await?;
    Ok(Versioned { version: view.version, body: User::from(view) }.unless_known(&known))
}

/// The user a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct UserPath {
    user: String,
}

/// A change (RFC 7396): what is left out stays, `null` removes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChangeBody {
    /// What to call them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Ada King")]
    name: Option<Option<String>>,
}

/// Tells a member that is `null` from one that is left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Change a user. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/users/{user}", tag = "users", request_body = UserChangeBody,
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<UserChangeBody>,
) -> Result<Versioned<User>, Problem> {
    let user = path_id(&path.user)?;
    let change = UserChange::parse(body.name.as_ref().map(Option::as_deref))
        .map_err(plinto_actors::ServiceError::from)?;
    let deadline = state.deadline();
    let view = state.platform().change_user(tenant, user, change, &precondition, actor, deadline).await?;
    Ok(Versioned { version: view.version, body: User::from(view) })
}
