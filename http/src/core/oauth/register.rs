//! Clients that register themselves (RFC 7591), and say more of themselves later (RFC 7592).

use super::token::ANY_ORIGIN;
use crate::extract::{Client, JsonBody, path_id};
use crate::guard::credential;
use crate::problem::{MISSING, Problem};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use plinto_actors::ServiceError;
use plinto_domain::oauth::{RegisteredMetadata, RegistrationRequest};
use plinto_domain::{ClientId, InvalidInput, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A client as it is told of itself (RFC 7591 §3.2.1).
#[derive(Serialize, ToSchema)]
pub(crate) struct Registered {
    #[serde(flatten)]
    metadata: RegisteredMetadata,
    /// Its secret, shown this once. A client that proves who it is otherwise has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// When its secret ends: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u8>,
    /// Seconds since the Unix epoch.
    client_id_issued_at: i64,
    /// Lets it say more of itself, at the URI below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    registration_access_token: Option<String>,
    /// Where.
    registration_client_uri: String,
}

/// Why a client is not registered (RFC 7591 §3.2.2).
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationError {
    #[schema(value_type = String, example = "invalid_client_metadata")]
    error: &'static str,
    /// What to do about it.
    error_description: String,
}

/// An error of the protocol, or one that has nothing to do with it.
pub(crate) enum Refusal {
    Metadata(Vec<InvalidInput>),
    // Boxed: it is several times as large, and rare.
    Problem(Box<Problem>),
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(fields) => Self::Metadata(fields),
            other => Self::Problem(Box::new(other.into())),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let fields = match self {
            Self::Problem(problem) => return problem.into_response(),
            Self::Metadata(fields) => fields,
        };
        let is_about_uris = fields.iter().any(|field| field.field == "redirect_uris");
        let error = if is_about_uris { "invalid_redirect_uri" } else { "invalid_client_metadata" };
        let details: Vec<_> = fields.iter().map(ToString::to_string).collect();
        let body = RegistrationError { error, error_description: details.join("; ") };
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

/// The client a path names.
#[derive(Deserialize)]
pub(crate) struct RegisteredPath {
    tenant: String,
    client: String,
}

fn told(
    state: &AppState,
    slug: &str,
    view: plinto_actors::ClientView,
    secret: Option<String>,
    token: Option<String>,
) -> Registered {
    let (id, created_at): (ClientId, Timestamp) = (view.client.id, view.created_at);
    let base = &state.platform().config().base_url;
    Registered {
        metadata: RegisteredMetadata::of(id, view.client.definition),
        client_secret_expires_at: secret.as_ref().map(|_| 0),
        client_secret: secret,
        client_id_issued_at: created_at.as_seconds(),
        registration_access_token: token,
        registration_client_uri: format!("{base}/t/{slug}/oauth2/register/{id}"),
    }
}

/// Register a client, where the tenant's settings let it (`settings.oauth.registration`): with one of the tenant's keys that
/// has `clients:write` as initial access token, or by anybody.
#[utoipa::path(post, path = "/t/{tenant}/oauth2/register", tag = "oauth", request_body = RegistrationRequest,
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("Authorization" = Option<String>, Header, description = "`Bearer` and an initial access token, where one is needed")),
    responses((status = 201, body = Registered), (status = 400, content((RegistrationError = "application/json"), (Problem = "application/problem+json"))), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn register(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Client(context): Client,
    headers: HeaderMap,
    JsonBody(request): JsonBody<RegistrationRequest>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<Registered>), Refusal> {
    let tenant = state.platform().resolve(&slug).await?;
    let caller = match credential(&headers, "bearer") {
        Some(key) => Some(state.platform().authenticate(key).await?),
        None => None,
    };
    let deadline = state.deadline();
    let made = state.platform().register_client(tenant, request, caller, &context, deadline).await?;
    let secret = made.client.secret.map(|secret| secret.to_string());
    let token = Some(made.token.expose().to_owned());
    Ok((StatusCode::CREATED, [ANY_ORIGIN], Json(told(&state, &slug, made.client.view, secret, token))))
}

fn registration_token(headers: &HeaderMap) -> Result<&str, ServiceError> {
    credential(headers, "bearer").ok_or(ServiceError::InvalidToken { reason: MISSING })
}

/// What a client is registered as, for whoever has its registration access token.
#[utoipa::path(get, path = "/t/{tenant}/oauth2/register/{client}", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("Authorization" = Option<String>, Header, description = "`Bearer` and the registration access token")),
    responses((status = 200, body = Registered), (status = 401, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    Path(path): Path<RegisteredPath>,
    headers: HeaderMap,
) -> Result<Json<Registered>, Refusal> {
    let tenant = state.platform().resolve(&path.tenant).await?;
    let (client, token) = (path_id(&path.client)?, registration_token(&headers)?);
    let view = state.platform().registered_client(tenant, client, token, state.deadline()).await?;
    Ok(Json(told(&state, &path.tenant, view, None, None)))
}

/// Register a client anew: what is left out is as usual again (RFC 7592 §2.2). Its id and secret stay.
#[utoipa::path(put, path = "/t/{tenant}/oauth2/register/{client}", tag = "oauth", request_body = RegistrationRequest,
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("Authorization" = Option<String>, Header, description = "`Bearer` and the registration access token")),
    responses((status = 200, body = Registered), (status = 400, content((RegistrationError = "application/json"), (Problem = "application/problem+json"))), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn replace(
    State(state): State<AppState>,
    Path(path): Path<RegisteredPath>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<RegistrationRequest>,
) -> Result<Json<Registered>, Refusal> {
    let tenant = state.platform().resolve(&path.tenant).await?;
    let (client, token) = (path_id(&path.client)?, registration_token(&headers)?);
    let deadline = state.deadline();
    let view = state.platform().replace_registered_client(tenant, client, token, request, deadline).await?;
    Ok(Json(told(&state, &path.tenant, view, None, None)))
}

/// Remove a client. What it was given is good no longer.
#[utoipa::path(delete, path = "/t/{tenant}/oauth2/register/{client}", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("Authorization" = Option<String>, Header, description = "`Bearer` and the registration access token")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Path(path): Path<RegisteredPath>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let tenant = state.platform().resolve(&path.tenant).await?;
    let (client, token) = (path_id(&path.client)?, registration_token(&headers)?);
    state.platform().remove_registered_client(tenant, client, token, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}
