//! The pages links in mails lead to, without a script. Opening one changes nothing, since scanners of mail open links:
//! what a link is good for happens when its button is pressed.

use crate::cookies::{self, Carrier, CookieChallenge};
use crate::extract::{Client, FormBody, NamedTenant, QueryOf};
use crate::guard::cross_site;
use crate::problem::{self, Problem};
use crate::routes::{Access, Route};
use crate::state::AppState;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use plinto_actors::ServiceError;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};
use zeroize::Zeroizing;

/// Nothing is loaded, nothing runs, and forms go nowhere else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(verify_page, verify, reset_page, reset, sign_in_page, sign_in, invitation_page, accept))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/auth/verify-email", Access::Public, verify_page).of_tenant(),
        Route::new(Method::POST, "/auth/verify-email", Access::Public, verify).of_tenant(),
        Route::new(Method::GET, "/auth/reset-password", Access::Public, reset_page).of_tenant(),
        Route::new(Method::POST, "/auth/reset-password", Access::Public, reset).of_tenant(),
        Route::new(Method::GET, "/auth/sign-in-link", Access::Public, sign_in_page).of_tenant(),
        Route::new(Method::POST, "/auth/sign-in-link", Access::Public, sign_in).of_tenant(),
        Route::new(Method::GET, "/auth/invitation", Access::Public, invitation_page).of_tenant(),
        Route::new(Method::POST, "/auth/invitation", Access::Public, accept).of_tenant(),
    ]
}

/// What stands in a link.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkQuery {
    /// The token of the link.
    pub(super) token: String,
}

/// The form of a page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct VerifyForm {
    /// The token of the link.
    token: String,
}

/// The form of a page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct ResetForm {
    /// The token of the link.
    token: String,
    /// The new password.
    password: String,
}

#[derive(Template)]
#[template(path = "mail_page.html")]
struct MailPage<'a> {
    title: &'a str,
    text: &'a str,
    form: Option<PageForm<'a>>,
}

struct PageForm<'a> {
    token: &'a str,
    asks_password: bool,
    button: &'a str,
}

/// A page as an answer, under the policy of these pages.
pub(crate) fn show(page: &impl Template) -> Result<Response, Problem> {
    let html = page.render().map_err(|_| problem::internal())?;
    Ok(([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(html)).into_response())
}

/// The result as a page for people. What went wrong on our side stays a problem.
fn result(
    done: Result<(), ServiceError>,
    success: &str,
    form: Option<PageForm<'_>>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => show(&MailPage { title: "Done", text: success, form: None }),
        Err(ServiceError::Denied(denial)) => {
            show(&MailPage { title: denial.title, text: denial.detail, form: None })
        }
        Err(ServiceError::Invalid(fields)) => {
            let text: Vec<_> = fields.iter().map(|field| field.detail.as_str()).collect();
            show(&MailPage { title: "Choose another password", text: &text.join(" "), form })
        }
        Err(error) => Err(error.into()),
    }
}

/// The page on which an address is proved.
#[utoipa::path(get, path = "/auth/verify-email", tag = "recovery", params(LinkQuery),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn verify_page(
    tenant: NamedTenant,
    QueryOf(query): QueryOf<LinkQuery>,
) -> Result<Response, Problem> {
    tenant.required()?;
    let form = PageForm { token: &query.token, asks_password: false, button: "Confirm the address" };
    let text = "Press the button to confirm that this e-mail address is yours.";
    show(&MailPage { title: "Confirm your e-mail address", text, form: Some(form) })
}

/// Prove an address from the page. The answer is a page, also when the link is not usable.
#[utoipa::path(post, path = "/auth/verify-email", tag = "recovery",
    request_body(content = VerifyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn verify(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    form: FormBody,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let token = form.required("token")?;
    let done = state.platform().verify_email(tenant, &token, client, state.deadline()).await;
    result(done.map(drop), "Your e-mail address is confirmed. You can close this page.", None)
}

/// The page on which a new password is chosen.
#[utoipa::path(get, path = "/auth/reset-password", tag = "recovery", params(LinkQuery),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn reset_page(
    tenant: NamedTenant,
    QueryOf(query): QueryOf<LinkQuery>,
) -> Result<Response, Problem> {
    tenant.required()?;
    let text = "A few unrelated words make a good password.";
    show(&MailPage { title: "Choose a new password", text, form: Some(choose(&query.token)) })
}

fn choose(token: &str) -> PageForm<'_> {
    PageForm { token, asks_password: true, button: "Set the password" }
}

/// Choose a new password from the page. The answer is a page, also when the link is not usable.
#[utoipa::path(post, path = "/auth/reset-password", tag = "recovery",
    request_body(content = ResetForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn reset(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    form: FormBody,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let (token, password) = (form.required("token")?, form.required("password")?);
    let done = state.platform().reset_password(tenant, &token, &password, client, state.deadline()).await;
    result(done, "Your password is changed. Sign in with the new one.", Some(choose(&token)))
}

/// What a browser is told that did not ask for the link: it must let nobody in, as somebody else may have asked.
fn asked_elsewhere() -> Result<Response, Problem> {
    let text = "Open this link in the browser in which you asked for it. If you did not ask for it, close this \
                page: nobody is signed in by it.";
    show(&MailPage { title: "Asked for somewhere else", text, form: None })
}

/// The page on which a link to sign in is confirmed, in the browser that asked for it.
#[utoipa::path(get, path = "/auth/sign-in-link", tag = "passwordless", params(LinkQuery),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn sign_in_page(
    State(state): State<AppState>,
    tenant: NamedTenant,
    headers: HeaderMap,
    QueryOf(query): QueryOf<LinkQuery>,
) -> Result<Response, Problem> {
    tenant.required()?;
    if CookieChallenge::of(&headers, state.config().strict_transport).is_none() {
        return asked_elsewhere();
    }
    let form = PageForm { token: &query.token, asks_password: false, button: "Sign in" };
    let text = "Press the button to sign in.";
    show(&MailPage { title: "Sign in", text, form: Some(form) })
}

/// Sign in from the page, or let the page that asked go on. The answer is a page, also when the link is not usable.
///
/// With a challenge of `mode: cookie` this browser is signed in. With one of `mode: bearer` the link is confirmed: whoever
/// has the challenge completes it without the link.
#[utoipa::path(post, path = "/auth/sign-in-link", tag = "passwordless",
    request_body(content = VerifyForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 403, body = Problem)))]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    cross_site::check_form(&headers)?;
    let token = form.required("token")?;
    let (https, deadline) = (state.config().strict_transport, state.deadline());
    let Some(challenge) = CookieChallenge::of(&headers, https) else { return asked_elsewhere() };
    if challenge.carrier == Carrier::Bodies {
        let done = state.platform().confirm_sign_in(tenant, &challenge.text, &token, client, deadline).await;
        return result(done, "Confirmed. Go back to where you asked for the link; it goes on there.", None);
    }
    let presented = Some(Zeroizing::new(token.into_owned()));
    let platform = state.platform();
    match platform.sign_in_by_mail(tenant, challenge.text, presented, None, client, deadline).await {
        Ok(signed_in) => {
            let page = result(Ok(()), "You are signed in. You can close this page.", None)?;
            let cookies = AppendHeaders(cookies::set(&signed_in, https));
            Ok((cookies, AppendHeaders([CookieChallenge::forget(https)]), page).into_response())
        }
        Err(error) => result(Err(error), "", None),
    }
}

/// The page on which an invitation is accepted.
#[utoipa::path(get, path = "/auth/invitation", tag = "recovery", params(LinkQuery),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(crate) async fn invitation_page(
    tenant: NamedTenant,
    QueryOf(query): QueryOf<LinkQuery>,
) -> Result<Response, Problem> {
    tenant.required()?;
    let text = "Choose a password for your account. A few unrelated words make a good one.";
    show(&MailPage { title: "You are invited", text, form: Some(choose(&query.token)) })
}

/// Accept an invitation from the page. The answer is a page, also when the link is not usable.
#[utoipa::path(post, path = "/auth/invitation", tag = "recovery",
    request_body(content = ResetForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 409, body = Problem)))]
pub(crate) async fn accept(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    form: FormBody,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let (token, password) = (form.required("token")?, form.required("password")?);
    let deadline = state.deadline();
    let done = state.platform().accept_user_invitation(tenant, &token, &password, client, deadline).await;
    result(done.map(drop), "Your account is ready. Sign in with your password.", Some(choose(&token)))
}
