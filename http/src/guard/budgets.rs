//! `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): what the caller may still ask for.
//!
//! Each caller is told of the limit that is its own: services and operators of the tenant's, users of their session's.
//! A stranger at a public route is told nothing of how busy a tenant is. What is told is this node's share; that of all
//! nodes together may be spent before, and then the answer says so (429).

use super::headers::short;
use crate::routes::Access;
use crate::state::AppState;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use plinto_actors::Charged;
use plinto_actors::runtime::Budget;

pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Whether callers of a route have a limit of their own that they are told of.
pub(crate) fn are_told(access: Access) -> bool {
    policy(access).is_some()
}

fn policy(access: Access) -> Option<&'static str> {
    match access {
        Access::ApiKey | Access::Manage(_) => Some("tenant"),
        Access::AccessToken => Some("session"),
        Access::Public | Access::PlatformKey | Access::Metrics => None,
    }
}

/// Says in the answer what is left, if the request came as far as a limiter.
pub(super) fn tell(headers: &mut HeaderMap, access: Access, charged: Charged, state: &AppState) {
    let Some(name) = policy(access) else { return };
    let budget = match access {
        Access::AccessToken => state.platform().session_budget(charged),
        _ => state.platform().tenant_budget(charged),
    };
    let Some(budget) = budget else { return };
    for (header, value) in fields(name, &budget) {
        headers.insert(header, value);
    }
}

fn fields(name: &str, budget: &Budget) -> [(HeaderName, HeaderValue); 2] {
    let (burst, window) = (budget.rate.burst, budget.window_seconds());
    let (left, full_in) = (budget.left, budget.full_in_seconds());
    [
        (POLICY, short(format_args!("\"{name}\";q={burst};w={window}"))),
        (LEFT, short(format_args!("\"{name}\";r={left};t={full_in}"))),
    ]
}

#[cfg(test)]
mod tests {
    use super::{LEFT, POLICY, fields};
    use axum::http::HeaderValue;
    use plinto_actors::runtime::{Budget, Rate};

    #[test]
    fn a_spent_bucket_is_told_with_the_time_it_takes_to_fill() {
        let [policy, left] = fields("session", &Budget { rate: Rate::new(100, 250), left: 0 });
        assert_eq!(policy, (POLICY, HeaderValue::from_static(r#""session";q=250;w=3"#)));
        assert_eq!(left, (LEFT, HeaderValue::from_static(r#""session";r=0;t=3"#)));
        let [_, left] = fields("tenant", &Budget { rate: Rate::new(100, 250), left: 250 });
        assert_eq!(left.1, r#""tenant";r=250;t=0"#);
    }
}
