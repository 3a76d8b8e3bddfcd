use crate::problem::Problem;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::ServiceError;
use plinto_domain::oauth::{OAuthCode, OAuthError};
use serde::Serialize;
use utoipa::ToSchema;

/// Why nothing is given (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenError {
    /// The kind of error.
    #[schema(value_type = String, example = "invalid_client")]
    error: &'static str,
    /// What to do about it.
    #[schema(value_type = String)]
    error_description: &'static str,
}

/// An error of the protocol, or one that has nothing to do with it (limits, failures, an unknown tenant).
pub(crate) enum Failure {
    OAuth(OAuthError),
    // Boxed: it is several times as large, and rare.
    Problem(Box<Problem>),
}

impl Failure {
    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::OAuth(OAuthError::new(OAuthCode::InvalidRequest, description))
    }
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Problem(Box::new(error.into()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let OAuthError { code, description } = match self {
            Self::OAuth(error) => error,
            Self::Problem(problem) => return problem.into_response(),
        };
        let status = match code {
            OAuthCode::InvalidClient | OAuthCode::InvalidToken => StatusCode::UNAUTHORIZED,
            OAuthCode::InsufficientScope => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = Json(TokenError { error: code.as_str(), error_description: description });
        let mut response = (status, body).into_response();
        if let Some(challenge) = challenge(code) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

/// How to authenticate, where that was what was wrong (RFC 6749 §5.2, RFC 6750 §3).
const fn challenge(code: OAuthCode) -> Option<&'static str> {
    match code {
        OAuthCode::InvalidClient => Some(r#"Basic realm="plinto", charset="UTF-8""#),
        OAuthCode::InvalidToken => Some(r#"Bearer realm="plinto", error="invalid_token""#),
        OAuthCode::InsufficientScope => {
            Some(r#"Bearer realm="plinto", error="insufficient_scope", scope="openid""#)
        }
        OAuthCode::InvalidDpopProof => Some(r#"DPoP error="invalid_dpop_proof", algs="EdDSA ES256 RS256""#),
        _ => None,
    }
}
