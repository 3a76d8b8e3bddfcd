//! Organizations, by the tenant's services and operators.

use super::bodies::{NewOrganizationBody, Organization, OrganizationChangeBody, PageQuery, versioned};
use super::{Asking, OrganizationPath};
use crate::extract::{JsonBody, ManagedTenant, QueryOf};
use crate::pages::Page;
use crate::problem::{Problem, internal};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::ServiceError;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::NewOrganization;

/// List organizations, in order of their ids.
#[utoipa::path(get, path = "/v1/organizations", tag = "organizations", params(PageQuery), security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<Organization>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<Organization>>, Problem> {
    let paging = query.paging::<OrganizationId>()?;
    let (after, limit) = (paging.after, paging.to_read());
    let found = state.platform().organizations(tenant, after, limit, state.deadline()).await?;
    Ok(Json(paging.page(found, |one| one.id.to_string(), Organization::from)))
}

/// Create an organization with its first owner.
#[utoipa::path(post, path = "/v1/organizations", tag = "organizations", request_body = NewOrganizationBody, security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = Organization), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewOrganizationBody>,
) -> Result<impl IntoResponse, Problem> {
    let NewOrganizationBody { slug, name, metadata, owner } = body;
    let new = NewOrganization::parse(&slug, &name, metadata, &owner).map_err(ServiceError::from)?;
    let view = state.platform().create_organization(tenant, new, actor, state.deadline()).await?;
    let location =
        HeaderValue::from_str(&format!("/v1/organizations/{}", view.id)).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], versioned(view)))
}

/// One organization. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/organizations/{organization}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("service_key" = []), ("platform_key" = [])), responses((status = 200, body = Organization), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    super::get(&state, asking, &path, &known).await
}

/// Change an organization. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/organizations/{organization}", tag = "organizations", request_body = OrganizationChangeBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("service_key" = []), ("platform_key" = [])), responses((status = 200, body = Organization), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
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
#[utoipa::path(delete, path = "/v1/organizations/{organization}", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("service_key" = []), ("platform_key" = [])), responses((status = 204, description = "gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    super::delete(&state, asking, &path, precondition).await
}
