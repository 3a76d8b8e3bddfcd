//! Service accounts of a tenant, administered by its services and by operators.

use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{ServiceAccountView, ServiceError};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::name::DisplayName;
use plinto_domain::service_account::ServiceAccountChange;
use plinto_domain::{ServiceAccountId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(create, list, get, change, delete), tags((name = "service-accounts", description = "A tenant's services, to which API keys belong")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Keys));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Keys));
    vec![
        Route::new(Method::POST, "/v1/service-accounts", WRITE, create).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/service-accounts", READ, list).of_tenant(),
        Route::new(Method::GET, "/v1/service-accounts/{account}", READ, get).of_tenant(),
        Route::new(Method::PATCH, "/v1/service-accounts/{account}", WRITE, change).of_tenant(),
        Route::new(Method::DELETE, "/v1/service-accounts/{account}", WRITE, delete).of_tenant(),
    ]
}

/// A service account.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceAccount {
    #[schema(value_type = String, example = "svc_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: ServiceAccountId,
    name: String,
    description: Option<String>,
    /// Whether its keys are refused.
    disabled: bool,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<ServiceAccountView> for ServiceAccount {
    fn from(view: ServiceAccountView) -> Self {
        let ServiceAccountView { id, name, description, disabled, created_at, updated_at, .. } = view;
        Self { id, name, description, disabled, created_at, updated_at }
    }
}

fn versioned(view: ServiceAccountView) -> Versioned<ServiceAccount> {
    Versioned { version: view.version, body: view.into() }
}

/// A new service account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServiceAccountBody {
    /// What it is called.
    #[schema(example = "orders")]
    name: String,
    /// What it is for, on one line.
    #[serde(default)]
    description: Option<String>,
}

/// Make a service account.
#[utoipa::path(post, path = "/v1/service-accounts", tag = "service-accounts", request_body = NewServiceAccountBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = ServiceAccount), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewServiceAccountBody>,
) -> Result<Response, Problem> {
    let name = DisplayName::parse("name", &body.name).map_err(ServiceError::from)?;
    let description = body.description.as_deref().map(|text| DisplayName::parse("description", text));
    let description = description.transpose().map_err(ServiceError::from)?;
    let deadline = state.deadline();
    let view = state.platform().create_service_account(tenant, name, description, actor, deadline).await?;
    let location = HeaderValue::from_str(&format!("/v1/service-accounts/{}", view.id));
    let location = location.map_err(|_| crate::problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], versioned(view)).into_response())
}

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceAccountsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Accounts on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// List service accounts.
#[utoipa::path(get, path = "/v1/service-accounts", tag = "service-accounts", params(ServiceAccountsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<ServiceAccount>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<ServiceAccountsQuery>,
) -> Result<Json<Page<ServiceAccount>>, Problem> {
    let paging = Paging::<ServiceAccountId>::of(query.after.as_deref(), query.limit)?;
    let (limit, deadline) = (paging.to_read(), state.deadline());
    let accounts = state.platform().service_accounts(tenant, paging.after, limit, deadline).await?;
    Ok(Json(paging.page(accounts, |account| account.id.to_string(), ServiceAccount::from)))
}

/// The account a path names.
#[derive(Deserialize)]
pub(crate) struct AccountPath {
    account: String,
}

/// One service account. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/service-accounts/{account}", tag = "service-accounts",
    params(("account" = String, Path, example = "svc_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = ServiceAccount), (status = 304, description = "not changed"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<AccountPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let account = path_id(&path.account)?;
    let view = state.platform().service_account(tenant, account, state.deadline()).await?;
    Ok(versioned(view).unless_known(&known))
}

/// A change (RFC 7396): what is left out stays, `null` removes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceAccountChangeBody {
    /// What it is called.
    #[serde(default)]
    name: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Whether its keys are refused, on every node.
    #[serde(default)]
    disabled: Option<bool>,
}

/// Tells a member that is `null` from one that is left out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Change a service account. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/service-accounts/{account}", tag = "service-accounts", request_body = ServiceAccountChangeBody,
    params(("account" = String, Path, example = "svc_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = ServiceAccount), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<AccountPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<ServiceAccountChangeBody>,
) -> Result<Versioned<ServiceAccount>, Problem> {
    let (account, deadline) = (path_id(&path.account)?, state.deadline());
    let description = body.description.as_ref().map(Option::as_deref);
    let wanted = ServiceAccountChange::parse(body.name.as_deref(), description, body.disabled)
        .map_err(ServiceError::from)?;
    let platform = state.platform();
    let view =
        platform.change_service_account(tenant, account, wanted, precondition, actor, deadline).await?;
    Ok(versioned(view))
}

/// Delete a service account and revoke its keys, on every node.
#[utoipa::path(delete, path = "/v1/service-accounts/{account}", tag = "service-accounts",
    params(("account" = String, Path, example = "svc_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<AccountPath>,
) -> Result<StatusCode, Problem> {
    let account = path_id(&path.account)?;
    state.platform().delete_service_account(tenant, account, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
