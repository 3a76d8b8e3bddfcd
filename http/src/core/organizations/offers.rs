//! Invitations to organizations, by those who were invited: with the token of the mail, or signed in.

use super::bodies::PageQuery;
use crate::extract::{Client, JsonBody, Mine, NamedTenant, QueryOf, path_id};
use crate::pages::Page;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::secret::Secret;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use plinto_actors::{
    InvitationAccepted, InvitationOffer, InvitedAccount, MyInvitation, NewAccount, OrganizationView,
};
use plinto_domain::{InvitationId, OrganizationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(look, accept, decline, mine, accept_mine, decline_mine, suggestions))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    use Access::{AccessToken, Public};
    let accept_one = "/v1/users/me/invitations/{invitation}/accept";
    let decline_one = "/v1/users/me/invitations/{invitation}/decline";
    vec![
        Route::new(Method::POST, "/v1/auth/organization-invitations/look", Public, look),
        Route::new(Method::POST, "/v1/auth/organization-invitations/accept", Public, accept),
        Route::new(Method::POST, "/v1/auth/organization-invitations/decline", Public, decline),
        Route::new(Method::GET, "/v1/users/me/invitations", AccessToken, mine),
        Route::new(Method::POST, accept_one, AccessToken, accept_mine),
        Route::new(Method::POST, decline_one, AccessToken, decline_mine),
        Route::new(Method::GET, "/v1/users/me/organization-suggestions", AccessToken, suggestions),
    ]
}

/// The token of a link in a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationTokenBody {
    /// What stands behind `token=` in the link.
    token: Secret,
}

/// An organization as strangers who were invited see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitingOrganization {
    #[schema(value_type = String, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: OrganizationId,
    /// Its name in URLs.
    slug: String,
    /// Its name for people.
    name: String,
}

impl From<OrganizationView> for InvitingOrganization {
    fn from(view: OrganizationView) -> Self {
        Self { id: view.id, slug: view.slug, name: view.name }
    }
}

/// What a link invites to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Offer {
    organization: InvitingOrganization,
    /// Whom it invites.
    email: String,
    /// As what.
    role: String,
    /// Until when, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    expires_at: Timestamp,
    /// The account of the address: `none` (accepting with a password makes one), `proved` (accepting makes it a member),
    /// or `unproved` (sign in, confirm the address, and accept there).
    #[schema(value_type = String, example = "none")]
    account: &'static str,
}

impl From<InvitationOffer> for Offer {
    fn from(offer: InvitationOffer) -> Self {
        let InvitationOffer { organization, invitation, account } = offer;
        Self {
            organization: organization.into(),
            email: invitation.email.as_entered().to_owned(),
            role: invitation.role.to_string(),
            expires_at: invitation.expires_at,
            account: match account {
                InvitedAccount::None => "none",
                InvitedAccount::Proved(_) => "proved",
                InvitedAccount::Unproved => "unproved",
            },
        }
    }
}

/// What a link in a mail invites to. Changes nothing.
#[utoipa::path(post, path = "/v1/auth/organization-invitations/look", tag = "organizations", request_body = InvitationTokenBody,
    responses((status = 200, body = Offer), (status = 410, body = Problem)))]
pub(crate) async fn look(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<InvitationTokenBody>,
) -> Result<Json<Offer>, Problem> {
    let (tenant, token) = (tenant.required()?, body.token.into_inner());
    let offer = state.platform().invitation_offer(tenant, &token, client, state.deadline()).await?;
    Ok(Json(offer.into()))
}

/// An invitation to accept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// What stands behind `token=` in the link.
    token: Secret,
    /// The password of the account that is made; not used where the address has one.
    password: Option<Secret>,
    /// What to call them; not used where the address has an account.
    name: Option<String>,
}

/// What accepting came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepted {
    organization: InvitingOrganization,
    /// Who is a member now.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    user: UserId,
    /// As what.
    role: String,
    /// Whether the account was made for it.
    account_created: bool,
}

impl From<InvitationAccepted> for Accepted {
    fn from(accepted: InvitationAccepted) -> Self {
        let InvitationAccepted { organization, user, role, account_created } = accepted;
        Self { organization: organization.into(), user, role, account_created }
    }
}

/// Accept an invitation by the link in its mail. The link works once.
///
/// An account that proved the address becomes a member. Where the address has none, one is made with the password and
/// the address proved. Nobody is signed in by it.
#[utoipa::path(post, path = "/v1/auth/organization-invitations/accept", tag = "organizations", request_body = AcceptBody,
    responses((status = 200, body = Accepted), (status = 409, body = Problem), (status = 410, body = Problem)))]
pub(crate) async fn accept(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<AcceptBody>,
) -> Result<Json<Accepted>, Problem> {
    let (tenant, token) = (tenant.required()?, body.token.into_inner());
    let password = body.password.map(Secret::into_inner);
    let account =
        NewAccount { password: password.as_ref().map(|text| text.as_str()), name: body.name.as_deref() };
    let deadline = state.deadline();
    Ok(Json(state.platform().accept_invitation(tenant, &token, account, client, deadline).await?.into()))
}

/// Decline an invitation by the link in its mail.
#[utoipa::path(post, path = "/v1/auth/organization-invitations/decline", tag = "organizations", request_body = InvitationTokenBody,
    responses((status = 204, description = "declined"), (status = 410, body = Problem)))]
pub(crate) async fn decline(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<InvitationTokenBody>,
) -> Result<StatusCode, Problem> {
    let (tenant, token) = (tenant.required()?, body.token.into_inner());
    state.platform().decline_invitation(tenant, &token, client, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An open invitation to the signed-in user.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceivedInvitation {
    #[schema(value_type = String, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: InvitationId,
    organization: InvitingOrganization,
    /// To which of the user's addresses.
    email: String,
    /// As what.
    role: String,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Until when it can be accepted, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    expires_at: Timestamp,
}

impl From<MyInvitation> for ReceivedInvitation {
    fn from(MyInvitation { invitation, organization }: MyInvitation) -> Self {
        Self {
            id: invitation.id,
            organization: organization.into(),
            email: invitation.email,
            role: invitation.role.to_string(),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// Open invitations to the signed-in user's proved addresses, in order of their ids.
#[utoipa::path(get, path = "/v1/users/me/invitations", tag = "organizations", params(PageQuery), security(("access_token" = [])),
    responses((status = 200, body = Page<ReceivedInvitation>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<ReceivedInvitation>>, Problem> {
    let paging = query.paging::<InvitationId>()?;
    let (after, limit) = (paging.after, paging.to_read());
    let found = state.platform().my_invitations(tenant, &token, after, limit, state.deadline()).await?;
    Ok(Json(paging.page(found, |one| one.invitation.id.to_string(), ReceivedInvitation::from)))
}

/// The invitation a path names.
#[derive(Deserialize)]
pub(crate) struct MyInvitationPath {
    invitation: String,
}

/// Accept an invitation to a proved address of the signed-in user.
#[utoipa::path(post, path = "/v1/users/me/invitations/{invitation}/accept", tag = "organizations", params(("invitation" = String, Path, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 200, body = Accepted), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn accept_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    Path(path): Path<MyInvitationPath>,
) -> Result<Json<Accepted>, Problem> {
    let id = path_id(&path.invitation)?;
    Ok(Json(state.platform().accept_my_invitation(tenant, &token, id, state.deadline()).await?.into()))
}

/// Decline an invitation to a proved address of the signed-in user.
#[utoipa::path(post, path = "/v1/users/me/invitations/{invitation}/decline", tag = "organizations", params(("invitation" = String, Path, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 204, description = "declined"), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn decline_mine(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    Path(path): Path<MyInvitationPath>,
) -> Result<StatusCode, Problem> {
    let id = path_id(&path.invitation)?;
    state.platform().decline_my_invitation(tenant, &token, id, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Organizations that are suggested to the signed-in user, because a proved address is in a domain they verified.
#[utoipa::path(get, path = "/v1/users/me/organization-suggestions", tag = "organizations", security(("access_token" = [])),
    responses((status = 200, body = Page<InvitingOrganization>), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn suggestions(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
) -> Result<Json<Page<InvitingOrganization>>, Problem> {
    let found = state.platform().suggested_organizations(tenant, &token, state.deadline()).await?;
    // As many as a user has addresses at most: one page.
    Ok(Json(Page { items: found.into_iter().map(InvitingOrganization::from).collect(), next: None }))
}
