use super::authorize::FlowQuery;
use super::page::{Failure, Page};
use crate::extract::{FormBody, QueryOf};
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use plinto_actors::Account;
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "hosted/select_account.html")]
struct SelectAccount<'a> {
    page: &'a Page,
    accounts: &'a [Account],
}

/// The form of the page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct SelectAccountForm {
    /// What the page has in it.
    form_token: String,
    /// The request, sealed.
    flow: String,
    /// The session of the account.
    session: String,
}

/// The page on which users choose among the accounts they are signed in to.
#[utoipa::path(get, path = "/t/{tenant}/select-account", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), FlowQuery),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem)))]
pub(crate) async fn show(
    mut page: Page,
    headers: HeaderMap,
    QueryOf(query): QueryOf<FlowQuery>,
) -> Result<Response, Failure> {
    let interaction = page.open(query.flow.as_deref()).await?;
    let browser = page.browser(&headers).await?;
    if browser.accounts.is_empty() {
        return Ok(page.redirect("/sign-in"));
    }
    page.about(&interaction).await?;
    Ok(page.show(StatusCode::OK, &SelectAccount { page: &page, accounts: &browser.accounts }))
}

/// Choose an account from the page.
#[utoipa::path(post, path = "/t/{tenant}/select-account", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = SelectAccountForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303), (status = 400, body = String, content_type = "text/html"), (status = 403, body = String, content_type = "text/html"),
        (status = 404, body = Problem), (status = 415, body = Problem)))]
pub(crate) async fn submit(mut page: Page, headers: HeaderMap, form: FormBody) -> Result<Response, Failure> {
    page.check_form(&headers, &form)?;
    let mut interaction = page.open(form.optional("flow")?.as_deref()).await?;
    let session = form.required("session")?.parse().ok();
    let browser = page.browser(&headers).await?;
    let Some(tickets) = session.and_then(|session| browser.choosing(session)) else {
        // It ended meanwhile.
        return Ok(page.redirect("/select-account"));
    };
    interaction.account_chosen = true;
    page.seal(&interaction).await?;
    Ok(page.redirect_with(&tickets, "/oauth2/continue"))
}
