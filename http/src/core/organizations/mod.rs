//! Organizations and their members: administered by the tenant's services, and by their members themselves.

mod bodies;
pub(crate) mod domains;
pub(crate) mod invitations;
mod managed;
mod members;
mod mine;
pub(crate) mod offer_page;
pub(crate) mod offers;
mod policies;

use crate::extract::{ManagedTenant, Mine, path_id};
use crate::guard::Bearer;
use crate::pages::Page;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bodies::{
    Member, MemberRoleBody, NewMemberBody, Organization, OrganizationChangeBody, PageQuery, TransferBody,
    versioned, versioned_member,
};
use plinto_actors::{AskedBy, MemberChange, ServiceError};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::authorization::RoleKey;
use plinto_domain::organization::{NewMember, OrganizationChange, parse_transfer};
use plinto_domain::precondition::Precondition;
use plinto_domain::{TenantId, UserId};
use serde::Deserialize;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(
        managed::list,
        managed::create,
        managed::get,
        managed::change,
        managed::delete,
        members::list,
        members::add,
        members::get,
        members::change,
        members::remove,
        members::transfer,
        members::of_user,
        mine::list,
        mine::get,
        mine::change,
        mine::delete,
        mine::members,
        mine::add_member,
        mine::member,
        mine::change_member,
        mine::remove_member,
        mine::transfer,
        policies::get,
        policies::change,
        policies::mine,
        policies::change_mine
    ),
    tags((name = "organizations", description = "Groups of users inside a tenant, and who belongs to them"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Organizations));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Organizations));
    const USER: Access = Access::AccessToken;
    let one = "/v1/organizations/{organization}";
    let all_members = "/v1/organizations/{organization}/members";
    let member = "/v1/organizations/{organization}/members/{user}";
    let my_one = "/v1/users/me/organizations/{organization}";
    let policy = "/v1/organizations/{organization}/policy";
    let my_policy = "/v1/users/me/organizations/{organization}/policy";
    let my_members = "/v1/users/me/organizations/{organization}/members";
    let my_member = "/v1/users/me/organizations/{organization}/members/{user}";
    let rows = [
        Route::new(Method::GET, "/v1/organizations", READ, managed::list),
        Route::new(Method::POST, "/v1/organizations", WRITE, managed::create).once_by_key(),
        Route::new(Method::GET, one, READ, managed::get),
        Route::new(Method::PATCH, one, WRITE, managed::change),
        Route::new(Method::DELETE, one, WRITE, managed::delete),
        Route::new(Method::GET, policy, READ, policies::get),
        Route::new(Method::PATCH, policy, WRITE, policies::change),
        Route::new(Method::GET, my_policy, USER, policies::mine),
        Route::new(Method::PATCH, my_policy, USER, policies::change_mine),
        Route::new(Method::GET, all_members, READ, members::list),
        Route::new(Method::POST, all_members, WRITE, members::add).once_by_key(),
        Route::new(Method::GET, member, READ, members::get),
        Route::new(Method::PATCH, member, WRITE, members::change),
        Route::new(Method::DELETE, member, WRITE, members::remove),
        Route::new(
            Method::POST,
            "/v1/organizations/{organization}/transfer-ownership",
            WRITE,
            members::transfer,
        ),
        Route::new(Method::GET, "/v1/users/{user}/organizations", READ, members::of_user),
        Route::new(Method::GET, "/v1/users/me/organizations", USER, mine::list),
        Route::new(Method::GET, my_one, USER, mine::get),
        Route::new(Method::PATCH, my_one, USER, mine::change),
        Route::new(Method::DELETE, my_one, USER, mine::delete),
        Route::new(Method::GET, my_members, USER, mine::members),
        Route::new(Method::POST, my_members, USER, mine::add_member).once_by_key(),
        Route::new(Method::GET, my_member, USER, mine::member),
        Route::new(Method::PATCH, my_member, USER, mine::change_member),
        Route::new(Method::DELETE, my_member, USER, mine::remove_member),
        Route::new(
            Method::POST,
            "/v1/users/me/organizations/{organization}/transfer-ownership",
            USER,
            mine::transfer,
        ),
    ];
    let others = [invitations::routes(), domains::routes(), offers::routes(), offer_page::routes()];
    rows.into_iter().chain(others.into_iter().flatten()).map(Route::of_tenant).collect()
}

/// Who asks: the tenant, by a key with the right to it, or a user, whose standing in the organization decides.
pub(crate) struct Asking {
    tenant: TenantId,
    by: AskedBy,
}

impl FromRequestParts<AppState> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        if parts.extensions.get::<Bearer>().is_some() {
            let Mine { tenant, token } = Mine::from_request_parts(parts, state).await?;
            return Ok(Self { tenant, by: AskedBy::User(token) });
        }
        let ManagedTenant { tenant, actor } = ManagedTenant::from_request_parts(parts, state).await?;
        Ok(Self { tenant, by: AskedBy::Tenant(actor) })
    }
}

/// The organization a path names.
#[derive(Deserialize)]
pub(crate) struct OrganizationPath {
    organization: String,
}

/// The member a path names.
#[derive(Deserialize)]
pub(crate) struct MemberPath {
    organization: String,
    user: String,
}

async fn get(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    known: &IfNoneMatch,
) -> Result<Response, Problem> {
    let id = path_id(&path.organization)?;
    let view = state.platform().organization(tenant, id, by, state.deadline()).await?;
    Ok(versioned(view).unless_known(known))
}

async fn change(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    precondition: Precondition,
    body: OrganizationChangeBody,
) -> Result<Versioned<Organization>, Problem> {
    let id = path_id(&path.organization)?;
    let OrganizationChangeBody { slug, name, metadata } = body;
    let wanted = OrganizationChange::parse(slug.as_deref(), name.as_deref(), metadata);
    let wanted = wanted.map_err(ServiceError::from)?;
    let deadline = state.deadline();
    let view = state.platform().change_organization(tenant, id, wanted, precondition, by, deadline).await?;
    Ok(versioned(view))
}

async fn delete(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    precondition: Precondition,
) -> Result<StatusCode, Problem> {
    let id = path_id(&path.organization)?;
    state.platform().delete_organization(tenant, id, precondition, by, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn members(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    query: &PageQuery,
) -> Result<Json<Page<Member>>, Problem> {
    let paging = query.paging::<UserId>()?;
    let (id, after, limit) = (path_id(&path.organization)?, paging.after, paging.to_read());
    let found = state.platform().members(tenant, id, after, limit, by, state.deadline()).await?;
    Ok(bodies::members(&paging, found))
}

async fn add_member(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    body: &NewMemberBody,
) -> Result<(StatusCode, Versioned<Member>), Problem> {
    let id = path_id(&path.organization)?;
    let new = NewMember::parse(&body.user, &body.role).map_err(ServiceError::from)?;
    let view = state.platform().add_member(tenant, id, new, by, state.deadline()).await?;
    Ok((StatusCode::CREATED, versioned_member(view)))
}

async fn member(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &MemberPath,
    known: &IfNoneMatch,
) -> Result<Response, Problem> {
    let (id, user) = (path_id(&path.organization)?, path_id(&path.user)?);
    let view = state.platform().member(tenant, id, user, by, state.deadline()).await?;
    Ok(versioned_member(view).unless_known(known))
}

async fn change_member(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &MemberPath,
    precondition: Precondition,
    body: &MemberRoleBody,
) -> Result<Versioned<Member>, Problem> {
    let (id, user) = (path_id(&path.organization)?, path_id(&path.user)?);
    let role = RoleKey::parse("role", &body.role).map_err(ServiceError::from)?;
    let change = MemberChange { user, role, precondition };
    let view = state.platform().set_member_role(tenant, id, change, by, state.deadline()).await?;
    Ok(versioned_member(view))
}

async fn remove_member(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &MemberPath,
) -> Result<StatusCode, Problem> {
    let (id, user) = (path_id(&path.organization)?, path_id(&path.user)?);
    state.platform().remove_member(tenant, id, user, by, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn transfer(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    body: &TransferBody,
) -> Result<Versioned<Member>, Problem> {
    let id = path_id(&path.organization)?;
    let (from, to) = parse_transfer(&body.from, &body.to).map_err(ServiceError::from)?;
    let view = state.platform().transfer_ownership(tenant, id, from, to, by, state.deadline()).await?;
    Ok(versioned_member(view))
}
