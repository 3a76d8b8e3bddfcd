use super::cross_site;
use crate::cookies::{Carrier, CookieTokens};
use crate::problem::{MISSING, Problem, catalogue};
use crate::routes::Access;
use crate::state::AppState;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use plinto_actors::{Caller, ServiceError};
use plinto_domain::api_scope::{ApiScope, Resource};
use std::sync::Arc;

/// Longest bearer credential read, in bytes.
const LONGEST: usize = 8 * 1024;

/// The bearer credential of a request (RFC 6750 §2.1), not yet believed. No `Debug`.
#[derive(Clone)]
pub(crate) struct Bearer(pub(crate) Arc<str>);

/// Checks what the route asks for, and leaves the result in the request's extensions for the handler.
pub(super) async fn check_access(
    access: Access,
    request: &mut Request,
    state: &AppState,
) -> Result<(), Problem> {
    match access {
        Access::Public => {}
        Access::Metrics if state.config().open_metrics => {}
        Access::AccessToken => {
            let (token, carrier) = access_token(request, state)?;
            request.extensions_mut().insert(token);
            request.extensions_mut().insert(carrier);
        }
        Access::ApiKey => {
            let caller = caller(request.headers(), state).await?;
            caller.require(ApiScope::read(Resource::Tokens))?;
            request.extensions_mut().insert(caller);
        }
        Access::Manage(scope) => {
            let caller = caller(request.headers(), state).await?;
            caller.require(scope)?;
            request.extensions_mut().insert(caller);
        }
        Access::PlatformKey | Access::Metrics => {
            let caller = caller(request.headers(), state).await?;
            caller.require_platform()?;
            request.extensions_mut().insert(caller);
        }
    }
    Ok(())
}

/// The access token, by header or by cookie. A browser sends cookies on its own, so what changes something by cookie
/// must come from a page of ours; a header is never sent by accident.
fn access_token(request: &Request, state: &AppState) -> Result<(Bearer, Carrier), Problem> {
    let headers = request.headers();
    let cookies = CookieTokens::of(headers, state.config().strict_transport);
    let by_header = headers.contains_key(header::AUTHORIZATION);
    match cookies.access {
        Some(_) if by_header => Err(Problem::of(catalogue::AMBIGUOUS_CREDENTIALS)),
        Some(token) => {
            if !request.method().is_safe() {
                cross_site::check(headers, cookies.refresh.as_ref().map(|token| token.as_str()), state)?;
            }
            Ok((Bearer(token.as_str().into()), Carrier::Cookies))
        }
        None => {
            let token = bearer(headers).ok_or(ServiceError::InvalidToken { reason: MISSING })?;
            Ok((Bearer(token.into()), Carrier::Bodies))
        }
    }
}

async fn caller(headers: &HeaderMap, state: &AppState) -> Result<Caller, ServiceError> {
    let key = bearer(headers).ok_or(ServiceError::Unauthenticated)?;
    state.platform().authenticate(key).await
}

/// The bearer credential of a request, if it has one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    credential(headers, "bearer")
}

/// The credential of a scheme, if a request has one and no other.
pub(crate) fn credential<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let only = values.next()?;
    if values.next().is_some() || only.len() > LONGEST {
        return None;
    }
    let (scheme, credential) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| credential.trim_start_matches(' '))
}
