//! OAuth 2: clients, the token endpoint, and what clients are told of it.

pub(crate) mod applications;
pub(crate) mod clients;
mod credentials;
mod failure;
mod metadata;
mod pushed;
mod register;
mod token;
mod user_info;

use crate::routes::{Access, Route};
use axum::http::Method;
use plinto_domain::api_scope::{ApiScope, Resource};
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(
        clients::create, clients::list, clients::get, clients::change, clients::rotate_secret, clients::delete,
        applications::list, applications::withdraw, applications::list_own, applications::withdraw_own,
        pushed::push, register::register, register::read, register::replace, register::remove, token::token, token::revoke, token::introspect, user_info::user_info, user_info::post_user_info,
        metadata::by_inserted_path, metadata::under_tenant, metadata::of_openid
    ),
    tags(
        (name = "oauth clients", description = "Applications that ask for tokens (RFC 6749 §2)"),
        (name = "oauth", description = "The tenant as an authorization server (RFC 6749, RFC 8414). Errors of the token endpoint are those of RFC 6749 §5.2.")
    )
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Clients));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Clients));
    const ROTATE: &str = "/v1/clients/{client}/rotate-secret";
    const INSERTED: &str = "/.well-known/oauth-authorization-server/t/{tenant}";
    const APPENDED: &str = "/t/{tenant}/.well-known/oauth-authorization-server";
    const OF_OPENID: &str = "/t/{tenant}/.well-known/openid-configuration";
    const OF_USER: &str = "/v1/users/{user}/applications/{client}";
    const MINE: &str = "/v1/users/me/applications/{client}";
    const REGISTERED: &str = "/t/{tenant}/oauth2/register/{client}";
    const USER_INFO: &str = "/t/{tenant}/oauth2/userinfo";
    vec![
        Route::new(Method::POST, "/v1/clients", WRITE, clients::create).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/clients", READ, clients::list).of_tenant(),
        Route::new(Method::GET, "/v1/clients/{client}", READ, clients::get).of_tenant(),
        Route::new(Method::PATCH, "/v1/clients/{client}", WRITE, clients::change).of_tenant(),
        Route::new(Method::DELETE, "/v1/clients/{client}", WRITE, clients::delete).of_tenant(),
        Route::new(Method::POST, ROTATE, WRITE, clients::rotate_secret).of_tenant().once_by_key(),
        Route::new(Method::GET, "/v1/users/{user}/applications", READ, applications::list).of_tenant(),
        Route::new(Method::DELETE, OF_USER, WRITE, applications::withdraw).of_tenant(),
        Route::new(Method::GET, "/v1/users/me/applications", Access::AccessToken, applications::list_own)
            .of_tenant(),
        Route::new(Method::DELETE, MINE, Access::AccessToken, applications::withdraw_own).of_tenant(),
        // Who asks proves to be a client in the request itself (RFC 6749 §2.3), in ways the guard knows nothing of.
        Route::new(Method::POST, "/t/{tenant}/oauth2/token", Access::Public, token::token),
        Route::new(Method::POST, "/t/{tenant}/oauth2/revoke", Access::Public, token::revoke),
        Route::new(Method::POST, "/t/{tenant}/oauth2/introspect", Access::Public, token::introspect),
        Route::new(Method::POST, "/t/{tenant}/oauth2/par", Access::Public, pushed::push),
        // Who registers is for the tenant's settings to say; afterwards the client itself has a token of its own kind.
        Route::new(Method::POST, "/t/{tenant}/oauth2/register", Access::Public, register::register),
        Route::new(Method::GET, REGISTERED, Access::Public, register::read),
        Route::new(Method::PUT, REGISTERED, Access::Public, register::replace),
        Route::new(Method::DELETE, REGISTERED, Access::Public, register::remove),
        // Whose access token it is only the handler knows: a session's is not good for it.
        Route::new(Method::GET, USER_INFO, Access::Public, user_info::user_info),
        Route::new(Method::POST, USER_INFO, Access::Public, user_info::post_user_info),
        Route::new(Method::GET, INSERTED, Access::Public, metadata::by_inserted_path),
        Route::new(Method::GET, APPENDED, Access::Public, metadata::under_tenant),
        Route::new(Method::GET, OF_OPENID, Access::Public, metadata::of_openid),
    ]
}
