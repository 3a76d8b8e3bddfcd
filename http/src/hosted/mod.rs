//! The pages users see on their way from an application's request to its answer, and back out again. They work without a
//! script: a form, a redirect, an address for each step. Ids and names of fields are stable; `http/HOSTED-PAGES.md` lists them.
//!
//! A request that is on its way travels sealed in the addresses (`flow`); who is signed in is in a cookie of tickets. So
//! nothing is stored for a user who never comes back, and any node may serve any step.

mod answer;
mod assets;
mod authorize;
mod consent;
mod end_session;
mod page;
mod recover;
mod select_account;
mod sign_in;
mod sign_up;
mod words;

pub(crate) use words::LANGUAGES;

use crate::routes::{Access, Route};
use axum::http::Method;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(
        authorize::get, authorize::post, authorize::go_on, sign_in::show, sign_in::submit, sign_up::show,
        sign_up::submit, recover::show, recover::submit, select_account::show, select_account::submit,
        consent::show, consent::submit, end_session::get, end_session::post, end_session::confirm, end_session::reopened,
        assets::icon, assets::stylesheet, assets::form_post
    ),
    tags((name = "hosted pages", description = "Pages for users: where clients send them (RFC 6749 §4.1, OpenID Connect Core §3.1), and the steps from there"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table. Users prove who they are in the pages themselves.
pub(crate) fn routes() -> Vec<Route> {
    use Access::Public;
    vec![
        Route::new(Method::GET, "/t/{tenant}/oauth2/authorize", Public, authorize::get),
        Route::new(Method::POST, "/t/{tenant}/oauth2/authorize", Public, authorize::post),
        Route::new(Method::GET, "/t/{tenant}/oauth2/continue", Public, authorize::go_on),
        Route::new(Method::GET, "/t/{tenant}/sign-in", Public, sign_in::show),
        Route::new(Method::POST, "/t/{tenant}/sign-in", Public, sign_in::submit),
        Route::new(Method::GET, "/t/{tenant}/sign-up", Public, sign_up::show),
        Route::new(Method::POST, "/t/{tenant}/sign-up", Public, sign_up::submit),
        Route::new(Method::GET, "/t/{tenant}/forgot-password", Public, recover::show),
        Route::new(Method::POST, "/t/{tenant}/forgot-password", Public, recover::submit),
        Route::new(Method::GET, "/t/{tenant}/select-account", Public, select_account::show),
        Route::new(Method::POST, "/t/{tenant}/select-account", Public, select_account::submit),
        Route::new(Method::GET, "/t/{tenant}/consent", Public, consent::show),
        Route::new(Method::POST, "/t/{tenant}/consent", Public, consent::submit),
        Route::new(Method::GET, "/t/{tenant}/oauth2/end-session", Public, end_session::get),
        Route::new(Method::POST, "/t/{tenant}/oauth2/end-session", Public, end_session::post),
        Route::new(Method::GET, "/t/{tenant}/sign-out", Public, end_session::reopened),
        Route::new(Method::POST, "/t/{tenant}/sign-out", Public, end_session::confirm),
        Route::new(Method::GET, "/t/{tenant}/hosted/icon.svg", Public, assets::icon),
        Route::new(Method::GET, "/t/{tenant}/hosted/style.css", Public, assets::stylesheet),
        Route::new(Method::GET, "/t/{tenant}/hosted/form-post.js", Public, assets::form_post),
    ]
}
