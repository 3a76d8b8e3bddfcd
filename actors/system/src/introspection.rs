//! Token introspection (RFC 7662): what a resource server is told about a token.

use bytes::Bytes;
use plinto_domain::Timestamp;
use plinto_domain::access_token::{FIRST_PARTY_CLIENT, ORGANIZATION, ORGANIZATION_ROLE, ORGANIZATION_SLUG};
use plinto_domain::session::Session;
use plinto_token::Claims;
use serde_json::{Map, Value, json};

/// The answer about a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Introspection {
    /// Not usable here, for whatever reason; the reason is not told (RFC 7662 §2.2).
    Inactive,
    /// Usable; the JSON object to answer with.
    Active(Bytes),
}

impl Introspection {
    /// The answer's JSON text; nothing is copied.
    pub fn into_json(self) -> Bytes {
        match self {
            Self::Inactive => Bytes::from_static(br#"{"active":false}"#),
            Self::Active(json) => json,
        }
    }

    /// Whether the token is usable.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }
}

impl std::fmt::Debug for Introspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_active() { "Active(redacted)" } else { "Inactive" })
    }
}

/// The answer about a usable access token.
pub(crate) fn active_access_token(claims: &Claims) -> String {
    let mut answer = Map::new();
    answer.insert("active".into(), json!(true));
    let bound = claims.extra.get("cnf");
    answer.insert("token_type".into(), json!(if bound.is_some() { "DPoP" } else { "Bearer" }));
    answer.insert("iss".into(), json!(claims.iss));
    answer.insert("sub".into(), json!(claims.sub));
    answer.insert("aud".into(), json!(claims.aud));
    answer.insert("client_id".into(), json!(claims.client_id));
    answer.insert("exp".into(), json!(claims.exp));
    answer.insert("iat".into(), json!(claims.iat));
    answer.insert("jti".into(), json!(claims.jti));
    answer.insert("amr".into(), json!(claims.amr));
    let optional = [
        ("sid", claims.sid.as_ref().map(|sid| json!(sid))),
        ("scope", claims.scope.as_ref().map(|scope| json!(scope))),
        ("nbf", claims.nbf.map(|nbf| json!(nbf))),
        ("auth_time", claims.auth_time.map(|time| json!(time))),
        ("acr", claims.acr.as_ref().map(|acr| json!(acr))),
        ("cnf", bound.cloned()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            answer.insert(name.into(), value);
        }
    }
    for name in [ORGANIZATION, ORGANIZATION_SLUG, ORGANIZATION_ROLE] {
        if let Some(value) = claims.extra.get(name) {
            answer.insert(name.into(), value.clone());
        }
    }
    Value::Object(answer).to_string()
}

/// The answer about a usable refresh token.
pub(crate) fn active_refresh_token(issuer: &str, session: &Session, now: Timestamp) -> Introspection {
    let end: Timestamp = session.expires_at.min(session.idle_expires_at);
    let mut answer = json!({
        "active": true,
        "token_type": "refresh_token",
        "iss": issuer,
        "sub": session.user,
        "client_id": FIRST_PARTY_CLIENT,
        "sid": session.id,
        "exp": end.as_seconds(),
        "auth_time": session.authenticated_at.as_seconds(),
        "amr": session.amr,
    });
    if let Some(active) = session.active_at(now) {
        answer[ORGANIZATION] = json!(active.id);
        answer[ORGANIZATION_ROLE] = json!(active.role.as_str());
    }
    Introspection::Active(answer.to_string().into())
}
