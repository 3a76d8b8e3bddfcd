use super::authorize::FlowQuery;
use super::page::{Failure, Page};
use crate::extract::{FormBody, QueryOf};
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use plinto_domain::oauth::OFFLINE_ACCESS;
use url::Url;
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "hosted/consent.html")]
struct Consent<'a> {
    page: &'a Page,
    client: &'a str,
    account: &'a str,
    scopes: Vec<&'a str>,
    /// Where the user is sent back to: a name can be anything.
    destination: String,
}

/// The form of the page.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read parameter by parameter")]
pub(crate) struct ConsentForm {
    /// What the page has in it.
    form_token: String,
    /// The request, sealed.
    flow: String,
    /// `allow`, or anything else for no.
    decision: String,
}

/// The page on which users are asked what an application may have.
#[utoipa::path(get, path = "/t/{tenant}/consent", tag = "hosted pages",
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
    let Some(account) = browser.accounts.first() else { return Ok(page.redirect("/sign-in")) };
    page.about(&interaction).await?;
    let client = page.links.as_ref().map(|links| links.name.as_str()).unwrap_or_default();
    let mut scopes: Vec<&str> = interaction.request.scope.iter().collect();
    scopes.sort_by_key(|scope| place(scope));
    let destination = place_of(&interaction.request.destination.redirect_uri);
    let consent = Consent { page: &page, client, account: &account.label, scopes, destination };
    Ok(page.show(StatusCode::OK, &consent))
}

/// What everybody understands comes first, what lasts comes last.
fn place(scope: &str) -> usize {
    let usual = ["openid", "profile", "email", "phone"];
    let others = usual.len();
    match scope {
        OFFLINE_ACCESS => others + 1,
        scope => usual.iter().position(|known| *known == scope).unwrap_or(others),
    }
}

/// The host of an address, or its scheme where that is an application's own.
fn place_of(uri: &str) -> String {
    let url = Url::parse(uri).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).or(url.as_ref().map(Url::scheme));
    host.unwrap_or_default().to_owned()
}

/// Answer from the page.
#[utoipa::path(post, path = "/t/{tenant}/consent", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = ConsentForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
        (status = 403, body = String, content_type = "text/html"), (status = 404, body = Problem), (status = 415, body = Problem)))]
pub(crate) async fn submit(mut page: Page, headers: HeaderMap, form: FormBody) -> Result<Response, Failure> {
    page.check_form(&headers, &form)?;
    let interaction = page.open(form.optional("flow")?.as_deref()).await?;
    let allows = form.optional("decision")?.as_deref() == Some("allow");
    let browser = page.browser(&headers).await?;
    let (platform, deadline) = (page.state().platform().clone(), page.state().deadline());
    let next = platform.consent_to(page.tenant, &interaction, &browser, allows, deadline).await;
    let next = next.map_err(|error| page.failed(error.into()))?;
    page.go_to(&interaction, next).await
}
