//! Domains of organizations, by members who manage members.

use super::super::bodies::PageQuery;
use super::super::{Asking, OrganizationPath};
use super::{Domain, DomainChangeBody, DomainPath, NewDomainBody};
use crate::extract::{JsonBody, QueryOf};
use crate::pages::Page;
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

/// Domains an organization claims, in order of their ids.
///
/// For its owners and admins.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/domains", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), PageQuery), security(("access_token" = [])),
    responses((status = 200, body = Page<Domain>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<Domain>>, Problem> {
    super::list(&state, asking, &path, &query).await
}

/// Claim a domain for an organization.
///
/// It does nothing until it is verified: add the TXT record of the answer to the domain, then verify it.
///
/// For its owners and admins.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/domains", tag = "organizations", request_body = NewDomainBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 201, body = Domain, headers(("Location" = String, description = "path of the domain"), ("ETag" = String, description = "its version"))), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn claim(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    JsonBody(body): JsonBody<NewDomainBody>,
) -> Result<Response, Problem> {
    super::claim(&state, asking, &path, &body).await
}

/// One domain. The answer's `ETag` is its version.
///
/// For its owners and admins.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/domains/{domain}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("domain" = String, Path, example = "dom_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("access_token" = [])),
    responses((status = 200, body = Domain), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<DomainPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    super::get(&state, asking, &path, &known).await
}

/// Change what a domain does. With `If-Match` only if nobody else changed it meanwhile.
///
/// For its owners and admins.
#[utoipa::path(patch, path = "/v1/users/me/organizations/{organization}/domains/{domain}", tag = "organizations", request_body = DomainChangeBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("domain" = String, Path, example = "dom_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("access_token" = [])),
    responses((status = 200, body = Domain), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<DomainPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<DomainChangeBody>,
) -> Result<Versioned<Domain>, Problem> {
    super::change(&state, asking, &path, precondition, &body).await
}

/// Let a domain go: nobody becomes a member by it any more. Who did stays.
///
/// For its owners and admins.
#[utoipa::path(delete, path = "/v1/users/me/organizations/{organization}/domains/{domain}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("domain" = String, Path, example = "dom_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("access_token" = [])),
    responses((status = 204, description = "gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn release(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<DomainPath>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    super::release(&state, asking, &path, precondition).await
}

/// Look whether the DNS has the TXT record that proves a domain.
///
/// For its owners and admins.
#[utoipa::path(post, path = "/v1/users/me/organizations/{organization}/domains/{domain}/verify", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("domain" = String, Path, example = "dom_0193a6f2c5d87e1bb1f3a2c4d5e6f708")), security(("access_token" = [])),
    responses((status = 200, body = Domain), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn verify(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<DomainPath>,
) -> Result<Versioned<Domain>, Problem> {
    super::verify(&state, asking, &path).await
}
