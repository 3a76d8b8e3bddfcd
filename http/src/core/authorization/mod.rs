//! Roles, grants, and what they come to for somebody.

mod grants;
mod permissions;
mod roles;

pub(super) use permissions::Reason;

use crate::routes::{Access, Route};
use axum::http::Method;
use plinto_domain::api_scope::{ApiScope, Resource};
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(
        roles::list,
        roles::create,
        roles::get,
        roles::change,
        roles::delete,
        grants::list,
        grants::create,
        grants::get,
        grants::delete,
        permissions::of_user
    ),
    tags((name = "authorization", description = "Roles, grants and the permissions they come to"))
)]
pub(crate) struct Operations;

/// The right to look at roles and grants and to ask for decisions.
pub(super) const READ: Access = Access::Manage(ApiScope::read(Resource::Authorization));
/// The right to change them.
pub(super) const WRITE: Access = Access::Manage(ApiScope::write(Resource::Authorization));

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/v1/roles", READ, roles::list).of_tenant(),
        Route::new(Method::POST, "/v1/roles", WRITE, roles::create).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/roles/{role}", READ, roles::get).of_tenant(),
        Route::new(Method::PATCH, "/v1/roles/{role}", WRITE, roles::change).of_tenant(),
        Route::new(Method::DELETE, "/v1/roles/{role}", WRITE, roles::delete).of_tenant(),
        Route::new(Method::GET, "/v1/grants", READ, grants::list).of_tenant(),
        Route::new(Method::POST, "/v1/grants", WRITE, grants::create).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/grants/{grant}", READ, grants::get).of_tenant(),
        Route::new(Method::DELETE, "/v1/grants/{grant}", WRITE, grants::delete).of_tenant(),
        Route::new(Method::GET, "/v1/users/{user}/permissions", READ, permissions::of_user).of_tenant(),
    ]
}
