//! Legal holds: what is kept whoever asks for its erasure.

use crate::core::users::UserPath;
use crate::extract::{JsonBody, ManagedTenant, path_id};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use plinto_actors::LegalHold;
use plinto_domain::Timestamp;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::privacy::Held;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(of_user, place_on_user, lift_from_user, of_tenant, place_on_tenant, lift_from_tenant), tags((name = "privacy", description = "Exports, erasure, consents and legal holds")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Privacy));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Privacy));
    const OF_USER: &str = "/v1/users/{user}/legal-hold";
    const OF_TENANT: &str = "/v1/legal-hold";
    vec![
        Route::new(Method::GET, OF_USER, READ, of_user).of_tenant(),
        Route::new(Method::PUT, OF_USER, WRITE, place_on_user).of_tenant(),
        Route::new(Method::DELETE, OF_USER, WRITE, lift_from_user).of_tenant(),
        Route::new(Method::GET, OF_TENANT, READ, of_tenant).of_tenant(),
        Route::new(Method::PUT, OF_TENANT, WRITE, place_on_tenant).of_tenant(),
        Route::new(Method::DELETE, OF_TENANT, WRITE, lift_from_tenant).of_tenant(),
    ]
}

/// Why something is to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldBody {
    /// Why, on one line of at most 200 characters.
    #[schema(example = "litigation 2027-114")]
    reason: String,
}

/// A legal hold.
#[derive(Serialize, ToSchema)]
pub(crate) struct Hold {
    /// Why.
    reason: String,
    /// Who placed it.
    placed_by: String,
    /// When, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    placed_at: Timestamp,
}

impl From<LegalHold> for Hold {
    fn from(hold: LegalHold) -> Self {
        Self { reason: hold.reason, placed_by: hold.placed_by, placed_at: hold.placed_at }
    }
}

/// The legal hold on a user.
#[utoipa::path(get, path = "/v1/users/{user}/legal-hold", tag = "privacy", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Hold), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn of_user(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<Json<Hold>, Problem> {
    let held = Held::User(path_id(&path.user)?);
    Ok(Json(state.platform().legal_hold(tenant, held, state.deadline()).await?.into()))
}

/// Keep everything of a user: nobody erases or deletes it, and the tenant's ledger is not pruned.
#[utoipa::path(put, path = "/v1/users/{user}/legal-hold", tag = "privacy", request_body = HoldBody,
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = Hold), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn place_on_user(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
    JsonBody(body): JsonBody<HoldBody>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    place(&state, managed, Held::User(path_id(&path.user)?), &body.reason).await
}

/// Lift the legal hold on a user.
#[utoipa::path(delete, path = "/v1/users/{user}/legal-hold", tag = "privacy", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn lift_from_user(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<StatusCode, Problem> {
    lift(&state, managed, Held::User(path_id(&path.user)?)).await
}

/// The legal hold on the whole tenant.
#[utoipa::path(get, path = "/v1/legal-hold", tag = "privacy", security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Hold), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn of_tenant(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
) -> Result<Json<Hold>, Problem> {
    let held = Held::Tenant(tenant);
    Ok(Json(state.platform().legal_hold(tenant, held, state.deadline()).await?.into()))
}

/// Keep everything of the tenant: no user is erased, its ledger is not pruned, and it is not deleted.
#[utoipa::path(put, path = "/v1/legal-hold", tag = "privacy", request_body = HoldBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = Hold), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn place_on_tenant(
    State(state): State<AppState>,
    managed: ManagedTenant,
    JsonBody(body): JsonBody<HoldBody>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    let held = Held::Tenant(managed.tenant);
    place(&state, managed, held, &body.reason).await
}

/// Lift the legal hold on the whole tenant.
#[utoipa::path(delete, path = "/v1/legal-hold", tag = "privacy", security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn lift_from_tenant(
    State(state): State<AppState>,
    managed: ManagedTenant,
) -> Result<StatusCode, Problem> {
    let held = Held::Tenant(managed.tenant);
    lift(&state, managed, held).await
}

async fn place(
    state: &AppState,
    ManagedTenant { tenant, actor }: ManagedTenant,
    held: Held,
    reason: &str,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    let hold = state.platform().place_legal_hold(tenant, held, reason, actor, state.deadline()).await?;
    Ok((StatusCode::CREATED, Json(hold.into())))
}

async fn lift(
    state: &AppState,
    ManagedTenant { tenant, actor }: ManagedTenant,
    held: Held,
) -> Result<StatusCode, Problem> {
    state.platform().lift_legal_hold(tenant, held, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
