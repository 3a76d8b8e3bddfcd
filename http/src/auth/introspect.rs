//! Token introspection (RFC 7662).

use crate::extract::FormBody;
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::answer_of;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use plinto_actors::Caller;
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(introspect), tags((name = "introspection", description = "Validation of tokens (port 8001)")))]
pub(crate) struct Operations;

/// A question about a token.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "the schema of a form that is read parameter by parameter")]
pub(crate) struct IntrospectForm {
    /// The access or refresh token.
    token: String,
    /// Accepted and not needed: the token's form says what it is.
    token_type_hint: Option<String>,
}

/// Is this token usable now?
///
/// Checks signature, issuer, audience, times and that the session is live. A tenant's service key is told about that
/// tenant's tokens only; any other token is `{"active": false}`.
#[utoipa::path(post, path = "/v1/introspect", tag = "introspection", security(("service_key" = []), ("platform_key" = [])),
    request_body(content = IntrospectForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn introspect(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    form: FormBody,
) -> Result<Response, Problem> {
    let token = form.required("token")?;
    let answer = state.platform().introspect(&caller, &token, state.deadline()).await?;
    Ok(answer_of(answer.into_json()))
}
