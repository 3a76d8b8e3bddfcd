use super::authorize::FlowQuery;
use super::page::{Failure, Page, refusal};
use super::sign_in::sign_in;
use crate::extract::{Client, FormBody, QueryOf};
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use plinto_actors::ServiceError;
use utoipa::ToSchema;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "hosted/sign_up.html")]
struct SignUp<'a> {
    page: &'a Page,
    name: &'a str,
    email: &'a str,
    problem: Option<&'a str>,
}

/// The form of the page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct SignUpForm {
    /// What the page has in it.
    form_token: String,
    /// The request, sealed.
    flow: String,
    /// What to call the user.
    name: Option<String>,
    /// The address of the account.
    email: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// The page on which users make an account.
#[utoipa::path(get, path = "/t/{tenant}/sign-up", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), FlowQuery),
    responses((status = 200, body = String, content_type = "text/html"), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem)))]
pub(crate) async fn show(mut page: Page, QueryOf(query): QueryOf<FlowQuery>) -> Result<Response, Failure> {
    let interaction = page.open(query.flow.as_deref()).await?;
    page.about(&interaction).await?;
    let email = interaction.request.login_hint.as_deref().unwrap_or_default();
    Ok(page.show(StatusCode::OK, &SignUp { page: &page, name: "", email, problem: None }))
}

/// Make an account from the page. Who may sign in at once goes on; whoever must prove the address first, or has an account
/// already, is told to look into their mail, in the same words.
#[utoipa::path(post, path = "/t/{tenant}/sign-up", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = SignUpForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
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
    let (email, password) = (form.required("email")?, form.required("password")?);
    let name = form.optional("name")?.filter(|name| !name.is_empty());
    let (platform, deadline) = (page.state().platform().clone(), page.state().deadline());
    let wanted =
        (email.to_string(), Zeroizing::new(password.to_string()), name.as_deref().map(str::to_owned));
    let made = platform.sign_up(page.tenant, wanted.0, wanted.1, wanted.2, client.clone(), deadline).await;
    if let Err(error) = made {
        let problem = refusal(error, page.words).map_err(|error| page.failed(error.into()))?;
        page.about(&interaction).await?;
        let name = name.as_deref().unwrap_or_default();
        let again = SignUp { page: &page, name, email: &email, problem: Some(&problem) };
        return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    match sign_in(&page, &headers, &email, &password, client).await {
        Ok(tickets) => Ok(page.redirect_with(&tickets, "/oauth2/continue")),
        Err(ServiceError::InvalidCredentials) => {
            let words = page.words;
            let (title, text) = (words.check_mail, words.check_mail_after_sign_up);
            Ok(page.message_with_link(title, text, "/sign-in", words.back_to_sign_in))
        }
        Err(error) => Err(page.failed(error.into())),
    }
}
