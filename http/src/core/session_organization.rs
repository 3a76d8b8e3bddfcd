//! The organization a session is active in, chosen by its user.

use super::sessions::{CookieSession, Tokens, hand_out};
use crate::cookies::{Carrier, CookieTokens};
use crate::extract::{Client, JsonBody, Mine};
use crate::problem::{Problem, catalogue};
use crate::routes::{Access, Route};
use crate::secret::Secret;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use plinto_actors::Switched;
use plinto_domain::id::OrganizationId;
use plinto_domain::{SessionId, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(switch))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    let path = "/v1/users/me/session/organization";
    vec![Route::new(Method::POST, path, Access::AccessToken, switch).of_tenant()]
}

/// Another organization, or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchBody {
    /// Id or slug of an organization the user belongs to; `null` for none.
    #[serde(deserialize_with = "nullable")]
    #[schema(required = true, example = "acme")]
    organization: Option<String>,
    /// The session's refresh token, to have both tokens replaced; a browser's session has it in its cookie.
    refresh_token: Option<Secret>,
}

/// A member that may be `null` and not left out.
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

/// Another access token of a session. Nothing else is in it: so it differs from [`Tokens`] in the document.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherAccessToken {
    /// JWT (RFC 9068).
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds it is good for: no longer than the one that was sent.
    expires_in: u32,
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

/// What a switch is answered with.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema of what is answered in one of three ways")]
pub(crate) enum SwitchedSession {
    /// Both tokens, to who sent a refresh token.
    Bearer(Tokens),
    /// The tokens are in cookies, and both are new.
    Cookie(CookieSession),
    /// Another access token, to who sent no refresh token.
    Access(OtherAccessToken),
}

/// Make the session active in another organization, or in none.
///
/// Access tokens then name it: `org_id`, `org_slug` (as of their issue) and `org_role`. Those that name the one before are
/// refused from then on, on every node; those that name none stay good. Where the organization's policy asks for more
/// than the session has, the answer is `second_factor_needed`, `sign_in_method_not_allowed` or
/// `insufficient_user_authentication`, each with a challenge (RFC 9470). Whoever does not belong to it is told that it is
/// unknown.
///
/// With the refresh token (of a browser's session it is in its cookie) both tokens are replaced. Without it the answer is
/// an access token that is good no longer than the one that was sent; refresh for another.
#[utoipa::path(post, path = "/v1/users/me/session/organization", tag = "sessions", request_body = SwitchBody,
    security(("access_token" = [])),
    responses((status = 200, body = SwitchedSession), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn switch(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    carrier: Carrier,
    Client(client): Client,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SwitchBody>,
) -> Result<Response, Problem> {
    let in_cookie = match carrier {
        Carrier::Bodies => None,
        Carrier::Cookies => CookieTokens::of(&headers, state.config().strict_transport).refresh,
    };
    let in_body = body.refresh_token.as_ref().map(Secret::expose);
    let refresh = match (in_body, &in_cookie) {
        (Some(_), Some(_)) => return Err(Problem::of(catalogue::AMBIGUOUS_CREDENTIALS)),
        (in_body, in_cookie) => in_body.or(in_cookie.as_ref().map(|token| token.as_str())),
    };
    let (organization, deadline) = (body.organization.as_deref(), state.deadline());
    let switching =
        state.platform().switch_organization(tenant, &token, organization, refresh, client, deadline);
    Ok(match switching.await? {
        Switched::Session(signed_in) => hand_out(signed_in, carrier, &state),
        Switched::Access { user, session, access, organization } => Json(OtherAccessToken {
            access_token: access.token,
            token_type: "Bearer",
            expires_in: access.expires_in,
            session_id: session,
            user_id: user,
            organization_id: organization,
        })
        .into_response(),
    })
}
