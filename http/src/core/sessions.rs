//! Sessions: sign-in, refresh, sign-out.

use crate::cookies::{self, Carrier, CookieTokens};
use crate::extract::{Client, JsonBody, Mine, NamedTenant};
use crate::guard::{Bearer, cross_site};
use crate::problem::{Problem, catalogue};
use crate::secret::Secret;
use crate::state::AppState;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use plinto_actors::{ServiceError, SignedIn};
use plinto_domain::id::OrganizationId;
use plinto_domain::sign_in::EnteredName;
use plinto_domain::{InvalidInput, SessionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(sign_in, refresh, csrf, sign_out, reauthenticate), tags((name = "sessions", description = "Signing in, staying signed in, signing out")))]
pub(crate) struct Operations;

/// A request to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInBody {
    /// An address of the account; or else `username`.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// Username of the account, instead of an address.
    username: Option<String>,
    /// The password.
    password: Secret,
    /// Id or slug of an organization the user belongs to, for the session to be active in.
    #[schema(example = "acme")]
    organization: Option<String>,
    /// How the tokens come back.
    #[serde(default)]
    mode: SignInMode,
}

/// How tokens come back.
#[derive(Deserialize, ToSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignInMode {
    /// In the answer, to be sent as `Authorization: Bearer`.
    #[default]
    Bearer,
    /// In cookies that no script reads, for pages of this origin or of one that is configured (`cors_origins`).
    Cookie,
}

impl SignInBody {
    /// By what the account is named.
    fn name(&self) -> Result<EnteredName<'_>, ServiceError> {
        match (&self.email, &self.username) {
            (Some(email), None) => Ok(EnteredName::Email(email)),
            (None, Some(name)) => Ok(EnteredName::Username(name)),
            _ => {
                let detail = "give either `email` or `username`";
                Err(InvalidInput::new("email", "one_name_needed", detail).into())
            }
        }
    }
}

/// A request for the next pair of tokens.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshBody {
    /// The current refresh token.
    refresh_token: Secret,
}

/// A request to authenticate again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReauthenticateBody {
    /// The password.
    password: Secret,
}

/// A request to sign out.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignOutBody {
    /// Which sessions end.
    #[serde(default)]
    scope: SignOutScope,
}

/// Which sessions end.
#[derive(Deserialize, ToSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignOutScope {
    /// The one the access token belongs to.
    #[default]
    Session,
    /// Every session of the user.
    All,
}

/// A session's tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// JWT (RFC 9068).
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds the access token is good for.
    expires_in: u32,
    /// Good once; each use answers with the next one. A retry by the same client within a few seconds
    /// (`settings.session.refresh_grace_seconds`) is answered with the current one again; any other use of a replaced
    /// one ends the session.
    refresh_token: String,
    /// The session.
    #[schema(value_type = String, example = "ses_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    session_id: SessionId,
    /// The user.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    user_id: UserId,
    /// The organization the session is active in, which the access token names (`org_id`).
    #[schema(value_type = Option<String>, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    organization_id: Option<OrganizationId>,
}

impl From<SignedIn> for Tokens {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access.token,
            token_type: "Bearer",
            expires_in: signed_in.access.expires_in,
            refresh_token: signed_in.refresh.expose().to_owned(),
            session_id: signed_in.session,
            user_id: signed_in.user,
            organization_id: signed_in.organization,
        }
    }
}

/// A session whose tokens are in cookies.
#[derive(Serialize, ToSchema)]
pub(crate) struct CookieSession {
    /// Seconds after which to refresh.
    expires_in: u32,
    /// To be repeated in the header `Plinto-CSRF` by what changes something; also in the cookie `__Host-plinto-csrf`.
    /// Each refresh changes it.
    csrf_token: String,
    /// The session.
    #[schema(value_type = String, example = "ses_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    session_id: SessionId,
    /// The user.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    user_id: UserId,
    /// The organization the session is active in, which the access token names (`org_id`).
    #[schema(value_type = Option<String>, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    organization_id: Option<OrganizationId>,
}

/// A session that was begun or goes on.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Signed {
    /// Its tokens.
    Bearer(Tokens),
    /// Its tokens are in cookies.
    Cookie(CookieSession),
}

/// Gives out tokens the way they travel.
pub(super) fn hand_out(signed_in: SignedIn, carrier: Carrier, state: &AppState) -> Response {
    if carrier == Carrier::Bodies {
        return Json(Signed::Bearer(signed_in.into())).into_response();
    }
    let cookies = cookies::set(&signed_in, state.config().strict_transport);
    let session = CookieSession {
        expires_in: signed_in.access.expires_in,
        csrf_token: cookies::csrf_token(signed_in.refresh.expose()),
        session_id: signed_in.session,
        user_id: signed_in.user,
        organization_id: signed_in.organization,
    };
    (AppendHeaders(cookies), Json(Signed::Cookie(session))).into_response()
}

/// Sign in with e-mail address or username, and password.
///
/// With `mode: cookie` the tokens come in cookies and not in the answer; then the request must come from a page of this
/// origin or of one that is configured. With `organization` the session begins in an organization whose policy it meets,
/// or not at all; whoever does not belong to it is told that it is unknown.
#[utoipa::path(post, path = "/v1/auth/sign-in", tag = "sessions", request_body = SignInBody,
    params(("Plinto-Tenant" = Option<String>, Header, description = "Tenant, unless the path or the host name names it")),
    responses((status = 200, body = Signed), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignInBody>,
) -> Result<Response, Problem> {
    let tenant = tenant.required()?;
    let carrier = match body.mode {
        SignInMode::Bearer => Carrier::Bodies,
        SignInMode::Cookie => {
            cross_site::check_site(&headers, &state)?;
            Carrier::Cookies
        }
    };
    let deadline = state.deadline();
    let name = body.name()?;
    let (organization, password) = (body.organization.as_deref(), body.password.expose());
    let signed_in =
        state.platform().sign_in_to(tenant, organization, name, password, client, deadline).await?;
    Ok(hand_out(signed_in, carrier, &state))
}

/// Exchange a refresh token for the next pair. If no answer arrives, send the same token again at once.
///
/// A session that is active in an organization stays so as long as its user belongs to it and its policy is met;
/// otherwise it goes on without, and `organization_id` is null.
///
/// The refresh token comes in the body or, of a browser's session, in its cookie: then there is no body, the header
/// `Plinto-CSRF` is needed, and the next tokens come in cookies.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "sessions", request_body = Option<RefreshBody>,
    responses((status = 200, body = Signed), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn refresh(
    State(state): State<AppState>,
    NamedTenant(tenant): NamedTenant,
    Client(client): Client,
    headers: HeaderMap,
    body: Option<JsonBody<RefreshBody>>,
) -> Result<Response, Problem> {
    let cookie = CookieTokens::of(&headers, state.config().strict_transport).refresh;
    let by_body = body.as_ref().map(|JsonBody(body)| body.refresh_token.expose());
    let (token, carrier) = match (by_body, cookie.as_ref()) {
        (Some(_), Some(_)) => return Err(Problem::of(catalogue::AMBIGUOUS_CREDENTIALS)),
        (Some(token), None) => (token, Carrier::Bodies),
        (None, Some(token)) => {
            cross_site::check(&headers, Some(token), &state)?;
            (token.as_str(), Carrier::Cookies)
        }
        (None, None) => return Err(ServiceError::InvalidGrant.into()),
    };
    let refreshed = state.platform().refresh(tenant, token, client, state.deadline()).await?;
    Ok(hand_out(refreshed, carrier, &state))
}

/// What a page sends as `Plinto-CSRF`.
#[derive(Serialize, ToSchema)]
pub(crate) struct CsrfToken {
    csrf_token: String,
}

/// The value of `Plinto-CSRF`, for pages of configured origins, which cannot read the cookie.
#[utoipa::path(get, path = "/v1/auth/csrf", tag = "sessions",
    responses((status = 200, body = CsrfToken), (status = 401, body = Problem)))]
pub(crate) async fn csrf(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Json<CsrfToken>, Problem> {
    let tokens = CookieTokens::of(&headers, state.config().strict_transport);
    let refresh = tokens.refresh.ok_or(ServiceError::InvalidGrant)?;
    Ok(Json(CsrfToken { csrf_token: cookies::csrf_token(&refresh) }))
}

/// Authenticate again, in a session that goes on.
///
/// What is sensitive asks for a user who authenticated within `settings.session.step_up_max_age_seconds`, and is
/// answered `insufficient_user_authentication` (RFC 9470) otherwise. This renews `auth_time` and replaces both tokens;
/// use the new access token for what was refused.
#[utoipa::path(post, path = "/v1/auth/reauthenticate", tag = "sessions", request_body = ReauthenticateBody,
    security(("access_token" = [])),
    responses((status = 200, body = Signed), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn reauthenticate(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    carrier: Carrier,
    Client(client): Client,
    JsonBody(body): JsonBody<ReauthenticateBody>,
) -> Result<Response, Problem> {
    let (password, deadline) = (body.password.expose(), state.deadline());
    let renewed = state.platform().reauthenticate(tenant, &token, password, client, deadline).await?;
    Ok(hand_out(renewed, carrier, &state))
}

/// End this session, or all sessions of the user. Tokens stop working at once.
#[utoipa::path(post, path = "/v1/auth/sign-out", tag = "sessions", request_body = Option<SignOutBody>,
    security(("access_token" = [])), responses((status = 204), (status = 401, body = Problem)))]
pub(crate) async fn sign_out(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Extension(Bearer(token)): Extension<Bearer>,
    carrier: Carrier,
    body: Option<JsonBody<SignOutBody>>,
) -> Result<Response, Problem> {
    let tenant = tenant.or_of_token(&token, &state).await?;
    let deadline = state.deadline();
    match body.map(|JsonBody(body)| body.scope).unwrap_or_default() {
        SignOutScope::Session => drop(state.platform().sign_out(tenant, &token, deadline).await?),
        SignOutScope::All => drop(state.platform().sign_out_everywhere(tenant, &token, deadline).await?),
    }
    Ok(match carrier {
        Carrier::Bodies => StatusCode::NO_CONTENT.into_response(),
        Carrier::Cookies => {
            let gone = AppendHeaders(cookies::clear(state.config().strict_transport));
            (StatusCode::NO_CONTENT, gone).into_response()
        }
    })
}
