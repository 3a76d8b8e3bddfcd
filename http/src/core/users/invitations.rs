//! Invitations to become a user.

use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::{self, Problem};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{UserInvitationInput, UserInvitationView};
use plinto_domain::{Timestamp, UserInvitationId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// An invitation that was neither accepted nor revoked.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserInvitation {
    /// Its id.
    #[schema(value_type = String, example = "uin_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: UserInvitationId,
    /// `pending`, or `expired`: then it can be sent again.
    #[schema(value_type = String, example = "pending")]
    state: &'static str,
    /// Where it was sent.
    email: String,
    /// What to call them.
    name: Option<String>,
    /// Metadata they may read.
    #[schema(value_type = Object)]
    public_metadata: Map<String, Value>,
    /// Metadata they never see.
    #[schema(value_type = Object)]
    private_metadata: Map<String, Value>,
    /// When it was made, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Until when it can be accepted, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    expires_at: Timestamp,
}

impl From<UserInvitationView> for UserInvitation {
    fn from(view: UserInvitationView) -> Self {
        Self {
            id: view.id,
            state: if view.is_open { "pending" } else { "expired" },
            email: view.email,
            name: view.name,
            public_metadata: view.public_metadata,
            private_metadata: view.private_metadata,
            created_at: view.created_at,
            expires_at: view.expires_at,
        }
    }
}

/// Somebody to invite. Only the address is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserInvitationBody {
    /// Where the invitation goes; the user's primary address afterwards.
    #[schema(example = "grace@example.com")]
    email: String,
    /// What to call them.
    #[schema(example = "Grace Hopper")]
    name: Option<String>,
    /// Metadata they may read: a JSON object of at most 8 KiB.
    #[schema(value_type = Option<Object>)]
    public_metadata: Option<Map<String, Value>>,
    /// Metadata they never see.
    #[schema(value_type = Option<Object>)]
    private_metadata: Option<Map<String, Value>>,
}

/// The invitation a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct UserInvitationPath {
    invitation: String,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserInvitationsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Most items on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// Invite somebody to become a user.
///
/// They get a mail with a link, by which they choose a password. Until then there is no user. An older invitation to the
/// address is void from now on. How long it is good is the tenant's setting `recovery.invitation_minutes`.
#[utoipa::path(post, path = "/v1/users/invitations", tag = "users", request_body = UserInvitationBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = UserInvitation, headers(("Location" = String, description = "path of the invitation"))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn invite(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<UserInvitationBody>,
) -> Result<Response, Problem> {
    let UserInvitationBody { email, name, public_metadata, private_metadata } = body;
    let input = UserInvitationInput { email, name, public_metadata, private_metadata };
    let view = state.platform().invite_user(tenant, input, actor, state.deadline()).await?;
    let location = format!("/v1/users/invitations/{}", view.id);
    let location = HeaderValue::from_str(&location).map_err(|_| problem::internal())?;
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(UserInvitation::from(view))).into_response())
}

/// List invitations that were neither accepted nor revoked, in the order in which they were made.
#[utoipa::path(get, path = "/v1/users/invitations", tag = "users", params(UserInvitationsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<UserInvitation>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<UserInvitationsQuery>,
) -> Result<Json<Page<UserInvitation>>, Problem> {
    let paging = Paging::<UserInvitationId>::of(query.after.as_deref(), query.limit)?;
    let (platform, deadline) = (state.platform(), state.deadline());
    let read = platform.user_invitations(tenant, paging.after, paging.to_read(), deadline).await?;
    Ok(Json(paging.page(read, |view| view.id.to_string(), UserInvitation::from)))
}

/// One invitation.
#[utoipa::path(get, path = "/v1/users/invitations/{invitation}", tag = "users",
    params(("invitation" = String, Path, example = "uin_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserInvitation), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserInvitationPath>,
) -> Result<Json<UserInvitation>, Problem> {
    let invitation = path_id(&path.invitation)?;
    let view = state.platform().user_invitation(tenant, invitation, state.deadline()).await?;
    Ok(Json(view.into()))
}

/// Send an invitation once more, with another link. The last link is void from now on; also one that has expired is
/// good for its whole time again.
#[utoipa::path(post, path = "/v1/users/invitations/{invitation}/resend", tag = "users",
    params(("invitation" = String, Path, example = "uin_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserInvitation), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn resend(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserInvitationPath>,
) -> Result<Json<UserInvitation>, Problem> {
    let invitation = path_id(&path.invitation)?;
    let view = state.platform().resend_user_invitation(tenant, invitation, actor, state.deadline()).await?;
    Ok(Json(view.into()))
}

/// Revoke an invitation. Its link is void from now on.
#[utoipa::path(delete, path = "/v1/users/invitations/{invitation}", tag = "users",
    params(("invitation" = String, Path, example = "uin_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "it is void"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserInvitationPath>,
) -> Result<StatusCode, Problem> {
    let invitation = path_id(&path.invitation)?;
    state.platform().revoke_user_invitation(tenant, invitation, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
