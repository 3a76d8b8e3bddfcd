//! Imports of users: begun, sent in parts, watched, ended.

mod bodies;
mod lines;

use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::{self, Problem};
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bodies::{ErrorCursor, ImportLineError, NewImportBody, UserImport};
use plinto_actors::ServiceError;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::id::ImportId;
use plinto_domain::user::import::Ending;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(begin, list, get, lines::lines, errors, complete, cancel, super::export::export, super::export::export_with_password_hashes),
    tags((name = "user imports", description = "Many users at once, in and out: JSON Lines, one user a line"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Users));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Users));
    const HASHES: Access = Access::Manage(ApiScope::read(Resource::PasswordHashes));
    const LINES: &str = "/v1/users/imports/{import}/lines/{first}";
    vec![
        Route::new(Method::POST, "/v1/users/imports", WRITE, begin).once_by_key(),
        Route::new(Method::GET, "/v1/users/imports", READ, list),
        Route::new(Method::GET, "/v1/users/imports/{import}", READ, get),
        Route::new(Method::PUT, LINES, WRITE, lines::lines).timed_by_its_calls(),
        Route::new(Method::GET, "/v1/users/imports/{import}/errors", READ, errors),
        Route::new(Method::POST, "/v1/users/imports/{import}/complete", WRITE, complete),
        Route::new(Method::POST, "/v1/users/imports/{import}/cancel", WRITE, cancel),
        Route::new(Method::GET, "/v1/users/export", READ, super::export::export),
        Route::new(
            Method::GET,
            "/v1/users/export/password-hashes",
            HASHES,
            super::export::export_with_password_hashes,
        ),
    ]
}

/// The import a path names.
#[derive(Deserialize)]
pub(crate) struct ImportPath {
    import: String,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Items on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// Begin an import of users.
///
/// Its lines are sent in parts (`PUT …/lines/{first}`), one request after the other, and then it is completed. It
/// remembers up to which line it came, so that a part can be sent again after whatever went wrong.
#[utoipa::path(post, path = "/v1/users/imports", tag = "user imports", request_body = NewImportBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = UserImport, headers(("Location" = String, description = "path of the import"))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn begin(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewImportBody>,
) -> Result<Response, Problem> {
    let new = body.checked().map_err(ServiceError::from)?;
    let import = state.platform().begin_user_import(tenant, new, actor, state.deadline()).await?;
    let location = HeaderValue::from_str(&format!("/v1/users/imports/{}", import.id));
    let location = location.map_err(|_| problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(UserImport::from(import))).into_response())
}

/// Imports, newest first. They are kept for 30 days after their last change.
#[utoipa::path(get, path = "/v1/users/imports", tag = "user imports", params(PageQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<UserImport>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<UserImport>>, Problem> {
    let paging = Paging::<ImportId>::of(query.after.as_deref(), query.limit)?;
    let deadline = state.deadline();
    let read = state.platform().user_imports(tenant, paging.after, paging.to_read(), deadline).await?;
    Ok(Json(paging.page(read, |import| import.id.to_string(), UserImport::from)))
}

/// How far an import is. It may be asked while lines are being imported.
#[utoipa::path(get, path = "/v1/users/imports/{import}", tag = "user imports",
    params(("import" = String, Path, example = "imp_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserImport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<ImportPath>,
) -> Result<Json<UserImport>, Problem> {
    let import = path_id(&path.import)?;
    Ok(Json(state.platform().user_import(tenant, import, state.deadline()).await?.into()))
}

/// What was wrong with which line, in the order of lines.
///
/// Neither a line nor a value of it is repeated. Of one import ten thousand errors are kept; those beyond are counted
/// among `failed`.
#[utoipa::path(get, path = "/v1/users/imports/{import}/errors", tag = "user imports",
    params(("import" = String, Path, example = "imp_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), PageQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<ImportLineError>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn errors(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<ImportPath>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<ImportLineError>>, Problem> {
    let paging = Paging::<ErrorCursor>::of(query.after.as_deref(), query.limit)?;
    let (import, after) = (path_id(&path.import)?, paging.after.as_ref().map(|cursor| cursor.0));
    let (platform, deadline) = (state.platform(), state.deadline());
    let read = platform.user_import_errors(tenant, import, after, paging.to_read(), deadline).await?;
    let cursor = |error: &plinto_actors::ImportError| format!("{}.{}", error.line, error.ordinal);
    Ok(Json(paging.page(read, cursor, ImportLineError::from)))
}

/// Say that there are no more lines.
#[utoipa::path(post, path = "/v1/users/imports/{import}/complete", tag = "user imports",
    params(("import" = String, Path, example = "imp_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserImport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn complete(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<ImportPath>,
) -> Result<Json<UserImport>, Problem> {
    end(&state, managed, &path, Ending::Complete).await
}

/// Give an import up. Users that were imported stay.
#[utoipa::path(post, path = "/v1/users/imports/{import}/cancel", tag = "user imports",
    params(("import" = String, Path, example = "imp_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserImport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<ImportPath>,
) -> Result<Json<UserImport>, Problem> {
    end(&state, managed, &path, Ending::Cancel).await
}

async fn end(
    state: &AppState,
    ManagedTenant { tenant, actor }: ManagedTenant,
    path: &ImportPath,
    ending: Ending,
) -> Result<Json<UserImport>, Problem> {
    let import = path_id(&path.import)?;
    let ended = state.platform().end_user_import(tenant, import, ending, actor, state.deadline()).await?;
    Ok(Json(ended.into()))
}
