//! Signing in by mail, with a link or a code.
//!
//! Whoever asks gets a challenge, and what is mailed is good only together with it: a browser keeps it in a cookie that no
//! script reads, other clients in memory. So the session goes to whoever asked and to nobody who merely opens a link.

use super::sessions::{SignInMode, Signed, hand_out};
use crate::cookies::{Carrier, CookieChallenge};
use crate::extract::{Client, JsonBody, NamedTenant};
use crate::guard::cross_site;
use crate::problem::{Problem, catalogue};
use crate::routes::{Access, Route};
use crate::secret::Secret;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use plinto_actors::{Challenge, ServiceError};
use plinto_domain::InvalidInput;
use plinto_domain::one_time::UNUSABLE;
use plinto_domain::passwordless::MailMethod;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use zeroize::Zeroizing;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(start, complete), tags((name = "passwordless", description = "Signing in by a link or a code in a mail")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::POST, "/v1/auth/passwordless/start", Access::Public, start).of_tenant(),
        Route::new(Method::POST, "/v1/auth/passwordless/complete", Access::Public, complete).of_tenant(),
    ]
}

/// What is mailed.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mailed {
    /// A link, to be opened in the browser that asked.
    Link,
    /// Eight digits, to be typed where they were asked for.
    Code,
}

impl From<Mailed> for MailMethod {
    fn from(mailed: Mailed) -> Self {
        match mailed {
            Mailed::Link => Self::Link,
            Mailed::Code => Self::Code,
        }
    }
}

/// A request for a mail to sign in by.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartBody {
    /// An address of the account.
    #[schema(example = "ada@example.com")]
    email: String,
    /// What is mailed.
    method: Mailed,
    /// How the challenge comes back, and later the tokens.
    #[serde(default)]
    mode: SignInMode,
}

/// The request was accepted. The same whether or not a mail is sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignInAsked {
    status: &'static str,
    detail: &'static str,
    /// Seconds for which the link or code is good.
    expires_in: u32,
    /// To be kept, and sent with what is in the mail. Absent with `mode: cookie`: then it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<String>,
}

/// Send a link or a code to sign in by.
///
/// The answer is the same, and takes the same time, whether or not the address has an account; no account is made.
/// A browser keeps its challenge in the cookie `__Host-plinto-challenge`: with `mode: cookie` it is there only, and with
/// `mode: bearer` and a link it is there too, so that the link's page can confirm it. The tenant's settings
/// `recovery.sign_in_link` and `recovery.sign_in_code` switch each way off.
#[utoipa::path(post, path = "/v1/auth/passwordless/start", tag = "passwordless", request_body = StartBody,
    responses((status = 202, body = SignInAsked), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn start(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    headers: HeaderMap,
    JsonBody(body): JsonBody<StartBody>,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let carrier = match body.mode {
        SignInMode::Bearer => Carrier::Bodies,
        SignInMode::Cookie => {
            cross_site::check_site(&headers, &state)?;
            Carrier::Cookies
        }
    };
    let (method, deadline) = (MailMethod::from(body.method), state.deadline());
    let Challenge { text, expires_in } =
        state.platform().ask_to_sign_in(tenant, &body.email, method, client, deadline).await?;
    let asked = SignInAsked {
        status: "accepted",
        detail: "if the address has an account, a mail is on its way",
        expires_in,
        challenge: (carrier == Carrier::Bodies).then(|| text.to_string()),
    };
    let answer = (StatusCode::ACCEPTED, Json(asked));
    if carrier == Carrier::Bodies && method == MailMethod::Code {
        return Ok(answer.into_response());
    }
    let kept = CookieChallenge { text, carrier }.keep(expires_in, state.config().strict_transport);
    Ok((AppendHeaders([kept]), answer).into_response())
}

/// A challenge with what was mailed for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompleteBody {
    /// The challenge; left out where it is in the cookie.
    challenge: Option<Secret>,
    /// The code of the mail.
    code: Option<Secret>,
    /// What stands behind `token=` in the link of the mail. Without it and without a code the link has to be confirmed:
    /// until then the answer is `not_confirmed`.
    token: Option<Secret>,
    /// Id or slug of an organization the user belongs to, for the session to be active in.
    #[schema(example = "acme")]
    organization: Option<String>,
}

impl CompleteBody {
    fn presented(self) -> Result<(Option<Secret>, Option<Zeroizing<String>>), ServiceError> {
        let presented = match (self.code, self.token) {
            (Some(_), Some(_)) => {
                let detail = "give either `code` or `token`";
                return Err(InvalidInput::new("code", "one_secret_allowed", detail).into());
            }
            // As people read it off, perhaps in two groups.
            (Some(code), None) => {
                Some(Zeroizing::new(code.expose().chars().filter(|c| !c.is_whitespace()).collect()))
            }
            (None, token) => token.map(Secret::into_inner),
        };
        Ok((self.challenge, presented))
    }
}

/// Sign in by what was mailed, together with the challenge.
///
/// A link or code works once; after five wrong ones the challenge is used up. The address is proved by it. Where no
/// address of the account was proved before, its password is removed and its other sessions end: they may be somebody's
/// who made the account in wait for the address's owner. The session's `amr` is `email`, with a code `email` and `otp`. With `organization` it
/// begins in an organization whose policy it meets, or not at all: then the link or code stays good.
#[utoipa::path(post, path = "/v1/auth/passwordless/complete", tag = "passwordless", request_body = CompleteBody,
    responses((status = 200, body = Signed), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn complete(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody<CompleteBody>,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let https = state.config().strict_transport;
    let organization = body.organization.take();
    let (by_body, presented) = body.presented()?;
    let by_cookie = CookieChallenge::of(&headers, https);
    let has_cookie = by_cookie.is_some();
    let by_cookie = by_cookie.filter(|challenge| challenge.carrier == Carrier::Cookies);
    let (challenge, carrier) = match (by_body, by_cookie) {
        (Some(_), Some(_)) => return Err(Problem::of(catalogue::AMBIGUOUS_CREDENTIALS)),
        (Some(challenge), None) => (challenge.into_inner(), Carrier::Bodies),
        (None, Some(challenge)) => {
            cross_site::check_site(&headers, &state)?;
            (challenge.text, Carrier::Cookies)
        }
        (None, None) => return Err(ServiceError::from(UNUSABLE).into()),
    };
    let (platform, organization) = (state.platform(), organization.as_deref());
    let signing_in =
        platform.sign_in_by_mail(tenant, challenge, presented, organization, client, state.deadline());
    let signed_in = signing_in.await?;
    let answer = hand_out(signed_in, carrier, &state);
    match has_cookie {
        true => Ok((AppendHeaders([CookieChallenge::forget(https)]), answer).into_response()),
        false => Ok(answer),
    }
}
