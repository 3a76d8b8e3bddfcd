use crate::problem::Problem;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::ServiceError;
use plinto_domain::oauth::{OAuthCode, OAuthError};
use serde::Serialize;
use utoipa::ToSchema;

/// Why the token endpoint gives nothing (RFC 6749 §5.2).
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
            OAuthCode::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = Json(TokenError { error: code.as_str(), error_description: description });
        let mut response = (status, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Basic realm="plinto", charset="UTF-8""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
