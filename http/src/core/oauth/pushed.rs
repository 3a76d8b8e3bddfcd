use super::credentials;
use super::failure::{Failure, TokenError};
use super::token::{ANY_ORIGIN, url};
use crate::extract::{Client, FormBody};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use plinto_domain::oauth::Parameters;
use serde::Serialize;
use utoipa::ToSchema;

/// A reference to a pushed request (RFC 9126 §2.2).
#[derive(Serialize, ToSchema)]
pub(crate) struct PushedAnswer {
    /// To be sent to the authorization endpoint with `client_id` and nothing else. It is answered once.
    #[schema(example = "urn:ietf:params:oauth:request_uri:AAAAAQ")]
    request_uri: String,
    /// Seconds it may wait for its user.
    expires_in: u64,
}

/// Push a request (RFC 9126): the parameters of the authorization endpoint, from the client itself, which proves who it is
/// as at the token endpoint.
#[utoipa::path(post, path = "/t/{tenant}/oauth2/par", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("DPoP" = Option<String>, Header, description = "Proof that the client has a key: the code is bound to it")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = 201, body = PushedAnswer), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn push(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Client(context): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<PushedAnswer>), Failure> {
    let tenant = state.platform().resolve(&slug).await?;
    let presented = credentials::read(&headers, &form, url(&state, &slug, "par"))?;
    let pairs = form.parse().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let parameters = Parameters::of(pairs).ok_or(Failure::invalid_request("too many parameters"))?;
    let (client, deadline) = (presented.of(&context), state.deadline());
    let pushed = state.platform().push_authorization(tenant, client, &parameters, deadline).await??;
    let body = PushedAnswer { request_uri: pushed.request_uri, expires_in: pushed.expires_in };
    Ok((StatusCode::CREATED, [ANY_ORIGIN], Json(body)))
}
