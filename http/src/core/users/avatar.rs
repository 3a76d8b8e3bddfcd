//! Pictures of users.

use super::UserPath;
use crate::extract::{ImageBody, ManagedTenant, Mine, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfNoneMatch, tag};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::AvatarView;
use utoipa::ToSchema;

/// A picture as a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes bodies, which are read and written as bytes")]
pub(crate) struct ImageFile(Vec<u8>);

/// The picture, as something that is looked at and never run: it is what it says, nothing in it is loaded, and opened by
/// itself it is saved.
fn show(view: AvatarView, known: &IfNoneMatch) -> Response {
    if let Some(unchanged) = known.answer(view.version) {
        return unchanged;
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (header::ETAG, tag(view.version)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"avatar.jpg\"")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    (headers, view.image).into_response()
}

fn kept(version: i64) -> Response {
    (StatusCode::NO_CONTENT, [(header::ETAG, tag(version))]).into_response()
}

/// The avatar of a user: a JPEG of 256 by 256 pixels.
#[utoipa::path(get, path = "/v1/users/{user}/avatar", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, content_type = "image/jpeg", body = ImageFile), (status = 304, description = "not changed"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().avatar(tenant, path_id(&path.user)?, state.deadline()).await?;
    Ok(show(view, &known))
}

/// Set the avatar of a user: a PNG, JPEG or WebP of at most 4 MiB and 4096 pixels on either side.
///
/// The square in its middle is kept as a JPEG of 256 by 256 pixels, upright, on white; of one that moves the first picture.
/// Nothing else of the file is kept, neither where it was taken nor by which camera.
#[utoipa::path(put, path = "/v1/users/{user}/avatar", tag = "users",
    request_body(content((ImageFile = "image/jpeg"), (ImageFile = "image/png"), (ImageFile = "image/webp"))),
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "the user has this avatar", headers(("ETag" = String, description = "its version"))),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn put(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
    body: ImageBody,
) -> Result<Response, Problem> {
    let user = path_id(&path.user)?;
    let setting = state.platform().set_avatar(tenant, user, body.file.clone(), actor, state.deadline());
    Ok(kept(setting.await?))
}

/// Remove the avatar of a user.
#[utoipa::path(delete, path = "/v1/users/{user}/avatar", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "the user has no avatar any more"), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<StatusCode, Problem> {
    state.platform().remove_avatar(tenant, path_id(&path.user)?, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The avatar of the signed-in user: a JPEG of 256 by 256 pixels.
#[utoipa::path(get, path = "/v1/users/me/avatar", tag = "accounts",
    params(("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("access_token" = [])),
    responses((status = 200, content_type = "image/jpeg", body = ImageFile), (status = 304, description = "not changed"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().own_avatar(tenant, &token, state.deadline()).await?;
    Ok(show(view, &known))
}

/// Set the avatar of the signed-in user, as `PUT /v1/users/{user}/avatar` does.
#[utoipa::path(put, path = "/v1/users/me/avatar", tag = "accounts",
    request_body(content((ImageFile = "image/jpeg"), (ImageFile = "image/png"), (ImageFile = "image/webp"))), security(("access_token" = [])),
    responses((status = 204, description = "the user has this avatar", headers(("ETag" = String, description = "its version"))),
        (status = 401, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn put_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    body: ImageBody,
) -> Result<Response, Problem> {
    let setting = state.platform().set_own_avatar(tenant, &token, body.file.clone(), state.deadline());
    Ok(kept(setting.await?))
}

/// Remove the avatar of the signed-in user.
#[utoipa::path(delete, path = "/v1/users/me/avatar", tag = "accounts", security(("access_token" = [])),
    responses((status = 204, description = "the user has no avatar any more"), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
) -> Result<StatusCode, Problem> {
    state.platform().remove_own_avatar(tenant, &token, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
