//! A tenant's public keys.

use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(jwks), tags((name = "keys", description = "Public keys to verify tokens with")))]
pub(crate) struct Operations;

/// The tenant's public keys (RFC 7517 §5).
#[utoipa::path(get, path = "/t/{tenant}/.well-known/jwks.json", tag = "keys",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, content_type = "application/jwk-set+json", body = Object), (status = 404, body = Problem)))]
pub(crate) async fn jwks(
    State(state): State<AppState>,
    Path(slug): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let tenant = state.platform().resolve(&slug).await?;
    let jwks = state.platform().jwks(tenant, state.deadline()).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/jwk-set+json"),
        (header::CACHE_CONTROL, "public, max-age=300, stale-while-revalidate=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((headers, jwks.to_string()))
}
