//! Metadata of the authorization server (RFC 8414). A tenant's issuer is `{base}/t/{tenant}`, so its document is where the
//! well-known text stands between host and path (§3.1), and, for those who append it, under the tenant as well.
//! What is here works, and nothing else does.

use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use plinto_domain::oauth::CLIENT_CREDENTIALS;
use serde::Serialize;
use utoipa::ToSchema;

/// What a client has to know of the authorization server (RFC 8414 §2).
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthorizationServer {
    /// Its identifier; `iss` of its tokens.
    #[schema(example = "https://id.example.com/t/acme")]
    issuer: String,
    /// Where tokens are given.
    token_endpoint: String,
    /// The keys it signs with.
    jwks_uri: String,
    /// Grants there are.
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 1],
    /// Answers of an authorization endpoint; there is none yet.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 0],
    /// How clients prove who they are.
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// Where all of it is described.
    service_documentation: String,
}

type Answer = ([(HeaderName, &'static str); 2], Json<AuthorizationServer>);

async fn document(state: &AppState, slug: &str) -> Result<Answer, Problem> {
    // An unknown tenant is no authorization server.
    state.platform().resolve(slug).await?;
    let base = &state.platform().config().base_url;
    let issuer = format!("{base}/t/{slug}");
    let document = AuthorizationServer {
        token_endpoint: format!("{issuer}/oauth2/token"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        grant_types_supported: [CLIENT_CREDENTIALS],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        service_documentation: format!("{base}/docs"),
        issuer,
    };
    let headers =
        [(header::CACHE_CONTROL, "public, max-age=300"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    Ok((headers, Json(document)))
}

/// The tenant as an authorization server.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server/t/{tenant}", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, body = AuthorizationServer), (status = 404, body = Problem)))]
pub(crate) async fn by_inserted_path(
    State(state): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Answer, Problem> {
    document(&state, &slug).await
}

/// The same, for those who append the well-known path.
#[utoipa::path(get, path = "/t/{tenant}/.well-known/oauth-authorization-server", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, body = AuthorizationServer), (status = 404, body = Problem)))]
pub(crate) async fn under_tenant(
    State(state): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Answer, Problem> {
    document(&state, &slug).await
}
