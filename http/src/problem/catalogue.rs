//! Every kind of problem there is: an answer can have no code that does not stand here or among the domain's refusals.

use axum::http::StatusCode;
use plinto_domain::denial;
use plinto_domain::{Denial, DenialKind};

/// A kind of problem: what all problems with this code have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable machine-readable code.
    pub code: &'static str,
    /// The kind of problem in a few words.
    pub title: &'static str,
    /// What to do about it, where nothing more is known.
    pub detail: &'static str,
}

impl From<Denial> for Kind {
    fn from(denial: Denial) -> Self {
        let status = match denial.kind {
            DenialKind::Unknown => StatusCode::NOT_FOUND,
            DenialKind::Conflict => StatusCode::CONFLICT,
            DenialKind::Forbidden => StatusCode::FORBIDDEN,
            DenialKind::Gone => StatusCode::GONE,
            DenialKind::Stale => StatusCode::PRECONDITION_FAILED,
            DenialKind::Contradiction => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let Denial { code, title, detail, .. } = denial;
        Self { status, code, title, detail }
    }
}

/// Declares kinds, and the list of them.
macro_rules! kinds {
    ($($name:ident = $status:ident $code:literal, $title:literal, $detail:literal;)*) => {
        $(
            #[doc = $detail]
            pub(crate) const $name: Kind =
                Kind { status: StatusCode::$status, code: $code, title: $title, detail: $detail };
        )*
        const GENERAL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    AMBIGUOUS_CREDENTIALS = BAD_REQUEST "ambiguous_credentials", "Ambiguous credentials",
        "the request brings a token and the cookie of a session; send one of them";
    BODY_UNREADABLE = BAD_REQUEST "body_unreadable", "Body unreadable", "the body did not arrive whole";
    INVALID_ENTITY_TAG = BAD_REQUEST "invalid_entity_tag", "Invalid entity tag",
        "If-Match and If-None-Match take ETags as they were sent, in quotes, or *";
    INVALID_IDEMPOTENCY_KEY = BAD_REQUEST "invalid_idempotency_key", "Invalid idempotency key",
        "Idempotency-Key is one string of 1 to 255 visible ASCII characters, such as a UUID";
    INVALID_QUERY = BAD_REQUEST "invalid_query", "Invalid query",
        "the query has an unknown parameter or a value of the wrong type";
    INVALID_REQUEST = BAD_REQUEST "invalid_request", "Invalid request",
        "a parameter is missing, repeated or of the wrong type";
    MALFORMED_JSON = BAD_REQUEST "malformed_json", "Malformed JSON", "the body is not JSON";
    TENANT_AMBIGUOUS = BAD_REQUEST "tenant_ambiguous", "Ambiguous tenant",
        "path, host name, Plinto-Tenant header and publishable key name different tenants; name one";
    TENANT_NEEDED = BAD_REQUEST "tenant_needed", "Tenant needed",
        "name the tenant: put /t/{tenant} before the path, or send the header Plinto-Tenant";

    API_KEY_NEEDED = UNAUTHORIZED "api_key_needed", "API key needed", "a valid API key is needed";
    INVALID_CREDENTIALS = UNAUTHORIZED "invalid_credentials", "Wrong credentials", "e-mail address or password is wrong";
    INVALID_GRANT = UNAUTHORIZED "invalid_grant", "Invalid refresh token",
        "the refresh token is not valid; sign in again";
    INVALID_TOKEN = UNAUTHORIZED "invalid_token", "Valid access token needed",
        "send the access token as Authorization: Bearer";

    INSUFFICIENT_USER_AUTHENTICATION = UNAUTHORIZED "insufficient_user_authentication", "Recent sign-in needed",
        "this asks for a recent sign-in; authenticate again with POST /v1/auth/reauthenticate";

    SECOND_FACTOR_NEEDED = UNAUTHORIZED "second_factor_needed", "Second factor needed",
        "the organization asks for a second factor; sign in with one";
    SIGN_IN_METHOD_NOT_ALLOWED = UNAUTHORIZED "sign_in_method_not_allowed", "Other sign-in needed",
        "the organization does not allow the way you signed in; sign in by one that it allows";

    CROSS_SITE_REQUEST = FORBIDDEN "cross_site_request", "Cross-site request",
        "cookies count only from pages of this origin or one that is configured; elsewhere send the token in a header";
    CSRF_TOKEN_MISMATCH = FORBIDDEN "csrf_token_mismatch", "CSRF token needed",
        "repeat the value of the cookie plinto-csrf in the header Plinto-CSRF; see GET /v1/auth/csrf";
    FORBIDDEN = FORBIDDEN "forbidden", "Forbidden", "this API key may not do that";

    NOT_FOUND = NOT_FOUND "not_found", "Not found", "there is nothing at this path; see /docs";
    UNKNOWN_TENANT = NOT_FOUND "unknown_tenant", "Unknown tenant", "there is no tenant of this name";

    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method_not_allowed", "Method not allowed",
        "this path exists, but not with this method; see the Allow header";

    CONFLICT = CONFLICT "conflict", "Conflict", "changed concurrently; read again and retry";
    EMAIL_TAKEN = CONFLICT "email_taken", "E-mail address taken",
        "this e-mail address has an account in this tenant";
    SLUG_TAKEN = CONFLICT "slug_taken", "Slug taken", "this slug is taken; choose another";

    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "body_too_large", "Body too large", "send a smaller body";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type", "Unsupported media type",
        "send the body as application/json";
    INVALID_FIELDS = UNPROCESSABLE_ENTITY "invalid_fields", "Invalid fields",
        "correct the fields in `errors` and send the request again";

    RATE_LIMITED = TOO_MANY_REQUESTS "rate_limited", "Too many requests",
        "slow down; try again after the time in Retry-After";
    TOO_MANY_ATTEMPTS = TOO_MANY_REQUESTS "too_many_attempts", "Too many attempts",
        "slow down; try again after the time in Retry-After";

    INTERNAL = INTERNAL_SERVER_ERROR "internal", "Internal error",
        "something is wrong on our side; it was logged under this response's X-Request-Id";
    NOT_YET_SERVED = NOT_IMPLEMENTED "not_yet_served", "Not yet served", "this service has no purpose yet";

    CRASHED = SERVICE_UNAVAILABLE "crashed", "Interrupted",
        "the work was interrupted and may not have been done; try again";
    NODES_UNKNOWN = SERVICE_UNAVAILABLE "nodes_unknown", "Nodes unknown",
        "the store that nodes share does not answer, so the others are not known; see /health/ready";
    OUTCOME_UNKNOWN = SERVICE_UNAVAILABLE "outcome_unknown", "Outcome unknown",
        "the database was lost while writing, so the change may or may not have been made; look before you repeat it";
    OVERLOADED = SERVICE_UNAVAILABLE "overloaded", "Overloaded", "too much at once; try again shortly";
    SHUTTING_DOWN = SERVICE_UNAVAILABLE "shutting_down", "Shutting down", "this node is going away; try another";
    STORAGE_FULL = SERVICE_UNAVAILABLE "storage_full", "Storage full",
        "the server's disk is full; its operator must free space";
    STORAGE_UNAVAILABLE = SERVICE_UNAVAILABLE "storage_unavailable", "Storage unavailable",
        "the database cannot be reached; try again";
    STORAGE_UNPREPARED = SERVICE_UNAVAILABLE "storage_unprepared", "Storage not prepared",
        "the database cannot be used until its operator has prepared it; try again later";
    TIMEOUT = SERVICE_UNAVAILABLE "timeout", "Timed out", "the request was not answered in time; try again";
    UNAVAILABLE = SERVICE_UNAVAILABLE "unavailable", "Unavailable",
        "this part of the platform is recovering; try again later";
}

/// Every kind of problem: those of the listeners, and the domain's refusals.
pub fn all() -> impl Iterator<Item = Kind> {
    GENERAL.iter().copied().chain(denial::all().copied().map(Kind::from))
}

#[cfg(test)]
mod tests {
    use super::all;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_stands_here_once_with_texts() {
        let mut codes = BTreeSet::new();
        for kind in all() {
            assert!(codes.insert(kind.code), "{} is declared twice", kind.code);
            let is_code = kind.code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'0'..=b'9'));
            assert!(is_code && !kind.title.is_empty() && !kind.detail.is_empty(), "{}", kind.code);
            assert!(kind.status.is_client_error() || kind.status.is_server_error(), "{}", kind.code);
        }
    }
}
