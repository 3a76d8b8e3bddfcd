use super::REQUEST_ID;
use super::trace::TraceId;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use std::fmt;
use std::io::{Cursor, Write};

/// Content Security Policy of answers that are data (OWASP REST security): nothing may be loaded or framed.
const DATA_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Room for the headers of an answer, those that are set here among them: whoever makes a map of them on the hot path makes
/// it once.
pub(crate) const ANSWER_HEADERS: usize = 12;

/// A short value of names and numbers, put together without a detour over the heap.
pub(crate) fn short(text: fmt::Arguments<'_>) -> HeaderValue {
    let mut place = Cursor::new([0_u8; 96]);
    place.write_fmt(text).expect("a name and two numbers are shorter than 96 bytes");
    let length = usize::try_from(place.position()).expect("a place in 96 bytes");
    HeaderValue::from_bytes(&place.get_ref()[..length]).expect("names and numbers are visible ASCII")
}

/// Sets the headers every answer has. What a handler set stays.
pub(super) fn harden(mut answer: Response, trace: TraceId, https: bool) -> Response {
    let headers = answer.headers_mut();
    headers.insert(REQUEST_ID, trace.header());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let defaults: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_SECURITY_POLICY, DATA_POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(value);
    }
    if https {
        let two_years = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, two_years);
    }
    answer
}

/// The client makes its next connection elsewhere (RFC 9112 §9.6).
pub(super) fn close_connection(answer: &mut Response) {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}
