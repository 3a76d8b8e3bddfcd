//! Where clients send users (RFC 6749 §3.1).

use super::page::{Failure, Page};
use crate::extract::FormBody;
use crate::problem::Problem;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use plinto_actors::Begun;
use plinto_domain::oauth::Parameters;
use serde::Deserialize;
use utoipa::IntoParams;

/// A request of a client (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one")]
pub(crate) struct AuthorizationQuery {
    /// Who asks.
    client_id: Option<String>,
    /// `code`.
    response_type: Option<String>,
    /// Where the answer goes: one of the client's, as a text.
    redirect_uri: Option<String>,
    /// What is asked for, with one space between scopes.
    scope: Option<String>,
    /// Comes back unchanged.
    state: Option<String>,
    /// Comes back in the ID token.
    nonce: Option<String>,
    /// SHA-256 of the verifier, base64url (RFC 7636).
    code_challenge: Option<String>,
    /// `S256`.
    code_challenge_method: Option<String>,
    /// `query`, `fragment` or `form_post`.
    response_mode: Option<String>,
    /// What the user is asked in any case: `login`, `consent`, `select_account`, `create`, or `none` for nothing at all.
    prompt: Option<String>,
    /// Seconds since the user authenticated, at most.
    max_age: Option<String>,
    /// Who the user may be.
    login_hint: Option<String>,
    /// An ID token of the user who is meant.
    id_token_hint: Option<String>,
    /// Languages the user may like, best first.
    ui_locales: Option<String>,
    /// Claims asked for one by one, as JSON (OpenID Connect Core §5.5).
    claims: Option<String>,
    /// Resource servers the tokens are meant for (RFC 8707).
    resource: Option<String>,
}

/// A flow that goes on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlowQuery {
    /// The request, sealed.
    pub(super) flow: Option<String>,
}

/// Ask a user. The answer is a page, or a redirect to the next one or to the client.
#[utoipa::path(get, path = "/t/{tenant}/oauth2/authorize", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), AuthorizationQuery),
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
#[utoipa::path(post, path = "/t/{tenant}/oauth2/authorize", tag = "hosted pages",
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
    let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
    let Some(parameters) = Parameters::of(pairs) else {
        let words = page.words;
        return Ok(page.message(StatusCode::BAD_REQUEST, words.bad_request, words.too_old_text));
    };
    let (platform, deadline) = (page.state().platform().clone(), page.state().deadline());
    let begun = platform.begin_authorization(page.tenant, &parameters, deadline).await;
    match begun.map_err(|error| page.failed(error.into()))? {
        Begun::Untrusted(error) => Ok(page.untrusted(page.words.bad_request_text, error)),
        Begun::Answered(answer) => Ok(page.answer(&answer)),
        Begun::Interaction(interaction) => {
            page.liking(&interaction);
            let browser = page.browser(headers).await?;
            let next = platform.advance(page.tenant, &interaction, &browser, deadline).await;
            let next = next.map_err(|error| page.failed(error.into()))?;
            page.go_to(&interaction, next).await
        }
    }
}

/// Go on with a request after a step.
#[utoipa::path(get, path = "/t/{tenant}/oauth2/continue", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), FlowQuery),
    responses((status = 200, body = String, content_type = "text/html"), (status = 303), (status = 400, body = String, content_type = "text/html"),
        (status = 404, body = Problem)))]
pub(crate) async fn go_on(
    mut page: Page,
    headers: HeaderMap,
    crate::extract::QueryOf(query): crate::extract::QueryOf<FlowQuery>,
) -> Result<Response, Failure> {
    let interaction = page.open(query.flow.as_deref()).await?;
    let browser = page.browser(&headers).await?;
    let (platform, deadline) = (page.state().platform().clone(), page.state().deadline());
    let next = platform.advance(page.tenant, &interaction, &browser, deadline).await;
    let next = next.map_err(|error| page.failed(error.into()))?;
    page.go_to(&interaction, next).await
}
