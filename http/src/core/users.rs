//! Users of a tenant, administered by its services and by operators.

mod avatar;
pub(crate) mod body;
mod emails;
mod export;
pub(crate) mod imports;
pub(crate) mod invitations;
mod list;
mod standing;

pub(super) use body::given;

use crate::extract::{JsonBody, ManagedTenant, path_id};
use crate::problem::{self, Problem};
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Rendered, Versioned, json_of};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use body::{NewUserBody, User, UserChangeBody};
use plinto_actors::{Reader, ServiceError};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::user::profile::UserChange;
use serde::Deserialize;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(
        list::list,
        create,
        get,
        change,
        standing::delete,
        standing::restore,
        standing::block,
        standing::unblock,
        standing::lock,
        standing::unlock,
        emails::list,
        emails::add,
        emails::remove,
        emails::make_primary,
        emails::mark_verified,
        avatar::get,
        avatar::put,
        avatar::delete,
        avatar::get_mine,
        avatar::put_mine,
        avatar::delete_mine,
        invitations::invite,
        invitations::list,
        invitations::get,
        invitations::resend,
        invitations::revoke
    ),
    tags((name = "users", description = "Administration of a tenant's users"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Users));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Users));
    const EMAILS: &str = "/v1/users/{user}/emails";
    const AVATAR: &str = "/v1/users/{user}/avatar";
    const MY_AVATAR: &str = "/v1/users/me/avatar";
    const INVITATIONS: &str = "/v1/users/invitations";
    const INVITATION: &str = "/v1/users/invitations/{invitation}";
    let rows = vec![
        Route::new(Method::GET, INVITATIONS, READ, invitations::list),
        Route::new(Method::POST, INVITATIONS, WRITE, invitations::invite).once_by_key(),
        Route::new(Method::GET, INVITATION, READ, invitations::get),
        Route::new(Method::DELETE, INVITATION, WRITE, invitations::revoke),
        Route::new(Method::POST, "/v1/users/invitations/{invitation}/resend", WRITE, invitations::resend),
        Route::new(Method::GET, "/v1/users", READ, list::list),
        Route::new(Method::POST, "/v1/users", WRITE, create).once_by_key(),
        Route::new(Method::GET, "/v1/users/{user}", READ, get).timed_by_its_calls(),
        Route::new(Method::PATCH, "/v1/users/{user}", WRITE, change),
        Route::new(Method::DELETE, "/v1/users/{user}", WRITE, standing::delete),
        Route::new(Method::POST, "/v1/users/{user}/restore", WRITE, standing::restore),
        Route::new(Method::POST, "/v1/users/{user}/block", WRITE, standing::block),
        Route::new(Method::POST, "/v1/users/{user}/unblock", WRITE, standing::unblock),
        Route::new(Method::POST, "/v1/users/{user}/lock", WRITE, standing::lock),
        Route::new(Method::POST, "/v1/users/{user}/unlock", WRITE, standing::unlock),
        Route::new(Method::GET, EMAILS, READ, emails::list),
        Route::new(Method::POST, EMAILS, WRITE, emails::add).once_by_key(),
        Route::new(Method::DELETE, "/v1/users/{user}/emails/{email}", WRITE, emails::remove),
        Route::new(Method::POST, "/v1/users/{user}/emails/{email}/make-primary", WRITE, emails::make_primary),
        Route::new(
            Method::POST,
            "/v1/users/{user}/emails/{email}/mark-verified",
            WRITE,
            emails::mark_verified,
        ),
        Route::new(Method::GET, AVATAR, READ, avatar::get),
        Route::new(Method::PUT, AVATAR, WRITE, avatar::put),
        Route::new(Method::DELETE, AVATAR, WRITE, avatar::delete),
        Route::new(Method::GET, MY_AVATAR, Access::AccessToken, avatar::get_mine),
        Route::new(Method::PUT, MY_AVATAR, Access::AccessToken, avatar::put_mine),
        Route::new(Method::DELETE, MY_AVATAR, Access::AccessToken, avatar::delete_mine),
    ];
    rows.into_iter().chain(imports::routes()).map(Route::of_tenant).collect()
}

/// The user a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct UserPath {
    pub(crate) user: String,
}

/// Create a user. Unlike sign-up, the caller is told if an address or another identifier is taken.
#[utoipa::path(post, path = "/v1/users", tag = "users", request_body = NewUserBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = User, headers(("Location" = String, description = "path of the user"), ("ETag" = String, description = "its version"))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewUserBody>,
) -> Result<Response, Problem> {
    let view = state.platform().create_user(tenant, body.into(), actor, state.deadline()).await?;
    let location =
        HeaderValue::from_str(&format!("/v1/users/{}", view.id)).map_err(|_| problem::internal())?;
    let created = Versioned { version: view.version, body: User::from(view) };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], created).into_response())
}

/// One user. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/users/{user}", tag = "users", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().user(tenant, path_id(&path.user)?, state.deadline()).await?;
    if let Some(not_changed) = known.answer(view.version) {
        return Ok(not_changed);
    }
    let json = view.rendered(Reader::Administrator, |view| json_of(&User::from(view.clone())));
    Ok(Rendered { version: view.version, json }.into_response())
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
    let change = UserChange::parse(body.into()).map_err(ServiceError::from)?;
    let deadline = state.deadline();
    let view = state.platform().change_user(tenant, user, &change, &precondition, actor, deadline).await?;
    Ok(Versioned { version: view.version, body: User::from(view) })
}
