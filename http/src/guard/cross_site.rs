//! Who makes a browser send its cookies: a page of ours, or one that abuses them.

use crate::cookies::{CSRF_HEADER, csrf_token};
use crate::extract::tenant_of_host;
use crate::problem::{Problem, catalogue};
use crate::state::AppState;
use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

/// Refuses a change that a page elsewhere may have asked for.
pub(crate) fn check(headers: &HeaderMap, refresh: Option<&str>, state: &AppState) -> Result<(), Problem> {
    check_site(headers, state)?;
    let said = headers.get(CSRF_HEADER).map(|value| value.as_bytes()).unwrap_or_default();
    let expected = refresh.map(csrf_token).unwrap_or_default();
    match !expected.is_empty() && bool::from(said.ct_eq(expected.as_bytes())) {
        true => Ok(()),
        false => Err(Problem::of(catalogue::CSRF_TOKEN_MISMATCH)),
    }
}

/// Refuses what does not come from a page of ours. Every browser says where a page is, one way or the other.
pub(crate) fn check_site(headers: &HeaderMap, state: &AppState) -> Result<(), Problem> {
    let ours = match headers.get(header::ORIGIN) {
        Some(origin) => origin.to_str().is_ok_and(|origin| is_ours(origin, headers, state)),
        None => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    };
    match ours {
        true => Ok(()),
        false => Err(Problem::of(catalogue::CROSS_SITE_REQUEST)),
    }
}

/// Refuses a form that a page elsewhere has sent, where the browser says so. Our pages send no referrer, so that their
/// forms say `Origin: null`; the cookie such a form needs is not sent along from elsewhere either (`SameSite=Lax`).
pub(crate) fn check_form(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site") {
        Some(site) if site != "same-origin" => Err(Problem::of(catalogue::CROSS_SITE_REQUEST)),
        _ => Ok(()),
    }
}

/// The base URL, the origins that were configured, and the tenant's own host.
fn is_ours(origin: &str, headers: &HeaderMap, state: &AppState) -> bool {
    let base = &state.platform().config().base_url;
    let config = state.config();
    if origin == base || config.cors_origins.iter().any(|known| known == origin) {
        return true;
    }
    let is_tenants = tenant_of_host(headers, config.tenant_domain.as_deref()).is_some();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let scheme = base.split_once("://").map(|(scheme, _)| scheme);
    is_tenants && origin.split_once("://").is_some_and(|(of, at)| Some(of) == scheme && Some(at) == host)
}
