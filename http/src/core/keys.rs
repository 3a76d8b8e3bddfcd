//! A tenant's public keys.

use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfNoneMatch, Rendered};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::Published;
use utoipa::OpenApi;

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(jwks), tags((name = "keys", description = "Public keys to verify tokens with")))]
pub(crate) struct Operations;

/// The tenant's public keys (RFC 7517 §5).
#[utoipa::path(get, path = "/t/{tenant}/.well-known/jwks.json", tag = "keys",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    responses((status = 200, content_type = "application/jwk-set+json", body = Object), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn jwks(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let tenant = state.platform().resolve(&slug).await?;
    let jwks = state.platform().jwks(tenant, state.deadline()).await?;
    let cached = HeaderValue::from_static("public, max-age=300, stale-while-revalidate=3600");
    Ok(published(jwks, &known, HeaderValue::from_static("application/jwk-set+json"), cached))
}

/// A document everybody may read and keep for a while, from any page; 304 to a client that has it.
pub(crate) fn published(
    document: Published,
    known: &IfNoneMatch,
    media: HeaderValue,
    cached: HeaderValue,
) -> Response {
    let Published { json, version } = document;
    let mut response = known.answer(version).unwrap_or_else(|| Rendered { version, json }.into_response());
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, media);
    }
    headers.insert(header::CACHE_CONTROL, cached);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
