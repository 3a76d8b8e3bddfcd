//! Invitations to organizations, by members who manage members.

use super::super::{Asking, OrganizationPath};
use super::{
    Invitation, InvitationOutcomes, InvitationPath, InvitationsBody, InvitationsQuery, NewInvitationBody,
};
use crate::extract::{JsonBody, QueryOf};
use crate::pages::Page;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;

/// Invitations to an organization, in order of their ids.
///
/// For its owners and admins.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/invitations", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), InvitationsQuery), security(("access_token" = [])),
    responses((status = 200, body = Page<Invitation>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    QueryOf(query): QueryOf<InvitationsQuery>,
) -> Result<Json<Page<Invitation>>, Problem> {
    super::list(&state, asking, &path, &query).await
}

/// Invite somebody by mail. The answer never tells whether the address has an account; that it is a member's, it does.
///
/// For its owners and admins; nobody invites into a role that permits more than their own.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/invitations", tag = "organizations", request_body = NewInvitationBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 201, body = Invitation, headers(("Location" = String, description = "path of the invitation"))), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    JsonBody(body): JsonBody<NewInvitationBody>,
) -> Result<Response, Problem> {
    super::create(&state, asking, &path, &body).await
}

/// Invite up to 100 people by mail, each or not as if it were alone.
///
/// The answer has one outcome for each, in their order: the invitation, or the problem that stood in its way.
///
/// For its owners and admins; nobody invites into a role that permits more than their own.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/invitations/bulk", tag = "organizations", request_body = InvitationsBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 200, body = InvitationOutcomes), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create_many(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    JsonBody(body): JsonBody<InvitationsBody>,
) -> Result<Json<InvitationOutcomes>, Problem> {
    super::create_many(&state, asking, &path, &body).await
}

/// One invitation.
///
/// For its owners and admins.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/invitations/{invitation}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("invitation" = String, Path, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 200, body = Invitation), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<InvitationPath>,
) -> Result<Json<Invitation>, Problem> {
    super::get(&state, asking, &path).await
}

/// Send an invitation once more, with a new link and a new life. The link sent before is good for nothing any more.
///
/// For its owners and admins.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/invitations/{invitation}/resend", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("invitation" = String, Path, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 200, body = Invitation), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn resend(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<InvitationPath>,
) -> Result<Json<Invitation>, Problem> {
    super::resend(&state, asking, &path).await
}

/// Take an invitation back. Its link is good for nothing any more.
///
/// For its owners and admins.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/invitations/{invitation}/revoke", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("invitation" = String, Path, example = "inv_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 200, body = Invitation), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<InvitationPath>,
) -> Result<Json<Invitation>, Problem> {
    super::revoke(&state, asking, &path).await
}
