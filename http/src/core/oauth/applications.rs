//! Applications users let have something: listed and taken back.

use crate::core::users::UserPath;
use crate::extract::{ManagedTenant, Mine, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use plinto_actors::ApplicationView;
use plinto_domain::{ClientId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An application that may do something for a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct Application {
    /// The client.
    #[schema(value_type = String, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    client_id: ClientId,
    /// What it is called; none if it is gone.
    name: Option<String>,
    /// Its own page.
    client_uri: Option<String>,
    /// A picture of it.
    logo_uri: Option<String>,
    /// What it may have.
    scopes: Vec<String>,
    /// When the user was first asked, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When the user was last asked, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    given_at: Timestamp,
}

impl From<ApplicationView> for Application {
    fn from(view: ApplicationView) -> Self {
        let definition = view.client.as_ref().map(|client| &client.definition);
        Self {
            client_id: view.id,
            name: definition.map(|definition| definition.name.as_str().to_owned()),
            client_uri: definition.and_then(|definition| definition.client_uri.clone()),
            logo_uri: definition.and_then(|definition| definition.logo_uri.clone()),
            scopes: view.scopes,
            created_at: view.created_at,
            given_at: view.given_at,
        }
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Applications on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// An application of a user.
#[derive(Deserialize)]
pub(crate) struct ApplicationPath {
    user: String,
    client: String,
}

/// An application of the signed-in user.
#[derive(Deserialize)]
pub(crate) struct MyApplicationPath {
    client: String,
}

fn page(paging: &Paging<ClientId>, found: Vec<ApplicationView>) -> Json<Page<Application>> {
    Json(paging.page(found, |view| view.id.to_string(), Application::from))
}

/// Applications a user lets have something.
#[utoipa::path(get, path = "/v1/users/{user}/applications", tag = "oauth clients",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ApplicationsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<Application>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    QueryOf(query): QueryOf<ApplicationsQuery>,
) -> Result<Json<Page<Application>>, Problem> {
    let paging = Paging::<ClientId>::of(query.after.as_deref(), query.limit)?;
    let (user, limit, deadline) = (path_id(&path.user)?, paging.to_read(), state.deadline());
    let found = state.platform().applications_of(tenant, user, paging.after, limit, deadline).await?;
    Ok(page(&paging, found))
}

/// Take back what a user lets an application have: its tokens are good no longer, and the next time the user is asked.
#[utoipa::path(delete, path = "/v1/users/{user}/applications/{client}", tag = "oauth clients",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<ApplicationPath>,
) -> Result<StatusCode, Problem> {
    let (user, client) = (path_id(&path.user)?, path_id(&path.client)?);
    state.platform().withdraw_application(tenant, user, client, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Applications the signed-in user lets have something.
#[utoipa::path(get, path = "/v1/users/me/applications", tag = "oauth clients", params(ApplicationsQuery),
    security(("access_token" = [])),
    responses((status = 200, body = Page<Application>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn list_own(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    QueryOf(query): QueryOf<ApplicationsQuery>,
) -> Result<Json<Page<Application>>, Problem> {
    let paging = Paging::<ClientId>::of(query.after.as_deref(), query.limit)?;
    let (after, limit, deadline) = (paging.after, paging.to_read(), state.deadline());
    let found = state.platform().my_applications(tenant, &token, after, limit, deadline).await?;
    Ok(page(&paging, found))
}

/// Take back what the signed-in user lets an application have.
#[utoipa::path(delete, path = "/v1/users/me/applications/{client}", tag = "oauth clients",
    params(("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn withdraw_own(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    Path(path): Path<MyApplicationPath>,
) -> Result<StatusCode, Problem> {
    let client = path_id(&path.client)?;
    state.platform().withdraw_my_application(tenant, &token, client, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
