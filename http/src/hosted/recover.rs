use super::authorize::FlowQuery;
use super::page::{Failure, Page, refusal};
use crate::extract::{Client, FormBody, QueryOf};
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "hosted/forgot_password.html")]
struct ForgotPassword<'a> {
    page: &'a Page,
    email: &'a str,
    problem: Option<&'a str>,
}

/// The form of the page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct RecoverForm {
    /// What the page has in it.
    form_token: String,
    /// The request, sealed.
    flow: String,
    /// An address of the account.
    email: String,
}

/// The page for users who forgot their password.
#[utoipa::path(get, path = "/t/{tenant}/forgot-password", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), FlowQuery),
    responses((status = 200, body = String, content_type = "text/html"), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem)))]
pub(crate) async fn show(mut page: Page, QueryOf(query): QueryOf<FlowQuery>) -> Result<Response, Failure> {
    let interaction = page.open(query.flow.as_deref()).await?;
    page.about(&interaction).await?;
    let email = interaction.request.login_hint.as_deref().unwrap_or_default();
    Ok(page.show(StatusCode::OK, &ForgotPassword { page: &page, email, problem: None }))
}

/// Ask for the mail from the page. The answer is the same whether or not there is an account.
#[utoipa::path(post, path = "/t/{tenant}/forgot-password", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = RecoverForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 400, body = String, content_type = "text/html"),
        (status = 403, body = String, content_type = "text/html"), (status = 404, body = Problem), (status = 415, body = Problem),
        (status = 422, body = String, content_type = "text/html"), (status = 429, body = String, content_type = "text/html")))]
pub(crate) async fn submit(
    mut page: Page,
    Client(client): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<Response, Failure> {
    page.check_form(&headers, &form)?;
    let interaction = page.open(form.optional("flow")?.as_deref()).await?;
    page.about(&interaction).await?;
    let email = form.required("email")?;
    let (platform, deadline) = (page.state().platform(), page.state().deadline());
    if let Err(error) = platform.forgot_password(page.tenant, &email, client, deadline).await {
        let problem = refusal(error, page.words).map_err(|error| page.failed(error.into()))?;
        let again = ForgotPassword { page: &page, email: &email, problem: Some(&problem) };
        return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    let words = page.words;
    let (title, text) = (words.check_mail, words.check_mail_after_recover);
    Ok(page.message_with_link(title, text, "/sign-in", words.back_to_sign_in))
}
