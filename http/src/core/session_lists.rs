//! Live sessions: seen and ended by their users, and by those who administer them.

use crate::extract::{ManagedTenant, Mine, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use plinto_actors::{DeviceKind, SessionView};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::id::OrganizationId;
use plinto_domain::{SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(list_mine, end_mine, end_my_others, list, end_all, end))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const MINE: Access = Access::AccessToken;
    const READ: Access = Access::Manage(ApiScope::read(Resource::Sessions));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Sessions));
    vec![
        Route::new(Method::GET, "/v1/users/me/sessions", MINE, list_mine).of_tenant(),
        Route::new(Method::DELETE, "/v1/users/me/sessions/{session}", MINE, end_mine).of_tenant(),
        Route::new(Method::POST, "/v1/users/me/sessions/revoke-others", MINE, end_my_others).of_tenant(),
        Route::new(Method::GET, "/v1/users/{user}/sessions", READ, list).of_tenant(),
        Route::new(Method::DELETE, "/v1/users/{user}/sessions", WRITE, end_all).of_tenant(),
        Route::new(Method::DELETE, "/v1/sessions/{session}", WRITE, end).of_tenant(),
    ]
}

/// A live session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// The session's id.
    #[schema(value_type = String, example = "ses_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: SessionId,
    /// Whose it is.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    user_id: UserId,
    /// What it was begun with, as that said itself.
    device: SessionDevice,
    /// Network address it was begun from.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// Roughly where that is; absent unless the operator gave Plinto a database of places.
    place: Option<SessionPlace>,
    /// When it began, in milliseconds since the Unix epoch, as all times here.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When it was last seen, to a quarter of an hour.
    #[schema(value_type = i64)]
    last_seen_at: Timestamp,
    /// When the user last authenticated in it.
    #[schema(value_type = i64)]
    authenticated_at: Timestamp,
    /// How (RFC 8176).
    authentication_methods: Vec<String>,
    /// When it ends unless it is refreshed before.
    #[schema(value_type = i64)]
    expires_at: Timestamp,
    /// The organization it is active in.
    #[schema(value_type = Option<String>, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    organization_id: Option<OrganizationId>,
    /// Whether it is the one this request was made in.
    current: bool,
}

/// What a session was begun with.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionDevice {
    /// What kind of thing.
    kind: SessionDeviceKind,
    /// Name and version of the browser.
    #[schema(example = "Firefox 140.0")]
    browser: Option<String>,
    /// Name and version of the operating system.
    #[schema(example = "Linux")]
    system: Option<String>,
}

/// What kind of thing a session was begun with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionDeviceKind {
    /// A desktop or laptop computer.
    Computer,
    /// A telephone or tablet.
    Mobile,
    /// A television, console or the like.
    Appliance,
    /// A library or a robot.
    Program,
    /// It does not say.
    Unknown,
}

/// An approximate place.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionPlace {
    /// ISO 3166-1 code.
    #[schema(example = "DE")]
    country: Option<String>,
    /// A part of the country.
    region: Option<String>,
    /// A city.
    #[schema(example = "Berlin")]
    city: Option<String>,
}

impl From<SessionView> for Session {
    fn from(view: SessionView) -> Self {
        let kind = match view.device.kind {
            DeviceKind::Computer => SessionDeviceKind::Computer,
            DeviceKind::Mobile => SessionDeviceKind::Mobile,
            DeviceKind::Appliance => SessionDeviceKind::Appliance,
            DeviceKind::Program => SessionDeviceKind::Program,
            DeviceKind::Unknown => SessionDeviceKind::Unknown,
        };
        Self {
            id: view.id,
            user_id: view.user,
            device: SessionDevice { kind, browser: view.device.browser, system: view.device.system },
            address: view.address,
            place: view.place.map(|place| SessionPlace {
                country: place.country,
                region: place.region,
                city: place.city,
            }),
            created_at: view.created_at,
            last_seen_at: view.last_seen_at,
            authenticated_at: view.authenticated_at,
            authentication_methods: view.amr,
            expires_at: view.expires_at,
            organization_id: view.organization,
            current: view.is_current,
        }
    }
}

/// Which sessions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Sessions on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

impl SessionsQuery {
    fn paging(&self) -> Result<Paging<SessionId>, Problem> {
        Paging::of(self.after.as_deref(), self.limit)
    }
}

fn page(paging: &Paging<SessionId>, sessions: Vec<SessionView>) -> Json<Page<Session>> {
    Json(paging.page(sessions, |session| session.id.to_string(), Session::from))
}

/// The session a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct SessionPath {
    session: String,
}

/// The user whose sessions a path names.
#[derive(Deserialize)]
pub(crate) struct UserPath {
    user: String,
}

/// Where I am signed in. Newest first.
#[utoipa::path(get, path = "/v1/users/me/sessions", tag = "sessions", params(SessionsQuery),
    security(("access_token" = [])),
    responses((status = 200, body = Page<Session>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn list_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    QueryOf(query): QueryOf<SessionsQuery>,
) -> Result<Json<Page<Session>>, Problem> {
    let paging = query.paging()?;
    let (after, limit) = (paging.after, paging.to_read());
    let sessions = state.platform().my_sessions(tenant, &token, after, limit, state.deadline()).await?;
    Ok(page(&paging, sessions))
}

/// Sign out somewhere else. Ending a session that has ended changes nothing.
///
/// Another session than the present one asks for a recent sign-in; see `POST /v1/auth/reauthenticate`.
#[utoipa::path(delete, path = "/v1/users/me/sessions/{session}", tag = "sessions",
    params(("session" = String, Path, example = "ses_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("access_token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn end_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    Path(path): Path<SessionPath>,
) -> Result<StatusCode, Problem> {
    let session = path_id(&path.session)?;
    state.platform().end_my_session(tenant, &token, session, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out everywhere but here. Asks for a recent sign-in; see `POST /v1/auth/reauthenticate`.
#[utoipa::path(post, path = "/v1/users/me/sessions/revoke-others", tag = "sessions",
    security(("access_token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 503, body = Problem)))]
pub(crate) async fn end_my_others(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
) -> Result<StatusCode, Problem> {
    state.platform().end_my_other_sessions(tenant, &token, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a user is signed in. Newest first.
#[utoipa::path(get, path = "/v1/users/{user}/sessions", tag = "sessions",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), SessionsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<Session>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    QueryOf(query): QueryOf<SessionsQuery>,
) -> Result<Json<Page<Session>>, Problem> {
    let (user, paging) = (path_id(&path.user)?, query.paging()?);
    let (after, limit) = (paging.after, paging.to_read());
    let sessions = state.platform().sessions_of(tenant, user, after, limit, state.deadline()).await?;
    Ok(page(&paging, sessions))
}

/// Sign a user out everywhere.
#[utoipa::path(delete, path = "/v1/users/{user}/sessions", tag = "sessions",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn end_all(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<StatusCode, Problem> {
    state.platform().end_sessions_of(tenant, path_id(&path.user)?, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a session. Ending one that has ended changes nothing.
#[utoipa::path(delete, path = "/v1/sessions/{session}", tag = "sessions",
    params(("session" = String, Path, example = "ses_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn end(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<SessionPath>,
) -> Result<StatusCode, Problem> {
    state.platform().end_session(tenant, path_id(&path.session)?, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
