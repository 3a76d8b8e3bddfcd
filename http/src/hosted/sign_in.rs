use super::authorize::FlowQuery;
use super::page::{Failure, Page, refusal};
use crate::extract::{Client, FormBody, QueryOf};
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use plinto_actors::{ClientContext, ServiceError};
use plinto_domain::sign_in::EnteredName;
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "hosted/sign_in.html")]
struct SignIn<'a> {
    page: &'a Page,
    username: &'a str,
    problem: Option<&'a str>,
}

/// The form of the page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct SignInForm {
    /// What the page has in it.
    form_token: String,
    /// The request, sealed.
    flow: String,
    /// An address of the account, or its username.
    username: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// The page on which users sign in.
#[utoipa::path(get, path = "/t/{tenant}/sign-in", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), FlowQuery),
    responses((status = 200, body = String, content_type = "text/html"), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem)))]
pub(crate) async fn show(mut page: Page, QueryOf(query): QueryOf<FlowQuery>) -> Result<Response, Failure> {
    let interaction = page.open(query.flow.as_deref()).await?;
    page.about(&interaction).await?;
    let username = interaction.request.login_hint.as_deref().unwrap_or_default();
    Ok(page.show(StatusCode::OK, &SignIn { page: &page, username, problem: None }))
}

/// Sign in from the page. The answer is the page once more, or a redirect.
#[utoipa::path(post, path = "/t/{tenant}/sign-in", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = SignInForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 400, body = String, content_type = "text/html"), (status = 403, body = String, content_type = "text/html"),
        (status = 404, body = Problem), (status = 415, body = Problem), (status = 422, body = String, content_type = "text/html"),
        (status = 429, body = String, content_type = "text/html")))]
pub(crate) async fn submit(
    mut page: Page,
    Client(client): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<Response, Failure> {
    page.check_form(&headers, &form)?;
    let interaction = page.open(form.optional("flow")?.as_deref()).await?;
    let (username, password) = (form.required("username")?, form.required("password")?);
    match sign_in(&page, &headers, &username, &password, client).await {
        Ok(tickets) => Ok(page.redirect_with(&tickets, "/oauth2/continue")),
        Err(error) => {
            let problem = refusal(error, page.words).map_err(|error| page.failed(error.into()))?;
            page.about(&interaction).await?;
            let again = SignIn { page: &page, username: &username, problem: Some(&problem) };
            Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
    }
}

/// Begins a session, which is the present one of this browser from then on. Its tickets come back.
pub(super) async fn sign_in(
    page: &Page,
    headers: &HeaderMap,
    username: &str,
    password: &str,
    client: ClientContext,
) -> Result<Vec<String>, ServiceError> {
    let name = match username.contains('@') {
        true => EnteredName::Email(username),
        false => EnteredName::Username(username),
    };
    let (platform, deadline) = (page.state().platform(), page.state().deadline());
    let signed_in = platform.sign_in(page.tenant, name, password, client, deadline).await?;
    let (ticket, user) = platform.ticket(page.tenant, signed_in.session, deadline).await?;
    // Whoever cannot be read any more is not signed in any more.
    let browser = page.browser(headers).await.unwrap_or_default();
    Ok(browser.with(&ticket, &user))
}
