//! Core API: accounts, sessions, tenants.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod authorization;
pub(crate) mod consents;
pub(crate) mod flags;
pub(crate) mod holds;
pub(crate) mod keys;
pub(crate) mod mail_pages;
pub(crate) mod mailbox;
pub(crate) mod me;
pub(crate) mod oauth;
pub(crate) mod organizations;
pub(crate) mod passwordless;
pub(crate) mod policies;
pub(crate) mod recovery;
pub(crate) mod retention;
pub(crate) mod service_accounts;
pub(crate) mod session_lists;
pub(crate) mod session_organization;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod subjects;
pub(crate) mod tenants;
pub(crate) mod users;

use crate::routes::{Access, Route};
use axum::http::Method;

/// The Core API's rows of the authorization table. With a mailbox, everybody may read it.
pub(crate) fn routes(with_mailbox: bool) -> Vec<Route> {
    use Access::{AccessToken, PlatformKey, Public};
    let mut rows = vec![
        Route::new(Method::POST, "/v1/auth/sign-up", Public, accounts::sign_up).of_tenant(),
        Route::new(Method::POST, "/v1/auth/sign-in", Public, sessions::sign_in).of_tenant(),
        Route::new(Method::POST, "/v1/auth/refresh", Public, sessions::refresh).of_tenant(),
        Route::new(Method::GET, "/v1/auth/csrf", Public, sessions::csrf),
        Route::new(Method::POST, "/v1/auth/sign-out", AccessToken, sessions::sign_out).of_tenant(),
        Route::new(Method::POST, "/v1/auth/reauthenticate", AccessToken, sessions::reauthenticate)
            .of_tenant(),
        Route::new(Method::GET, "/v1/users/me", AccessToken, me::me).of_tenant().timed_by_its_calls(),
        Route::new(Method::PATCH, "/v1/users/me", AccessToken, me::change_me).of_tenant(),
        Route::new(Method::GET, "/t/{tenant}/.well-known/jwks.json", Public, keys::jwks),
        Route::new(Method::GET, "/v1/openapi.json", Public, crate::openapi::serve),
    ];
    rows.extend(users::routes());
    rows.extend(audit::routes());
    rows.extend(recovery::routes());
    rows.extend(passwordless::routes());
    rows.extend(organizations::routes());
    rows.extend(mail_pages::routes());
    rows.extend(retention::routes());
    rows.extend(holds::routes());
    rows.extend(consents::routes());
    rows.extend(subjects::routes());
    if with_mailbox {
        rows.extend(mailbox::routes());
    }
    rows.extend(session_lists::routes());
    rows.extend(session_organization::routes());
    rows.extend(api_keys::routes());
    rows.extend(service_accounts::routes());
    rows.extend(authorization::routes());
    rows.extend(access::routes());
    rows.extend(policies::routes());
    rows.extend(oauth::routes());
    rows.extend(crate::hosted::routes());
    rows.extend(settings::routes());
    rows.extend(flags::routes());
    rows.extend([
        Route::new(Method::POST, "/v1/tenants", PlatformKey, tenants::create),
        Route::new(Method::GET, "/v1/tenants", PlatformKey, tenants::list),
        Route::new(Method::GET, "/v1/tenants/{id}", PlatformKey, tenants::get),
        Route::new(Method::PATCH, "/v1/tenants/{id}", PlatformKey, tenants::change),
        Route::new(Method::DELETE, "/v1/tenants/{id}", PlatformKey, tenants::delete),
        Route::new(Method::POST, "/v1/tenants/{id}/erase", PlatformKey, tenants::erase),
        Route::new(Method::POST, "/v1/tenants/{id}/users", PlatformKey, tenants::create_user).once_by_key(),
        Route::new(Method::POST, "/v1/tenants/{id}/service-keys", PlatformKey, tenants::create_service_key)
            .once_by_key(),
        Route::new(Method::POST, "/v1/tenants/{id}/keys/rotate", PlatformKey, tenants::rotate_keys),
    ]);
    rows
}
