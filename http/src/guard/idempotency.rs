//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07) on routes whose row says so.
//!
//! Answers of success are kept for a day and given again. A refused request is forgotten: it did nothing, so the same
//! key may be tried again. The request runs in a task of its own, so that a client that hangs up finds the answer when
//! it asks again.

use super::guarded::Inner;
use super::{Bearer, answer_in_time};
use crate::extract::{NamedTenant, path_id, read_body};
use crate::guard::trace::TraceId;
use crate::problem::{Problem, catalogue, internal};
use crate::state::AppState;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::runtime::Deadline;
use plinto_actors::{Caller, Repetition, Reservation, ServiceError};
use plinto_domain::TenantId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The request header.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longest key.
const LONGEST_KEY: usize = 255;
/// Largest answer that is kept, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;
/// How long keeping an answer may take; the client waits for it.
const KEEPING: Duration = Duration::from_secs(5);
/// Headers that are kept with an answer; the guard adds the others anew.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::CACHE_CONTROL];

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The key of a request: a string of RFC 9651, or the same without quotes, as many clients send it.
pub(super) fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all(&KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let invalid = || Problem::of(catalogue::INVALID_IDEMPOTENCY_KEY);
    let text = value.to_str().map_err(|_| invalid())?.trim();
    let key = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or_else(invalid)?,
        None => text,
    };
    let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    if key.is_empty() || key.len() > LONGEST_KEY || !is_plain || values.next().is_some() {
        return Err(invalid());
    }
    Ok(Some(key.to_owned()))
}

/// Answers a request that has a key: as the first time, or for the first time.
pub(super) async fn once(
    state: &AppState,
    trace: TraceId,
    guarded: &Arc<Inner>,
    request: Request,
    key: &str,
) -> Response {
    match reserve(state, request, key).await {
        Err(problem) => problem.into_response(),
        Ok((Repetition::Answered(kept), _)) => replay(&kept).unwrap_or_else(IntoResponse::into_response),
        Ok((Repetition::First(reservation), request)) => {
            let (state, guarded) = (state.clone(), Arc::clone(guarded));
            let carried_out = tokio::spawn(async move {
                let answering = answer_in_time(&state, trace, &guarded, request);
                let answer = reservation.carry_out(answering).await;
                keep(&state, reservation, answer).await
            });
            carried_out.await.unwrap_or_else(|_| internal().into_response())
        }
    }
}

async fn reserve(state: &AppState, request: Request, key: &str) -> Result<(Repetition, Request), Problem> {
    let (mut parts, body) = request.into_parts();
    let (tenant, caller) = sender(&mut parts, state).await?;
    let body = read_body(Request::new(body), state).await?;
    let mut fingerprint = Vec::with_capacity(body.len() + 64);
    for part in [parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default()] {
        fingerprint.extend_from_slice(part.as_bytes());
        fingerprint.push(b'\n');
    }
    fingerprint.extend_from_slice(&body);
    let reserving = state.platform().reserve_answer(tenant, &caller, key, &fingerprint, state.deadline());
    let repetition = reserving.await?;
    Ok((repetition, Request::from_parts(parts, Body::from(body))))
}

/// Whose tenant's memory the key belongs to, and who sent it.
async fn sender(parts: &mut Parts, state: &AppState) -> Result<(TenantId, String), Problem> {
    let named = NamedTenant::from_request_parts(parts, state).await?;
    if let Some(Bearer(token)) = parts.extensions.get::<Bearer>().cloned() {
        let tenant = named.or_of_token(&token, state).await?;
        let user = state.platform().user_of(tenant, &token, state.deadline()).await?;
        return Ok((tenant, user.to_string()));
    }
    let caller = parts.extensions.get::<Caller>().copied().ok_or(ServiceError::Unauthenticated)?;
    let params = RawPathParams::from_request_parts(parts, state).await.ok();
    let id = params.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "id"));
    let tenant = match (id, caller.tenant, named.0) {
        (Some((_, id)), ..) => path_id(id)?,
        (None, Some(own), None) => own,
        (None, Some(own), Some(named)) if own == named => own,
        (None, Some(_), Some(_)) => return Err(ServiceError::UnknownTenant.into()),
        (None, None, _) => named.required()?,
    };
    if !caller.reaches(tenant) {
        return Err(ServiceError::UnknownTenant.into());
    }
    Ok((tenant, caller.key.to_string()))
}

/// Keeps the answer of a request that was carried out; what did nothing is forgotten. The client has its answer also
/// where that fails, and its repetition is then refused rather than carried out twice.
async fn keep(state: &AppState, reservation: Reservation, answer: Response) -> Response {
    let deadline = || Deadline::after(KEEPING);
    let platform = state.platform();
    let (kept, answer) = if answer.status().is_success() {
        match split(answer).await {
            Ok((bytes, answer)) => (platform.keep_answer(reservation, &bytes, deadline()).await, answer),
            Err(answer) => (Ok(()), answer),
        }
    } else {
        (platform.release_answer(reservation, deadline()).await, answer)
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "an answer could not be kept");
    }
    answer
}

/// The answer's bytes as they are kept, and the answer; only the answer, where it cannot be kept.
async fn split(answer: Response) -> Result<(Vec<u8>, Response), Response> {
    let (parts, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_ANSWER).await else {
        return Err(internal().into_response());
    };
    let text =
        |name: &HeaderName| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned()));
    let headers = KEPT.iter().filter_map(text).collect();
    let kept = String::from_utf8(body.to_vec()).ok().and_then(|body| {
        serde_json::to_vec(&KeptAnswer { status: parts.status.as_u16(), headers, body }).ok()
    });
    let answer = Response::from_parts(parts, Body::from(body));
    match kept {
        Some(kept) => Ok((kept, answer)),
        None => Err(answer),
    }
}

fn replay(kept: &[u8]) -> Result<Response, Problem> {
    let damaged = || Problem::from(ServiceError::Damaged("a kept answer"));
    let kept: KeptAnswer = serde_json::from_slice(kept).map_err(|_| damaged())?;
    let mut answer = Response::new(Body::from(kept.body));
    *answer.status_mut() = StatusCode::from_u16(kept.status).map_err(|_| damaged())?;
    for (name, value) in kept.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| damaged())?;
        answer.headers_mut().insert(name, HeaderValue::from_str(&value).map_err(|_| damaged())?);
    }
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_strings_or_the_same_without_quotes() {
        let of = |text: &str| {
            key_of(&Request::builder().header(KEY, text).body(Body::empty()).expect("request"))
                .map_err(|problem| problem.code)
        };
        assert_eq!(of("\"8e03978e-40d5\""), Ok(Some("8e03978e-40d5".into())));
        assert_eq!(of("8e03978e-40d5"), Ok(Some("8e03978e-40d5".into())));
        let long = "x".repeat(256);
        for bad in ["", "\"", "\"a", "\"\"", "a b", "a\"b", &long] {
            assert_eq!(of(bad), Err("invalid_idempotency_key"), "{bad}");
        }
        assert_eq!(key_of(&Request::new(Body::empty())).map_err(|problem| problem.code), Ok(None));
    }
}
