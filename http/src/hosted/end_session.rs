//! Signing out because an application asks for it (OpenID Connect RP-Initiated Logout 1.0).

use super::page::{Failure, Page};
use super::words::Words;
use crate::cookies::TicketCookie;
use crate::extract::FormBody;
use crate::problem::Problem;
use askama::Template;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use plinto_actors::{Account, Browser, EndSessionRequest, LogoutPlan};
use plinto_domain::oauth::{OAuthError, Parameters};
use serde::Deserialize;
use utoipa::IntoParams;

/// Parameters a page that asks keeps.
const KEPT: [&str; 5] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

/// What an application asks for (§2).
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one")]
pub(crate) struct EndSessionQuery {
    /// An ID token of the user; then nobody is asked.
    id_token_hint: Option<String>,
    /// Who asks, if there is no ID token.
    client_id: Option<String>,
    /// Where to go afterwards: one of the client's.
    post_logout_redirect_uri: Option<String>,
    /// Comes along to there.
    state: Option<String>,
    /// Languages the user may like, best first.
    ui_locales: Option<String>,
}

#[derive(Template)]
#[template(path = "hosted/sign_out.html")]
struct SignOut<'a> {
    page: &'a Page,
    parameters: Vec<(&'static str, &'a str)>,
    accounts: &'a [Account],
}

/// Sign a user out. The answer is a page, or a redirect to the application.
#[utoipa::path(get, path = "/t/{tenant}/oauth2/end-session", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), EndSessionQuery),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem)))]
pub(crate) async fn get(
    page: Page,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    begin(page, &headers, form_urlencoded::parse(query.as_bytes())).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/t/{tenant}/oauth2/end-session", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem), (status = 415, body = Problem)))]
pub(crate) async fn post(page: Page, headers: HeaderMap, form: FormBody) -> Result<Response, Failure> {
    begin(page, &headers, form.parse()).await
}

async fn begin(
    mut page: Page,
    headers: &HeaderMap,
    pairs: form_urlencoded::Parse<'_>,
) -> Result<Response, Failure> {
    let parameters = read(&mut page, pairs)?;
    let browser = page.browser(headers).await?;
    match plan(&page, &parameters, &browser).await? {
        Err(error) => Ok(page.untrusted(page.words.bad_logout_text, error)),
        Ok(LogoutPlan { ask: true, then }) => {
            page.answer_to = then;
            let kept = KEPT.into_iter().filter_map(|name| Some((name, parameters.one(name).ok()??)));
            let (parameters, accounts) = (kept.collect(), &browser.accounts);
            Ok(page.show(StatusCode::OK, &SignOut { page: &page, parameters, accounts }))
        }
        Ok(plan) => end(&page, plan, browser, &parameters).await,
    }
}

/// Where the page that asks has sent its form, opened once more.
#[utoipa::path(get, path = "/t/{tenant}/sign-out", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")), responses((status = 303), (status = 404, body = Problem)))]
pub(crate) async fn reopened(page: Page) -> Response {
    super::answer::redirect(&page.path("/oauth2/end-session"))
}

/// Answer from the page that asks.
#[utoipa::path(post, path = "/t/{tenant}/sign-out", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
        (status = 403, body = String, content_type = "text/html"), (status = 404, body = Problem), (status = 415, body = Problem)))]
pub(crate) async fn confirm(mut page: Page, headers: HeaderMap, form: FormBody) -> Result<Response, Failure> {
    page.check_form(&headers, &form)?;
    let parameters = read(&mut page, form.parse())?;
    let browser = page.browser(&headers).await?;
    let plan = match plan(&page, &parameters, &browser).await? {
        Ok(plan) => plan,
        Err(error) => return Ok(page.untrusted(page.words.bad_logout_text, error)),
    };
    if form.optional("decision")?.as_deref() != Some("sign-out") {
        let words = page.words;
        return Ok(page.message(StatusCode::OK, words.still_signed_in, words.still_signed_in_text));
    }
    end(&page, plan, browser, &parameters).await
}

fn read(page: &mut Page, pairs: form_urlencoded::Parse<'_>) -> Result<Parameters, Failure> {
    let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
    let parameters = Parameters::of(pairs).ok_or_else(|| page.too_old())?;
    if let Some(asked) = parameters.one("ui_locales").ok().flatten() {
        page.words = Words::of(asked.split(' ').chain([page.words.language]));
    }
    Ok(parameters)
}

async fn plan(
    page: &Page,
    parameters: &Parameters,
    browser: &Browser,
) -> Result<Result<LogoutPlan, OAuthError>, Failure> {
    let one = |name| parameters.one(name);
    let read = || {
        Ok(EndSessionRequest {
            id_token_hint: one("id_token_hint")?,
            client_id: one("client_id")?,
            post_logout_redirect_uri: one("post_logout_redirect_uri")?,
        })
    };
    let request = match read() {
        Ok(request) => request,
        Err(error) => return Ok(Err(error)),
    };
    let (platform, deadline) = (page.state().platform(), page.state().deadline());
    let planned = platform.plan_logout(page.tenant, request, browser, deadline).await;
    planned.map_err(|error| page.failed(error.into()))
}

/// Ends the sessions of this browser and goes where the application wants.
async fn end(
    page: &Page,
    plan: LogoutPlan,
    browser: Browser,
    parameters: &Parameters,
) -> Result<Response, Failure> {
    let accounts: &[Account] = &browser.accounts;
    let (platform, deadline) = (page.state().platform(), page.state().deadline());
    let ended = platform.end_browser_sessions(page.tenant, accounts, deadline).await;
    ended.map_err(|error| page.failed(error.into()))?;
    let words = page.words;
    let mut response = match plan.then {
        None => page.message(StatusCode::OK, words.signed_out, words.signed_out_text),
        Some(uri) => {
            let state = parameters.one("state").ok().flatten();
            let with_state = state.map(|state| {
                let query =
                    form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
                super::answer::with_query(&uri, &query)
            });
            super::answer::redirect(with_state.as_ref().unwrap_or(&uri))
        }
    };
    let (name, value) = TicketCookie::forget(&page.slug, page.https);
    response.headers_mut().append(name, value);
    Ok(response)
}
