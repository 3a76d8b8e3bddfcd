//! API keys of a tenant, administered by its services and by operators.

use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use plinto_actors::{ApiKeyView, ApiKeyWish, Caller};
use plinto_domain::api_key::ApiKeyKind;
use plinto_domain::api_scope::{ApiScope, ApiScopes, Resource};
use plinto_domain::audit::Actor;
use plinto_domain::{ApiKeyId, ServiceAccountId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(create, list, get, rename, revoke, rotate, list_platform, revoke_platform),
    tags((name = "api-keys", description = "Keys with which a tenant's services (secret) and clients (publishable) call. They look like `plk_(ops|sec|pub)_[0-9a-f]{32}_[0-9A-Za-z]{49}`; the last six characters are the CRC-32 of those before in base 62, so scanners recognize a key without asking anybody.")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Keys));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Keys));
    vec![
        Route::new(Method::POST, "/v1/api-keys", WRITE, create).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/api-keys", READ, list).of_tenant(),
        Route::new(Method::GET, "/v1/api-keys/{key}", READ, get).of_tenant(),
        Route::new(Method::PATCH, "/v1/api-keys/{key}", WRITE, rename).of_tenant(),
        Route::new(Method::DELETE, "/v1/api-keys/{key}", WRITE, revoke).of_tenant(),
        Route::new(Method::POST, "/v1/api-keys/{key}/rotate", WRITE, rotate).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/platform/api-keys", Access::PlatformKey, list_platform),
        Route::new(Method::DELETE, "/v1/platform/api-keys/{id}", Access::PlatformKey, revoke_platform),
    ]
}

/// What a tenant's key is for.
#[derive(Clone, Copy, Deserialize, ToSchema, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NewKeyKind {
    /// For services: it may do what its scopes say, and is kept secret.
    #[default]
    Secret,
    /// For what users run: it names the tenant (header `Plinto-Publishable-Key`) and may do nothing else.
    Publishable,
}

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKeyBody {
    /// What it is called.
    #[schema(example = "orders-api")]
    name: String,
    /// `secret` (default) or `publishable`.
    #[serde(default)]
    kind: NewKeyKind,
    /// What it may do, such as `users:read`; at most what the key that makes it may do. None for a publishable key.
    #[serde(default)]
    #[schema(example = json!(["users:read", "tokens:read"]))]
    scopes: Vec<String>,
    /// When it stops to work, in milliseconds since the Unix epoch; never if left out.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    expires_at: Option<Timestamp>,
    /// The service account it belongs to.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "svc_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    service_account: Option<ServiceAccountId>,
}

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKey {
    #[schema(value_type = String, example = "key_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: ApiKeyId,
    /// `platform`, `secret` or `publishable`.
    #[schema(value_type = String, example = "secret")]
    kind: &'static str,
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// The service account it belongs to.
    #[schema(value_type = Option<String>)]
    service_account: Option<ServiceAccountId>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When it stops to work.
    #[schema(value_type = Option<i64>)]
    expires_at: Option<Timestamp>,
    /// When it was last used, a minute more or less; not kept through every outage.
    #[schema(value_type = Option<i64>)]
    last_used_at: Option<Timestamp>,
    /// Until when the secret before the last rotation works, if it does.
    #[schema(value_type = Option<i64>)]
    previous_secret_until: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<i64>)]
    revoked_at: Option<Timestamp>,
}

impl From<ApiKeyView> for ApiKey {
    fn from(view: ApiKeyView) -> Self {
        Self {
            id: view.id,
            kind: view.kind.as_str(),
            name: view.name,
            scopes: listed(if view.kind == ApiKeyKind::Platform { ApiScopes::all() } else { view.scopes }),
            service_account: view.account,
            created_at: view.created_at,
            expires_at: view.expires_at,
            last_used_at: view.last_used_at,
            previous_secret_until: view.previous_until,
            revoked_at: view.revoked_at,
        }
    }
}

fn listed(scopes: ApiScopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.to_string()).collect()
}

/// A key with its text, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedApiKey {
    #[serde(flatten)]
    about: ApiKey,
    /// The text to send as `Authorization: Bearer`.
    #[schema(pattern = "^plk_(ops|sec|pub)_[0-9a-f]{32}_[0-9A-Za-z]{49}$")]
    key: String,
}

/// Which keys.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeysQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Keys on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// The key a path names.
#[derive(Deserialize)]
pub(crate) struct KeyPath {
    key: String,
}

/// Make a key. It may do at most what the key that makes it may do.
#[utoipa::path(post, path = "/v1/api-keys", tag = "api-keys", request_body = NewApiKeyBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = IssuedApiKey), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<NewApiKeyBody>,
) -> Result<Response, Problem> {
    let wish = ApiKeyWish {
        kind: match body.kind {
            NewKeyKind::Secret => ApiKeyKind::Secret,
            NewKeyKind::Publishable => ApiKeyKind::Publishable,
        },
        name: body.name,
        scopes: body.scopes,
        expires_at: body.expires_at,
        account: body.service_account,
    };
    let issued = state.platform().issue_api_key(tenant, wish, &caller, state.deadline()).await?;
    let view = state.platform().api_key(tenant, issued.id, state.deadline()).await?;
    let location = HeaderValue::from_str(&format!("/v1/api-keys/{}", issued.id));
    let location = location.map_err(|_| crate::problem::internal())?;
    let version = view.version;
    let body = IssuedApiKey { about: view.into(), key: issued.text };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Versioned { version, body }).into_response())
}

/// List keys, revoked ones too.
#[utoipa::path(get, path = "/v1/api-keys", tag = "api-keys", params(ApiKeysQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<ApiKey>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<ApiKeysQuery>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let paging = Paging::<ApiKeyId>::of(query.after.as_deref(), query.limit)?;
    let keys = state.platform().api_keys(tenant, paging.after, paging.to_read(), state.deadline()).await?;
    Ok(Json(paging.page(keys, |key| key.id.to_string(), ApiKey::from)))
}

/// One key. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/api-keys/{key}", tag = "api-keys",
    params(("key" = String, Path, example = "key_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = ApiKey), (status = 304, description = "not changed"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<KeyPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().api_key(tenant, path_id(&path.key)?, state.deadline()).await?;
    Ok(Versioned { version: view.version, body: ApiKey::from(view) }.unless_known(&known))
}

/// What a key shall be called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenameKeyBody {
    #[schema(example = "invoices-api")]
    name: String,
}

/// Rename a key. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/api-keys/{key}", tag = "api-keys", request_body = RenameKeyBody,
    params(("key" = String, Path, example = "key_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = ApiKey), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn rename(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<KeyPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<RenameKeyBody>,
) -> Result<Versioned<ApiKey>, Problem> {
    let (key, deadline) = (path_id(&path.key)?, state.deadline());
    let view =
        state.platform().rename_api_key(tenant, key, &body.name, &precondition, actor, deadline).await?;
    Ok(Versioned { version: view.version, body: ApiKey::from(view) })
}

/// Revoke a key, on every node. It is kept in the list. Revoking it again changes nothing.
#[utoipa::path(delete, path = "/v1/api-keys/{key}", tag = "api-keys",
    params(("key" = String, Path, example = "key_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<KeyPath>,
) -> Result<StatusCode, Problem> {
    state.platform().revoke_api_key(tenant, path_id(&path.key)?, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a key is rotated.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKeyBody {
    /// For how many seconds the present secret still works: 0 (default) to 2592000, 30 days.
    #[serde(default)]
    #[schema(maximum = 2_592_000, example = 86_400)]
    overlap_seconds: u32,
}

/// Give a key a new secret. The present one works on for the overlap; the one before it, if any, stops at once. Needs
/// all scopes the key has.
#[utoipa::path(post, path = "/v1/api-keys/{key}/rotate", tag = "api-keys", request_body = Option<RotateKeyBody>,
    params(("key" = String, Path, example = "key_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = IssuedApiKey), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn rotate(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Extension(caller): Extension<Caller>,
    Path(path): Path<KeyPath>,
    body: Option<JsonBody<RotateKeyBody>>,
) -> Result<Versioned<IssuedApiKey>, Problem> {
    let overlap = body.map(|JsonBody(body)| body.overlap_seconds).unwrap_or_default();
    let (key, deadline) = (path_id(&path.key)?, state.deadline());
    let issued = state.platform().rotate_api_key(tenant, key, overlap, &caller, deadline).await?;
    let view = state.platform().api_key(tenant, key, deadline).await?;
    Ok(Versioned { version: view.version, body: IssuedApiKey { about: view.into(), key: issued.text } })
}

/// List the operators' keys, revoked ones too.
#[utoipa::path(get, path = "/v1/platform/api-keys", tag = "api-keys", params(ApiKeysQuery), security(("platform_key" = [])),
    responses((status = 200, body = Page<ApiKey>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
pub(crate) async fn list_platform(
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ApiKeysQuery>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let paging = Paging::<ApiKeyId>::of(query.after.as_deref(), query.limit)?;
    let keys = state.platform().platform_api_keys(paging.after, paging.to_read(), state.deadline()).await?;
    Ok(Json(paging.page(keys, |key| key.id.to_string(), ApiKey::from)))
}

/// Revoke an operator's key, on every node. The last one stays.
#[utoipa::path(delete, path = "/v1/platform/api-keys/{id}", tag = "api-keys",
    params(("id" = String, Path, example = "key_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn revoke_platform(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let actor = Actor::ApiKey(caller.key);
    state.platform().revoke_platform_api_key(path_id(&id)?, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
