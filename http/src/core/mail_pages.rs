//! The pages links in mails lead to, without a script. Opening one changes nothing, since scanners of mail open links:
//! what a link is good for happens when its button is pressed.

use crate::extract::{Client, FormBody, NamedTenant, QueryOf};
use crate::problem::{self, Problem};
use crate::routes::{Access, Route};
use crate::state::AppState;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use plinto_actors::ServiceError;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// Nothing is loaded, nothing runs, and forms go nowhere else.
pub(super) const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(verify_page, verify, reset_page, reset))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/auth/verify-email", Access::Public, verify_page).of_tenant(),
        Route::new(Method::POST, "/auth/verify-email", Access::Public, verify).of_tenant(),
        Route::new(Method::GET, "/auth/reset-password", Access::Public, reset_page).of_tenant(),
        Route::new(Method::POST, "/auth/reset-password", Access::Public, reset).of_tenant(),
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

fn show(page: &MailPage<'_>) -> Result<Response, Problem> {
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
