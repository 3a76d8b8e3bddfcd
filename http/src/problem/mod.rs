//! Problem details (RFC 9457): the one place where errors become answers.
//!
//! A new kind of problem is declared in [`catalogue`], or, where a rule of the domain refuses, as a `Denial` there.

pub mod catalogue;
mod mapping;

pub use catalogue::Kind;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;
use utoipa::ToSchema;

/// Reason of a token that was not sent.
pub(crate) const MISSING: &str = "missing";
/// When to try again what may go well the next moment.
const SOON: Duration = Duration::from_secs(1);
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
    pub fn of(Kind { status, code, title, detail }: Kind) -> Self {
        Self {
            kind: ProblemType(code),
            title,
            status: status.as_u16(),
            code,
            detail: Cow::Borrowed(detail),
            errors: Vec::new(),
            headers: None,
        }
    }

    /// Says more about it than its kind does. The text must not repeat what was sent.
    #[must_use]
    pub fn detailed(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
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
    Problem::of(catalogue::NOT_FOUND)
}

/// Not this method.
pub fn method_not_allowed() -> Problem {
    Problem::of(catalogue::METHOD_NOT_ALLOWED)
}

/// The listener has as many requests in flight as it may.
pub fn overloaded() -> Problem {
    Problem::of(catalogue::OVERLOADED).retry_after(SOON)
}

/// The request took too long.
pub fn timed_out() -> Problem {
    Problem::of(catalogue::TIMEOUT).retry_after(SOON)
}

/// The store that nodes share is away, and with it the list of them.
pub fn nodes_unknown() -> Problem {
    Problem::of(catalogue::NODES_UNKNOWN).retry_after(SOON)
}

/// A bug or damage, logged where it was found; nothing of it is told.
pub fn internal() -> Problem {
    Problem::of(catalogue::INTERNAL)
}
