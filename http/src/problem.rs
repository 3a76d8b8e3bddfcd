//! Problem details (RFC 9457): the one place where errors become answers.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::ServiceError;
use plinto_actors::runtime::Refusal;
use plinto_domain::{Denial, DenialKind, InvalidInput};
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;
use utoipa::ToSchema;

/// Reason of a token that was not sent.
pub(crate) const MISSING: &str = "missing";
/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, for programs (`code`) and people (`title`, `detail`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Identifies the kind of problem: `urn:plinto:problem:{code}`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:plinto:problem:invalid_credentials")]
    kind: ProblemType,
    /// The kind of problem in a few words.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Stable machine-readable code.
    #[schema(value_type = String, example = "invalid_credentials")]
    pub code: &'static str,
    /// What to do about it.
    #[schema(value_type = String)]
    pub detail: Cow<'static, str>,
    /// The refused fields, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    #[serde(skip)]
    headers: Option<Box<HeaderMap>>,
}

#[derive(Debug, Clone)]
struct ProblemType(&'static str);

impl Serialize for ProblemType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("urn:plinto:problem:{}", self.0))
    }
}

/// One refused field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Name of the field as in the request.
    pub field: String,
    /// Stable machine-readable reason.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What to do about it.
    pub detail: String,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind: ProblemType(code),
            title,
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: None,
        }
    }

    /// Adds a refused field.
    #[must_use]
    pub fn with_field(
        mut self,
        field: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        self.errors.push(FieldProblem { field: field.into(), code, detail: detail.into() });
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.get_or_insert_default().insert(name, value);
        self
    }

    /// Tells when to try again, in whole seconds, at least one (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Tells how to authenticate (RFC 6750 §3).
    #[must_use]
    pub fn challenge(self, challenge: &'static str) -> Self {
        self.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// HTTP status.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = self.status_code();
        let mut headers = self.headers.take().map_or_else(HeaderMap::new, |headers| *headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().extend(headers);
        response
    }
}

/// No such route.
pub fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", "there is nothing at this path; see /docs")
}

/// Not this method.
pub fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "Method not allowed",
        "this path exists, but not with this method; see the Allow header",
    )
}

/// The listener has as many requests in flight as it may.
pub fn overloaded() -> Problem {
    unavailable(
        "overloaded",
        "Overloaded",
        "too many requests at once; try again shortly",
        Duration::from_secs(1),
    )
}

/// The request took too long.
pub fn timed_out() -> Problem {
    unavailable(
        "timeout",
        "Timed out",
        "the request was not answered in time; try again",
        Duration::from_secs(1),
    )
}

/// The store that nodes share is away, and with it the list of them.
pub fn nodes_unknown() -> Problem {
    unavailable(
        "nodes_unknown",
        "Nodes unknown",
        "the store that nodes share does not answer, so the others are not known; see /health/ready",
        Duration::from_secs(1),
    )
}

/// A bug or damage, logged where it was found; nothing of it is told.
pub fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error",
        "something is wrong on our side; it was logged under this response's X-Request-Id",
    )
}

fn unavailable(
    code: &'static str,
    title: &'static str,
    detail: impl Into<Cow<'static, str>>,
    wait: Duration,
) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title, detail).retry_after(wait)
}

fn too_many(code: &'static str, wait: Duration) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        code,
        "Too many requests",
        "slow down; try again after the time in Retry-After",
    )
    .retry_after(wait)
}

fn invalid_fields(fields: Vec<InvalidInput>) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_fields",
        "Invalid fields",
        "correct the fields in `errors` and send the request again",
    );
    for InvalidInput { field, code, detail } in fields {
        problem = problem.with_field(field, code, detail);
    }
    problem
}

fn invalid_token(reason: &'static str) -> Problem {
    if reason == MISSING {
        // RFC 6750 §3.1: a request without credentials is told no error.
        let detail = "send the access token as Authorization: Bearer";
        return Problem::new(StatusCode::UNAUTHORIZED, "invalid_token", "Access token needed", detail)
            .challenge(r#"Bearer realm="plinto""#);
    }
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid_token",
        "Invalid access token",
        format!("the access token is not usable ({reason}); refresh it or sign in again"),
    )
    .challenge(r#"Bearer error="invalid_token""#)
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let detail = error.to_string();
        match error {
            ServiceError::Invalid(fields) => invalid_fields(fields),
            ServiceError::Denied(denial) => denial.into(),
            ServiceError::UnknownTenant => Self::new(
                StatusCode::NOT_FOUND,
                "unknown_tenant",
                "Unknown tenant",
                "there is no tenant of this name",
            ),
            ServiceError::SlugTaken => Self::new(StatusCode::CONFLICT, "slug_taken", "Slug taken", detail),
            ServiceError::EmailTaken => {
                Self::new(StatusCode::CONFLICT, "email_taken", "E-mail address taken", detail)
            }
            ServiceError::InvalidCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "invalid_credentials", "Wrong credentials", detail)
                    .challenge(r#"Bearer realm="plinto""#)
            }
            ServiceError::TooManyAttempts { retry_after } => too_many("too_many_attempts", retry_after),
            ServiceError::InvalidToken { reason } => invalid_token(reason),
            ServiceError::InvalidGrant => {
                Self::new(StatusCode::UNAUTHORIZED, "invalid_grant", "Invalid refresh token", detail)
                    .challenge(r#"Bearer error="invalid_token""#)
            }
            ServiceError::Unauthenticated => {
                Self::new(StatusCode::UNAUTHORIZED, "api_key_needed", "API key needed", detail)
                    .challenge(r#"Bearer realm="plinto""#)
            }
            ServiceError::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail),
            ServiceError::Conflict => Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail),
            ServiceError::Refused(refusal) => refusal.into(),
            ServiceError::Storage(error) => storage(&error),
            ServiceError::Sealed(_) | ServiceError::Damaged(_) => {
                tracing::error!(error = %detail, "stored data cannot be used");
                internal()
            }
        }
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        let status = match denial.kind {
            DenialKind::Unknown => StatusCode::NOT_FOUND,
            DenialKind::Conflict => StatusCode::CONFLICT,
            DenialKind::Forbidden => StatusCode::FORBIDDEN,
            DenialKind::Gone => StatusCode::GONE,
            DenialKind::Stale => StatusCode::PRECONDITION_FAILED,
        };
        Self::new(status, denial.code, denial.title, denial.detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let soon = Duration::from_secs(1);
        match refusal {
            Refusal::NotFound => not_found(),
            Refusal::Overloaded { retry_after } => unavailable(
                "overloaded",
                "Overloaded",
                "too much work at once; try again shortly",
                retry_after,
            ),
            Refusal::RateLimited { retry_after } => too_many("rate_limited", retry_after),
            Refusal::DeadlineExceeded => timed_out(),
            Refusal::Stopped => {
                unavailable("shutting_down", "Shutting down", "this node is going away; try another", soon)
            }
            Refusal::Unavailable { retry_after, .. } => unavailable(
                "unavailable",
                "Unavailable",
                "this part of the platform is recovering; try again later",
                retry_after,
            ),
            Refusal::Crashed => unavailable(
                "crashed",
                "Interrupted",
                "the work was interrupted and may not have been done; try again",
                soon,
            ),
        }
    }
}

fn storage(error: &plinto_actors::StorageError) -> Problem {
    use plinto_actors::StorageError;
    let soon = Duration::from_secs(1);
    match error {
        StorageError::Full => unavailable(
            "storage_full",
            "Storage full",
            "the server's disk is full; its operator must free space",
            Duration::from_secs(30),
        ),
        StorageError::Overloaded => {
            unavailable("overloaded", "Overloaded", "too much work at once; try again shortly", soon)
        }
        StorageError::Unavailable { .. } | StorageError::Timeout | StorageError::Locked { .. } => {
            unavailable(
                "storage_unavailable",
                "Storage unavailable",
                "the database cannot be reached; try again",
                soon,
            )
        }
        StorageError::Unacknowledged => unavailable(
            "outcome_unknown",
            "Outcome unknown",
            "the database was lost while writing, so the change may or may not have been made; look before you repeat it",
            soon,
        ),
        StorageError::OlderSchema { .. } | StorageError::Unsuitable { .. } => {
            tracing::error!(error = %error, "the database cannot be used");
            unavailable(
                "storage_unavailable",
                "Storage unavailable",
                "the database cannot be used until its operator has prepared it; try again later",
                Duration::from_secs(30),
            )
        }
        other => {
            tracing::error!(error = %other, "storage failed");
            internal()
        }
    }
}
