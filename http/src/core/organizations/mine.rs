//! Organizations, by the users who belong to them. To everybody else they are unknown.

use super::bodies::{
    Member, MemberRoleBody, Membership, NewMemberBody, Organization, OrganizationChangeBody, PageQuery,
    TransferBody, memberships,
};
use super::{Asking, MemberPath, OrganizationPath};
use crate::extract::{JsonBody, Mine, QueryOf};
use crate::pages::Page;
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use plinto_domain::id::OrganizationId;

/// Organizations the signed-in user belongs to, and as what.
#[utoipa::path(get, path = "/v1/users/me/organizations", tag = "organizations", params(PageQuery), security(("access_token" = [])),
    responses((status = 200, body = Page<Membership>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<Membership>>, Problem> {
    let paging = query.paging::<OrganizationId>()?;
    let (after, limit) = (paging.after, paging.to_read());
    let found = state.platform().my_memberships(tenant, &token, after, limit, state.deadline()).await?;
    Ok(memberships(&paging, found))
}

/// One organization the user belongs to. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("access_token" = [])), responses((status = 200, body = Organization), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    super::get(&state, asking, &path, &known).await
}

/// Change an organization. With `If-Match` only if nobody else changed it meanwhile.
///
/// For its owners and admins.
#[utoipa::path(patch, path = "/v1/users/me/organizations/{organization}", tag = "organizations", request_body = OrganizationChangeBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("access_token" = [])), responses((status = 200, body = Organization), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<OrganizationChangeBody>,
) -> Result<Versioned<Organization>, Problem> {
    super::change(&state, asking, &path, precondition, body).await
}

/// Delete an organization with its memberships and invitations.
///
/// For its owners.
#[utoipa::path(delete, path = "/v1/users/me/organizations/{organization}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("access_token" = [])), responses((status = 204, description = "gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    super::delete(&state, asking, &path, precondition).await
}

/// Members of an organization, in order of their ids.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/members", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), PageQuery), security(("access_token" = [])), responses((status = 200, body = Page<Member>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn members(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<Member>>, Problem> {
    super::members(&state, asking, &path, &query).await
}

/// Make a user of the tenant a member.
///
/// For its owners and admins; nobody gives or takes a role that permits more than their own.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/members", tag = "organizations", request_body = NewMemberBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])), responses((status = 201, body = Member), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn add_member(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    JsonBody(body): JsonBody<NewMemberBody>,
) -> Result<(StatusCode, Versioned<Member>), Problem> {
    super::add_member(&state, asking, &path, &body).await
}

/// One member. The answer's `ETag` is the membership's version.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/members/{user}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("access_token" = [])), responses((status = 200, body = Member), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn member(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<MemberPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    super::member(&state, asking, &path, &known).await
}

/// Give a member another role. With `If-Match` only if nobody else changed it meanwhile.
///
/// For its owners and admins; nobody gives or takes a role that permits more than their own.
#[utoipa::path(patch, path = "/v1/users/me/organizations/{organization}/members/{user}", tag = "organizations", request_body = MemberRoleBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("access_token" = [])), responses((status = 200, body = Member), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change_member(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<MemberPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<MemberRoleBody>,
) -> Result<Versioned<Member>, Problem> {
    super::change_member(&state, asking, &path, precondition, &body).await
}

/// Remove a member. An organization never loses its last owner.
///
/// Everybody may leave; others are removed by owners and admins.
#[utoipa::path(delete, path = "/v1/users/me/organizations/{organization}/members/{user}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])), responses((status = 204, description = "gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn remove_member(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<MemberPath>,
) -> Result<StatusCode, Problem> {
    super::remove_member(&state, asking, &path).await
}

/// Make an owner an admin and another member an owner, at once.
///
/// Owners hand on their own ownership.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/transfer-ownership", tag = "organizations", request_body = TransferBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])), responses((status = 200, body = Member), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn transfer(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    JsonBody(body): JsonBody<TransferBody>,
) -> Result<Versioned<Member>, Problem> {
    super::transfer(&state, asking, &path, &body).await
}
