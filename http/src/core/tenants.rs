//! Administration of tenants, for operators.

use crate::extract::{JsonBody, QueryOf, path_id};
use crate::objects::object;
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::state::AppState;
use crate::versions::{IfMatch, Versioned};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use plinto_actors::{Caller, NewUserInput, SigningAlgorithm, TenantChange, TenantView};
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::tenant::TenantSettings;
use plinto_domain::{ApiKeyId, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(create, list, get, change, delete, erase, create_user, create_service_key, rotate_keys), tags((name = "tenants", description = "Administration by the platform's operators")))]
pub(crate) struct Operations;

/// A new tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenantBody {
    /// Name in URLs: 2 to 63 of a-z, 0-9 and inner hyphens.
    #[schema(example = "acme")]
    slug: String,
    /// Name for people.
    #[schema(example = "Acme GmbH")]
    name: String,
    /// Settings; what is left out has a safe default.
    #[serde(default, deserialize_with = "object")]
    settings: TenantSettings,
}

/// A tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tenant {
    #[schema(value_type = String, example = "ten_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: TenantId,
    slug: String,
    name: String,
    /// `iss` of the tenant's tokens.
    issuer: String,
    settings: TenantSettings,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Tenants on the page, 1 to 200.
    limit: Option<u32>,
}

fn tenant(view: TenantView, state: &AppState) -> Tenant {
    Tenant {
        issuer: format!("{}/t/{}", state.platform().config().base_url, view.slug),
        id: view.id,
        slug: view.slug,
        name: view.name,
        settings: view.settings,
        created_at: view.created_at,
    }
}

/// Create a tenant with its own database, keys and ledger.
#[utoipa::path(post, path = "/v1/tenants", tag = "tenants", request_body = NewTenantBody, security(("platform_key" = [])),
    responses((status = 201, body = Tenant), (status = 401, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<NewTenantBody>,
) -> Result<impl IntoResponse, Problem> {
    let actor = Actor::ApiKey(caller.key);
    let view = state.platform().create_tenant(&body.slug, &body.name, body.settings, actor).await?;
    let location =
        HeaderValue::from_str(&format!("/v1/tenants/{}", view.id)).map_err(|_| crate::problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(tenant(view, &state))))
}

/// List tenants.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(PageQuery), security(("platform_key" = [])),
    responses((status = 200, body = Page<Tenant>), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<Tenant>>, Problem> {
    let paging = Paging::<TenantId>::of(query.after.as_deref(), query.limit)?;
    let views = state.platform().tenants(paging.after, paging.to_read()).await?;
    Ok(Json(paging.page(views, |view| view.id.to_string(), |view| tenant(view, &state))))
}

/// One tenant.
#[utoipa::path(get, path = "/v1/tenants/{id}", tag = "tenants", params(("id" = String, Path)), security(("platform_key" = [])),
    responses((status = 200, body = Tenant), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<Tenant>, Problem> {
    let view = state.platform().tenant(path_id(&id)?).await?;
    Ok(Json(tenant(view, &state)))
}

/// A change of a tenant: what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantChangeBody {
    /// Name for people.
    #[serde(default)]
    #[schema(example = "Acme AG")]
    name: Option<String>,
}

/// Rename a tenant. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/tenants/{id}", tag = "tenants", request_body = TenantChangeBody,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag of the version to change, as /v1/settings shows it")),
    security(("platform_key" = [])),
    responses((status = 200, body = Tenant), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<TenantChangeBody>,
) -> Result<Versioned<Tenant>, Problem> {
    let name = body.name.as_deref().map(|name| DisplayName::parse("name", name)).transpose();
    let name = name.map_err(plinto_actors::ServiceError::from)?;
    let wanted = TenantChange { name, ..TenantChange::default() };
    let actor = Actor::ApiKey(caller.key);
    let view = state.platform().change_tenant(path_id(&id)?, wanted, precondition, actor).await?;
    Ok(Versioned { version: view.version, body: tenant(view, &state) })
}

/// Delete a tenant: its keys are destroyed, its database is removed. This cannot be undone.
#[utoipa::path(delete, path = "/v1/tenants/{id}", tag = "tenants", params(("id" = String, Path)), security(("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.platform().delete_tenant(path_id(&id)?, Actor::ApiKey(caller.key)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is left of an erased tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErasedTenant {
    #[schema(value_type = String, example = "ten_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: TenantId,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    erased_at: Timestamp,
    /// Entry of the platform's ledger that says so.
    ledger_seq: i64,
    /// SHA-256 of that entry, hexadecimal.
    ledger_hash: String,
    /// Sealed rows that were read before and tried afterwards; none opened.
    rows_tried: usize,
    /// Whether its storage is removed; if not, what lies there cannot be read, and goes at the next start.
    storage_removed: bool,
    /// All of this, signed by the platform (C2SP signed-note).
    statement: String,
    /// The key to check the statement with (C2SP verifier key).
    verifier: String,
}

/// Erase a tenant and prove it: its keys are destroyed, then it is looked whether anything could still be read.
///
/// The answer is a statement that the platform signed. This cannot be undone. A tenant under a legal hold is not erased.
#[utoipa::path(post, path = "/v1/tenants/{id}/erase", tag = "tenants", params(("id" = String, Path)), security(("platform_key" = [])),
    responses((status = 200, body = ErasedTenant), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn erase(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<ErasedTenant>, Problem> {
    let erased = state.platform().erase_tenant(path_id(&id)?, Actor::ApiKey(caller.key)).await?;
    Ok(Json(ErasedTenant {
        id: erased.tenant,
        erased_at: erased.at,
        ledger_seq: erased.ledger_seq,
        ledger_hash: hex::encode(erased.ledger_hash),
        rows_tried: erased.rows_tried,
        storage_removed: erased.storage_removed,
        statement: erased.statement,
        verifier: erased.verifier,
    }))
}

/// A user made by an operator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorsUserBody {
    email: String,
    password: Secret,
    name: Option<String>,
}

/// The new user.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewUser {
    #[schema(value_type = String)]
    id: UserId,
}

/// Create a user in a tenant. Unlike sign-up, the operator is told if the address is taken.
#[utoipa::path(post, path = "/v1/tenants/{id}/users", tag = "tenants", request_body = OperatorsUserBody, params(("id" = String, Path)),
    security(("platform_key" = [])),
    responses((status = 201, body = NewUser), (status = 401, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create_user(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<OperatorsUserBody>,
) -> Result<(StatusCode, Json<NewUser>), Problem> {
    let tenant = path_id(&id)?;
    let actor = Actor::ApiKey(caller.key);
    let deadline = state.deadline();
    let mut input = NewUserInput::with_password(&body.email, body.password.into_inner());
    input.profile.name = body.name.map(Some);
    let id = state.platform().create_user(tenant, input, actor, deadline).await?.id;
    Ok((StatusCode::CREATED, Json(NewUser { id })))
}

/// A new service key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServiceKeyBody {
    /// What the key is for.
    #[schema(example = "orders-api")]
    name: String,
}

/// A service key; `key` is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceKey {
    #[schema(value_type = String)]
    id: ApiKeyId,
    key: String,
}

/// Make a key with which a service of the tenant calls the auth service.
#[utoipa::path(post, path = "/v1/tenants/{id}/service-keys", tag = "tenants", request_body = NewServiceKeyBody,
    params(("id" = String, Path)), security(("platform_key" = [])),
    responses((status = 201, body = ServiceKey), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn create_service_key(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewServiceKeyBody>,
) -> Result<(StatusCode, Json<ServiceKey>), Problem> {
    let actor = Actor::ApiKey(caller.key);
    let issued = state.platform().issue_service_key(path_id(&id)?, &body.name, actor).await?;
    Ok((StatusCode::CREATED, Json(ServiceKey { id: issued.id, key: issued.text })))
}

/// Which algorithm the new signing key is for.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// `EdDSA` (default), `ES256` or `RS256`.
    #[serde(default)]
    #[schema(value_type = String, example = "EdDSA")]
    alg: SigningAlgorithm,
}

/// Rotate the tenant's data key and signing key. Older versions keep reading and verifying.
#[utoipa::path(post, path = "/v1/tenants/{id}/keys/rotate", tag = "tenants", request_body = Option<RotateBody>,
    params(("id" = String, Path)), security(("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn rotate_keys(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Option<JsonBody<RotateBody>>,
) -> Result<StatusCode, Problem> {
    let alg = body.map(|JsonBody(body)| body.alg).unwrap_or_default();
    let actor = Actor::ApiKey(caller.key);
    state.platform().rotate_keys(path_id(&id)?, alg, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
