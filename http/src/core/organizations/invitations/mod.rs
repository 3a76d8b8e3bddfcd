//! Invitations to organizations, by those who invite.

mod managed;
mod mine;

use super::{Asking, OrganizationPath};
use crate::extract::path_id;
use crate::objects::object;
use crate::pages::{Page, Paging};
use crate::problem::{Problem, internal};
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{AskedBy, InvitationView, ServiceError};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::organization::invitation::{InvitationState, NewInvitation};
use plinto_domain::{InvalidInput, InvitationId, OrganizationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// Most invitations of one request.
const MOST: usize = 100;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(
    managed::list,
    managed::create,
    managed::create_many,
    managed::get,
    managed::resend,
    managed::revoke,
    mine::list,
    mine::create,
    mine::create_many,
    mine::get,
    mine::resend,
    mine::revoke
))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Organizations));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Organizations));
    const USER: Access = Access::AccessToken;
    let all = "/v1/organizations/{organization}/invitations";
    let bulk = "/v1/organizations/{organization}/invitations/bulk";
    let one = "/v1/organizations/{organization}/invitations/{invitation}";
    let resend = "/v1/organizations/{organization}/invitations/{invitation}/resend";
    let revoke = "/v1/organizations/{organization}/invitations/{invitation}/revoke";
    let my_all = "/v1/users/me/organizations/{organization}/invitations";
    let my_bulk = "/v1/users/me/organizations/{organization}/invitations/bulk";
    let my_one = "/v1/users/me/organizations/{organization}/invitations/{invitation}";
    let my_resend = "/v1/users/me/organizations/{organization}/invitations/{invitation}/resend";
    let my_revoke = "/v1/users/me/organizations/{organization}/invitations/{invitation}/revoke";
    vec![
        Route::new(Method::GET, all, READ, managed::list),
        Route::new(Method::POST, all, WRITE, managed::create).once_by_key(),
        Route::new(Method::POST, bulk, WRITE, managed::create_many).once_by_key(),
        Route::new(Method::GET, one, READ, managed::get),
        Route::new(Method::POST, resend, WRITE, managed::resend),
        Route::new(Method::POST, revoke, WRITE, managed::revoke),
        Route::new(Method::GET, my_all, USER, mine::list),
        Route::new(Method::POST, my_all, USER, mine::create).once_by_key(),
        Route::new(Method::POST, my_bulk, USER, mine::create_many).once_by_key(),
        Route::new(Method::GET, my_one, USER, mine::get),
        Route::new(Method::POST, my_resend, USER, mine::resend),
        Route::new(Method::POST, my_revoke, USER, mine::revoke),
    ]
}

/// An invitation to an organization.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationInvitation)]
pub(crate) struct Invitation {
    #[schema(value_type = String, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: InvitationId,
    #[schema(value_type = String, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    organization: OrganizationId,
    /// Whom.
    email: String,
    /// As what.
    role: String,
    /// `pending`, `accepted`, `declined`, `revoked` or `expired`.
    #[schema(value_type = String, example = "pending")]
    state: &'static str,
    /// Who invited: id of a user or of an API key.
    invited_by: String,
    /// Who accepted; null if nobody did.
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When the last mail was sent, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    sent_at: Timestamp,
    /// Until when it can be accepted, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    expires_at: Timestamp,
    /// When it was accepted, declined or revoked, in milliseconds since the Unix epoch; null if it was not.
    #[schema(value_type = Option<i64>)]
    ended_at: Option<Timestamp>,
}

impl From<InvitationView> for Invitation {
    fn from(view: InvitationView) -> Self {
        Self {
            id: view.id,
            organization: view.organization,
            email: view.email,
            role: view.role.to_string(),
            state: view.state.as_str(),
            invited_by: view.invited_by,
            user: view.user,
            created_at: view.created_at,
            sent_at: view.sent_at,
            expires_at: view.expires_at,
            ended_at: view.ended_at,
        }
    }
}

/// A state to filter by.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateFilter {
    /// Can be accepted.
    Pending,
    /// Was accepted.
    Accepted,
    /// Was declined.
    Declined,
    /// Was taken back.
    Revoked,
    /// Its time has passed.
    Expired,
}

impl From<StateFilter> for InvitationState {
    fn from(filter: StateFilter) -> Self {
        match filter {
            StateFilter::Pending => Self::Pending,
            StateFilter::Accepted => Self::Accepted,
            StateFilter::Declined => Self::Declined,
            StateFilter::Revoked => Self::Revoked,
            StateFilter::Expired => Self::Expired,
        }
    }
}

/// Which invitations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Items on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
    /// Only invitations in this state.
    #[param(inline)]
    state: Option<StateFilter>,
}

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitationBody {
    /// Where the invitation is sent.
    #[schema(example = "grace@example.com")]
    email: String,
    /// `owner`, `admin`, `member` (the default), or the key of a role of level `organization`.
    #[serde(default = "member")]
    #[schema(example = "member")]
    role: String,
}

fn member() -> String {
    "member".to_owned()
}

impl NewInvitationBody {
    fn parse(&self) -> Result<NewInvitation, Vec<InvalidInput>> {
        NewInvitation::parse(&self.email, &self.role)
    }
}

/// One of many.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Item(#[serde(deserialize_with = "object")] NewInvitationBody);

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationsBody {
    /// 1 to 100.
    #[schema(value_type = Vec<NewInvitationBody>, min_items = 1, max_items = 100)]
    invitations: Vec<Item>,
}

/// What became of each, in their order.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationOutcomes {
    items: Vec<InvitationOutcome>,
}

/// What became of one: the invitation, or the problem that stood in its way.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationOutcome {
    /// Whom it is about, as in the request.
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<Invitation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// The invitation a path names.
#[derive(Deserialize)]
pub(crate) struct InvitationPath {
    organization: String,
    invitation: String,
}

impl InvitationPath {
    fn ids(&self) -> Result<(OrganizationId, InvitationId), Problem> {
        Ok((path_id(&self.organization)?, path_id(&self.invitation)?))
    }
}

async fn list(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    query: &InvitationsQuery,
) -> Result<Json<Page<Invitation>>, Problem> {
    let paging = Paging::<InvitationId>::of(query.after.as_deref(), query.limit)?;
    let id = path_id(&path.organization)?;
    let (filter, page) = (query.state.map(Into::into), (paging.after, paging.to_read()));
    let found = state.platform().invitations(tenant, id, filter, page, by, state.deadline()).await?;
    Ok(Json(paging.page(found, |one| one.id.to_string(), Invitation::from)))
}

async fn create(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    body: &NewInvitationBody,
) -> Result<Response, Problem> {
    let id: OrganizationId = path_id(&path.organization)?;
    let new = body.parse().map_err(ServiceError::from)?;
    let mine = if matches!(by, AskedBy::User(_)) { "/users/me" } else { "" };
    let view = state.platform().invite(tenant, id, new, by, state.deadline()).await?;
    let location = format!("/v1{mine}/organizations/{id}/invitations/{}", view.id);
    let location = HeaderValue::from_str(&location).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Invitation::from(view))).into_response())
}

async fn create_many(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    body: &InvitationsBody,
) -> Result<Json<InvitationOutcomes>, Problem> {
    let id = path_id(&path.organization)?;
    if !(1..=MOST).contains(&body.invitations.len()) {
        let wrong = InvalidInput::new("invitations", "out_of_range", "invite 1 to 100 people at once");
        return Err(ServiceError::from(wrong).into());
    }
    let new = body.invitations.iter().map(|Item(one)| one.parse()).collect();
    let invited = state.platform().invite_all(tenant, id, new, by, state.deadline()).await?;
    let items = body.invitations.iter().zip(invited).map(|(Item(one), outcome)| {
        let (invitation, problem) = match outcome {
            Ok(view) => (Some(view.into()), None),
            Err(error) => (None, Some(error.into())),
        };
        InvitationOutcome { email: one.email.clone(), invitation, problem }
    });
    Ok(Json(InvitationOutcomes { items: items.collect() }))
}

async fn get(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &InvitationPath,
) -> Result<Json<Invitation>, Problem> {
    let (organization, id) = path.ids()?;
    let view = state.platform().invitation(tenant, organization, id, by, state.deadline()).await?;
    Ok(Json(view.into()))
}

async fn resend(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &InvitationPath,
) -> Result<Json<Invitation>, Problem> {
    let (organization, id) = path.ids()?;
    let view = state.platform().resend_invitation(tenant, organization, id, by, state.deadline()).await?;
    Ok(Json(view.into()))
}

async fn revoke(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &InvitationPath,
) -> Result<Json<Invitation>, Problem> {
    let (organization, id) = path.ids()?;
    let view = state.platform().revoke_invitation(tenant, organization, id, by, state.deadline()).await?;
    Ok(Json(view.into()))
}
