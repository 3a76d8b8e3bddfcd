//! Sessions: sign-in, refresh, sign-out.

use crate::extract::{Client, JsonBody, Mine, NamedTenant};
use crate::guard::Bearer;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::state::AppState;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use plinto_actors::SignedIn;
use plinto_domain::{SessionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(sign_in, refresh, sign_out, reauthenticate), tags((name = "sessions", description = "Signing in, staying signed in, signing out")))]
pub(crate) struct Operations;

/// A request to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInBody {
    /// Address of the account.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The password.
    password: Secret,
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
        }
    }
}

/// Sign in with e-mail address and password.
#[utoipa::path(post, path = "/v1/auth/sign-in", tag = "sessions", request_body = SignInBody,
    params(("Plinto-Tenant" = Option<String>, Header, description = "Tenant, unless the path or the host name names it")),
    responses((status = 200, body = Tokens), (status = 401, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<SignInBody>,
) -> Result<Json<Tokens>, Problem> {
    let tenant = tenant.required()?;
    let deadline = state.deadline();
    let signed_in =
        state.platform().sign_in(tenant, &body.email, body.password.expose(), client, deadline).await?;
    Ok(Json(signed_in.into()))
}

/// Exchange a refresh token for the next pair. If no answer arrives, send the same token again at once.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "sessions", request_body = RefreshBody,
    responses((status = 200, body = Tokens), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 503, body = Problem)))]
pub(crate) async fn refresh(
    State(state): State<AppState>,
    NamedTenant(tenant): NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<RefreshBody>,
) -> Result<Json<Tokens>, Problem> {
    let (token, deadline) = (body.refresh_token.expose(), state.deadline());
    let refreshed = state.platform().refresh(tenant, token, client, deadline).await?;
    Ok(Json(refreshed.into()))
}

/// Authenticate again, in a session that goes on.
///
/// What is sensitive asks for a user who authenticated within `settings.session.step_up_max_age_seconds`, and is
/// answered `insufficient_user_authentication` (RFC 9470) otherwise. This renews `auth_time` and replaces both tokens;
/// use the new access token for what was refused.
#[utoipa::path(post, path = "/v1/auth/reauthenticate", tag = "sessions", request_body = ReauthenticateBody,
    security(("access_token" = [])),
    responses((status = 200, body = Tokens), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn reauthenticate(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    Client(client): Client,
    JsonBody(body): JsonBody<ReauthenticateBody>,
) -> Result<Json<Tokens>, Problem> {
    let (password, deadline) = (body.password.expose(), state.deadline());
    let renewed = state.platform().reauthenticate(tenant, &token, password, client, deadline).await?;
    Ok(Json(renewed.into()))
}

/// End this session, or all sessions of the user. Tokens stop working at once.
#[utoipa::path(post, path = "/v1/auth/sign-out", tag = "sessions", request_body = Option<SignOutBody>,
    security(("access_token" = [])), responses((status = 204), (status = 401, body = Problem)))]
pub(crate) async fn sign_out(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Extension(Bearer(token)): Extension<Bearer>,
    body: Option<JsonBody<SignOutBody>>,
) -> Result<StatusCode, Problem> {
    let tenant = tenant.or_of_token(&token, &state).await?;
    let deadline = state.deadline();
    match body.map(|JsonBody(body)| body.scope).unwrap_or_default() {
        SignOutScope::Session => drop(state.platform().sign_out(tenant, &token, deadline).await?),
        SignOutScope::All => drop(state.platform().sign_out_everywhere(tenant, &token, deadline).await?),
    }
    Ok(StatusCode::NO_CONTENT)
}
