//! Conditional requests (RFC 9110 §13): `ETag` is the version of what is shown, `If-Match` and `If-None-Match` name some.

use crate::guard::{ANSWER_HEADERS, short};
use crate::problem::{Problem, catalogue};
use crate::state::AppState;
use axum::Json;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use plinto_domain::precondition::Precondition;
use serde::Serialize;

/// A strong entity tag: the version in quotes.
pub(crate) fn tag(version: i64) -> HeaderValue {
    short(format_args!("\"{version}\""))
}

/// A representation with its version as `ETag`.
pub(crate) struct Versioned<T> {
    pub(crate) version: i64,
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, tag(self.version))], Json(self.body)).into_response()
    }
}

/// The same, rendered already.
pub(crate) struct Rendered {
    pub(crate) version: i64,
    pub(crate) json: Bytes,
}

impl IntoResponse for Rendered {
    fn into_response(self) -> Response {
        let mut response = answer_of(self.json);
        response.headers_mut().insert(header::ETAG, tag(self.version));
        response
    }
}

/// An answer of JSON that is rendered already. Its map of headers has room for all there will be.
pub(crate) fn answer_of(json: Bytes) -> Response {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.reserve(ANSWER_HEADERS);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// JSON that is kept for later answers.
pub(crate) fn json_of(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("keys are strings, and no serializer of ours fails").into()
}

impl IfNoneMatch {
    /// The answer to a client that has this version already; none to one that has not.
    pub(crate) fn answer(&self, version: i64) -> Option<Response> {
        let known = self.0.as_ref().is_some_and(|known| known.check(version).is_ok());
        known.then(|| (StatusCode::NOT_MODIFIED, [(header::ETAG, tag(version))]).into_response())
    }
}

impl<T: Serialize> Versioned<T> {
    /// The representation, or 304 to a client that has this version.
    pub(crate) fn unless_known(self, known: &IfNoneMatch) -> Response {
        known.answer(self.version).unwrap_or_else(|| self.into_response())
    }
}

/// How tags are compared (§8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// The versions a header names; none without the header.
fn read(parts: &Parts, name: &HeaderName, comparison: Comparison) -> Result<Option<Precondition>, Problem> {
    let mut values = parts.headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        return Ok(None);
    }
    let mut versions = Vec::new();
    for value in values {
        for part in value.to_str().map_err(|_| malformed())?.split(',').map(str::trim) {
            if part == "*" {
                return Ok(Some(Precondition::None));
            }
            versions.extend(version(part, comparison)?);
        }
    }
    Ok(Some(Precondition::OneOf(versions)))
}

/// The version a tag stands for; none for a tag that is not ours or that this comparison does not admit.
fn version(tag: &str, comparison: Comparison) -> Result<Option<i64>, Problem> {
    let (opaque, is_weak) = tag.strip_prefix("W/").map_or((tag, false), |opaque| (opaque, true));
    let opaque = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(malformed)?;
    if is_weak && comparison == Comparison::Strong {
        return Ok(None);
    }
    Ok(opaque.parse().ok())
}

fn malformed() -> Problem {
    Problem::of(catalogue::INVALID_ENTITY_TAG)
}

/// The versions a change may start from. Without the header any will do.
pub(crate) struct IfMatch(pub(crate) Precondition);

impl FromRequestParts<AppState> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Ok(Self(read(parts, &header::IF_MATCH, Comparison::Strong)?.unwrap_or_default()))
    }
}

/// The versions a client has already.
pub(crate) struct IfNoneMatch(Option<Precondition>);

impl FromRequestParts<AppState> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        read(parts, &header::IF_NONE_MATCH, Comparison::Weak).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn of(text: &'static str, comparison: Comparison) -> Result<Option<Precondition>, &'static str> {
        let (parts, ()) = Request::builder().header("if-match", text).body(()).expect("request").into_parts();
        read(&parts, &header::IF_MATCH, comparison).map_err(|problem| problem.code)
    }

    #[test]
    fn tags_are_compared_strongly_for_changes_and_weakly_for_reads() {
        use Comparison::{Strong, Weak};
        let versions = |list: &[i64]| Ok(Some(Precondition::OneOf(list.to_vec())));
        assert_eq!(of("\"3\"", Strong), versions(&[3]));
        assert_eq!(of("\"2\", \"3\"", Strong), versions(&[2, 3]));
        assert_eq!(of("*", Strong), Ok(Some(Precondition::None)));
        assert_eq!(of("W/\"3\"", Strong), versions(&[]), "a weak tag protects no change");
        assert_eq!(of("W/\"3\"", Weak), versions(&[3]));
        assert_eq!(of("\"theirs\"", Strong), versions(&[]), "a tag that is not ours matches nothing");
        for bad in ["3", "\"3", "W/3", ""] {
            assert_eq!(of(bad, Strong), Err("invalid_entity_tag"), "{bad}");
        }
    }
}
