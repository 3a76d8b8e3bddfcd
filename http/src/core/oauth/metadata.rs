//! What clients have to know of the authorization server: RFC 8414 and OpenID Connect Discovery. A tenant's issuer is
//! `{base}/t/{tenant}`, so the well-known text stands between host and path (RFC 8414 §3.1), or after the path
//! (Discovery §4); either way both documents are the same. What is here works, and nothing else does.

use crate::core::keys::published;
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfNoneMatch, json_of};
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use plinto_domain::oauth::{
    ACR, AuthMethod, GrantType, IdTokenAlgorithm, Prompt, ResponseMode, S256, SCOPES_OF_USERS, USER_CLAIMS,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a client has to know of the authorization server (RFC 8414 §2, OpenID Connect Discovery §3).
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthorizationServer {
    /// Its identifier; `iss` of its tokens.
    #[schema(example = "https://id.example.com/t/acme")]
    issuer: String,
    /// Where users are sent.
    authorization_endpoint: String,
    /// Where tokens are given.
    token_endpoint: String,
    /// Where clients register themselves (RFC 7591), if the tenant lets them.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    /// Where clients push their requests (RFC 9126).
    pushed_authorization_request_endpoint: String,
    /// Where clients ask about tokens (RFC 7662).
    introspection_endpoint: String,
    /// Where tokens are given back (RFC 7009).
    revocation_endpoint: String,
    /// Who the user is.
    userinfo_endpoint: String,
    /// Where users sign out (OpenID Connect RP-Initiated Logout).
    end_session_endpoint: String,
    /// The keys it signs with.
    jwks_uri: String,
    /// Scopes every client may ask for.
    #[schema(value_type = Vec<String>)]
    scopes_supported: [&'static str; 5],
    /// Answers of the authorization endpoint.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 1],
    /// How they get to the client.
    #[schema(value_type = Vec<String>)]
    response_modes_supported: [&'static str; 3],
    /// Grants there are.
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 3],
    /// How users can be asked.
    #[schema(value_type = Vec<String>)]
    prompt_values_supported: [&'static str; 5],
    /// How well users are authenticated.
    #[schema(value_type = Vec<String>)]
    acr_values_supported: [&'static str; 1],
    /// Users have one `sub` for all clients.
    #[schema(value_type = Vec<String>)]
    subject_types_supported: [&'static str; 1],
    /// What ID tokens are signed with.
    #[schema(value_type = Vec<String>)]
    id_token_signing_alg_values_supported: [&'static str; 3],
    /// How clients prove who they are where tokens are given.
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_methods_supported: [&'static str; 4],
    /// The same where they are given back.
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    /// The same where they are asked about.
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    /// What clients may sign with to prove who they are.
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    /// What clients may sign their requests with.
    #[schema(value_type = Vec<String>)]
    request_object_signing_alg_values_supported: [&'static str; 3],
    /// What proofs of possession may be signed with (RFC 9449).
    #[schema(value_type = Vec<String>)]
    dpop_signing_alg_values_supported: [&'static str; 3],
    /// How codes are protected (RFC 7636).
    #[schema(value_type = Vec<String>)]
    code_challenge_methods_supported: [&'static str; 1],
    /// What is said of users.
    #[schema(value_type = Vec<String>)]
    claims_supported: Vec<&'static str>,
    /// Languages of the pages.
    #[schema(value_type = Vec<String>)]
    ui_locales_supported: [&'static str; 2],
    /// Whether claims may be asked for one by one.
    claims_parameter_supported: bool,
    /// Whether requests may be JWTs.
    request_parameter_supported: bool,
    /// Whether requests may be elsewhere.
    request_uri_parameter_supported: bool,
    /// Whether answers name the issuer (RFC 9207).
    authorization_response_iss_parameter_supported: bool,
    /// Where all of it is described.
    service_documentation: String,
}

async fn document(state: &AppState, slug: &str, known: &IfNoneMatch) -> Result<Response, Problem> {
    // An unknown tenant is no authorization server.
    let tenant = state.platform().resolve(slug).await?;
    let base = &state.platform().config().base_url;
    let render = |registers| json_of(&metadata(base, slug, registers));
    let document = state.platform().server_metadata(tenant, state.deadline(), render).await?;
    let (media, cached) = ("application/json", "public, max-age=300");
    Ok(published(document, known, HeaderValue::from_static(media), HeaderValue::from_static(cached)))
}

fn metadata(base: &str, slug: &str, registers: bool) -> AuthorizationServer {
    let issuer = format!("{base}/t/{slug}");
    let of_tokens = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"];
    AuthorizationServer {
        authorization_endpoint: format!("{issuer}/oauth2/authorize"),
        token_endpoint: format!("{issuer}/oauth2/token"),
        registration_endpoint: registers.then(|| format!("{issuer}/oauth2/register")),
        pushed_authorization_request_endpoint: format!("{issuer}/oauth2/par"),
        introspection_endpoint: format!("{issuer}/oauth2/introspect"),
        revocation_endpoint: format!("{issuer}/oauth2/revoke"),
        userinfo_endpoint: format!("{issuer}/oauth2/userinfo"),
        end_session_endpoint: format!("{issuer}/oauth2/end-session"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        scopes_supported: SCOPES_OF_USERS,
        response_types_supported: ["code"],
        response_modes_supported: ResponseMode::ALL,
        grant_types_supported: GrantType::ALL.map(GrantType::as_str),
        prompt_values_supported: Prompt::ALL,
        acr_values_supported: [ACR],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: IdTokenAlgorithm::ALL,
        token_endpoint_auth_methods_supported: AuthMethod::ALL,
        revocation_endpoint_auth_methods_supported: AuthMethod::ALL,
        introspection_endpoint_auth_methods_supported: AuthMethod::CONFIDENTIAL,
        token_endpoint_auth_signing_alg_values_supported: IdTokenAlgorithm::ALL,
        request_object_signing_alg_values_supported: IdTokenAlgorithm::ALL,
        dpop_signing_alg_values_supported: IdTokenAlgorithm::ALL,
        code_challenge_methods_supported: [S256],
        claims_supported: of_tokens.into_iter().chain(USER_CLAIMS).collect(),
        ui_locales_supported: crate::hosted::LANGUAGES,
        claims_parameter_supported: true,
        request_parameter_supported: true,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
        service_documentation: format!("{base}/docs"),
        issuer,
    }
}

/// The tenant as an authorization server.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server/t/{tenant}", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    responses((status = 200, body = AuthorizationServer), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn by_inserted_path(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    document(&state, &slug, &known).await
}

/// The same, for those who append the well-known path.
#[utoipa::path(get, path = "/t/{tenant}/.well-known/oauth-authorization-server", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    responses((status = 200, body = AuthorizationServer), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn under_tenant(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    document(&state, &slug, &known).await
}

/// The same, as relying parties of OpenID Connect look for it.
#[utoipa::path(get, path = "/t/{tenant}/.well-known/openid-configuration", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    responses((status = 200, body = AuthorizationServer), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn of_openid(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    document(&state, &slug, &known).await
}
