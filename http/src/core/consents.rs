//! Consents of users: given, withdrawn, never overwritten.

use crate::core::users::UserPath;
use crate::extract::{JsonBody, ManagedTenant, Mine, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use plinto_actors::{ConsentView, NewConsent};
use plinto_domain::Timestamp;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::id::ConsentId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(list, record, list_own, record_own))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Privacy));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Privacy));
    vec![
        Route::new(Method::GET, "/v1/users/{user}/consents", READ, list).of_tenant(),
        Route::new(Method::POST, "/v1/users/{user}/consents", WRITE, record).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/users/me/consents", Access::AccessToken, list_own).of_tenant(),
        Route::new(Method::POST, "/v1/users/me/consents", Access::AccessToken, record_own)
            .of_tenant()
            .once_by_key(),
    ]
}

/// A consent that is given or withdrawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentBody {
    /// What for: 1 to 64 of a-z, 0-9, hyphens, underscores and dots.
    #[schema(example = "newsletter")]
    purpose: String,
    /// Which version of the text was shown.
    #[schema(example = "2027-01-15")]
    version: String,
    /// Given, or withdrawn.
    granted: bool,
}

impl ConsentBody {
    fn new_consent(&self) -> NewConsent<'_> {
        NewConsent { purpose: &self.purpose, version: &self.version, granted: self.granted }
    }
}

/// A record of a consent. It stands as it was made; the newest of a purpose counts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Consent {
    /// The record.
    #[schema(value_type = String, example = "con_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: ConsentId,
    /// What for.
    purpose: String,
    /// Which version of the text was shown.
    version: String,
    /// Given, or withdrawn.
    granted: bool,
    /// Who recorded it.
    recorded_by: String,
    /// When, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    at: Timestamp,
}

impl From<ConsentView> for Consent {
    fn from(view: ConsentView) -> Self {
        Self {
            id: view.id,
            purpose: view.purpose,
            version: view.version,
            granted: view.granted,
            recorded_by: view.actor,
            at: view.at,
        }
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Records on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

fn page(paging: &Paging<ConsentId>, found: Vec<ConsentView>) -> Json<Page<Consent>> {
    Json(paging.page(found, |consent| consent.id.to_string(), Consent::from))
}

/// Consents of a user, newest first.
#[utoipa::path(get, path = "/v1/users/{user}/consents", tag = "privacy",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ConsentsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<Consent>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    QueryOf(query): QueryOf<ConsentsQuery>,
) -> Result<Json<Page<Consent>>, Problem> {
    let paging = Paging::<ConsentId>::of(query.after.as_deref(), query.limit)?;
    let (user, limit) = (path_id(&path.user)?, paging.to_read());
    let found = state.platform().consents(tenant, user, paging.after, limit, state.deadline()).await?;
    Ok(page(&paging, found))
}

/// Record that a user gave or withdrew a consent.
#[utoipa::path(post, path = "/v1/users/{user}/consents", tag = "privacy", request_body = ConsentBody,
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = Consent), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn record(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
    JsonBody(body): JsonBody<ConsentBody>,
) -> Result<(StatusCode, Json<Consent>), Problem> {
    let (user, deadline) = (path_id(&path.user)?, state.deadline());
    let made = state.platform().record_consent(tenant, user, body.new_consent(), actor, deadline).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// The signed-in user's consents, newest first.
#[utoipa::path(get, path = "/v1/users/me/consents", tag = "privacy", params(ConsentsQuery), security(("access_token" = [])),
    responses((status = 200, body = Page<Consent>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn list_own(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    QueryOf(query): QueryOf<ConsentsQuery>,
) -> Result<Json<Page<Consent>>, Problem> {
    let paging = Paging::<ConsentId>::of(query.after.as_deref(), query.limit)?;
    let (after, limit) = (paging.after, paging.to_read());
    let found = state.platform().own_consents(tenant, &token, after, limit, state.deadline()).await?;
    Ok(page(&paging, found))
}

/// Give or withdraw a consent.
#[utoipa::path(post, path = "/v1/users/me/consents", tag = "privacy", request_body = ConsentBody, security(("access_token" = [])),
    responses((status = 201, body = Consent), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn record_own(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    JsonBody(body): JsonBody<ConsentBody>,
) -> Result<(StatusCode, Json<Consent>), Problem> {
    let deadline = state.deadline();
    let made = state.platform().record_own_consent(tenant, &token, body.new_consent(), deadline).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
