//! What a relying party is told of a user: in the ID token and by UserInfo (OpenID Connect Core §2 and §5).

use super::authorization::Authorization;
use super::registered::IdTokenAlgorithm;
use super::scope::ScopeSet;
use super::{ACR, Client};
use crate::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};

/// Seconds an ID token is good for: it says who signed in, and is looked at once.
pub const ID_TOKEN_SECONDS: u32 = 3_600;

/// What is known of a user that a relying party may learn. No `Debug`.
#[derive(Clone, Default)]
pub struct UserFacts {
    /// What to call them.
    pub name: Option<String>,
    /// The name they sign in with.
    pub username: Option<String>,
    /// Primary address, and whether it was proved.
    pub email: Option<(String, bool)>,
    /// Phone number; nobody has proved it.
    pub phone: Option<String>,
    /// When any of it last changed.
    pub updated_at: Option<Timestamp>,
}

/// Claims of an ID token. No `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct IdTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    acr: &'static str,
    amr: Vec<String>,
    /// Half a hash of the access token it comes with (§3.1.3.6).
    at_hash: String,
    /// The session, as in logout tokens.
    sid: String,
    #[serde(flatten)]
    user: Map<String, Value>,
}

/// What a relying party learns with its tokens.
pub fn id_token(
    authorization: &Authorization,
    client: &Client,
    access_token: &str,
    facts: &UserFacts,
    issuer: &str,
    now: Timestamp,
) -> IdTokenClaims {
    let (terms, iat) = (&authorization.terms, now.as_seconds());
    let asked = &terms.claims.id_token;
    IdTokenClaims {
        iss: issuer.to_owned(),
        sub: authorization.user.to_string(),
        aud: client.id.to_string(),
        exp: iat + i64::from(ID_TOKEN_SECONDS),
        iat,
        auth_time: terms.authenticated_at.as_seconds(),
        nonce: terms.nonce.clone(),
        acr: ACR,
        amr: terms.amr.clone(),
        at_hash: half_hash(access_token, client.definition.id_token_signed_response_alg),
        sid: authorization.session.to_string(),
        user: claims_of(facts, |name| asked.contains(name)),
    }
}

/// The answer of UserInfo (§5.3.2): what the scopes of the access token and the request ask for.
pub fn user_info(authorization: &Authorization, scope: &ScopeSet, facts: &UserFacts) -> Map<String, Value> {
    let asked = &authorization.terms.claims.userinfo;
    let mut claims = claims_of(facts, |name| asked.contains(name) || is_of_scope(scope, name));
    claims.insert("sub".to_owned(), authorization.user.to_string().into());
    claims
}

/// Claims a scope asks for (§5.4).
fn is_of_scope(scope: &ScopeSet, claim: &str) -> bool {
    let of = match claim {
        "name" | "preferred_username" | "updated_at" => "profile",
        "email" | "email_verified" => "email",
        "phone_number" | "phone_number_verified" => "phone",
        _ => return false,
    };
    scope.contains(of)
}

/// Claims that are wanted, of what is known. What is not known is left out.
fn claims_of(facts: &UserFacts, is_wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let email = facts.email.as_ref();
    let all = [
        ("name", facts.name.as_ref().map(|name| json!(name))),
        ("preferred_username", facts.username.as_ref().map(|name| json!(name))),
        ("updated_at", facts.updated_at.map(|at| json!(at.as_seconds()))),
        ("email", email.map(|(address, _)| json!(address))),
        ("email_verified", email.map(|(_, proved)| json!(proved))),
        ("phone_number", facts.phone.as_ref().map(|phone| json!(phone))),
        ("phone_number_verified", facts.phone.as_ref().map(|_| json!(false))),
    ];
    let wanted = all.into_iter().filter(|(name, _)| is_wanted(name));
    wanted.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The left half of the hash that goes with the algorithm, base64url: SHA-256, or SHA-512 with Ed25519 (RFC 8032 §5.1).
fn half_hash(text: &str, algorithm: IdTokenAlgorithm) -> String {
    match algorithm {
        IdTokenAlgorithm::RS256 | IdTokenAlgorithm::ES256 => {
            URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..16])
        }
        IdTokenAlgorithm::EdDSA => URL_SAFE_NO_PAD.encode(&Sha512::digest(text.as_bytes())[..32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenID Connect Core, appendix A.3: the access token and the hash that goes with it.
    #[test]
    fn the_half_hash_is_that_of_the_standard() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(token, IdTokenAlgorithm::RS256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash(token, IdTokenAlgorithm::EdDSA).len(), 43);
    }

    #[test]
    fn scopes_and_claims_say_what_is_learned() {
        let facts = UserFacts {
            name: Some("Ada".to_owned()),
            email: Some(("ada@example.com".to_owned(), true)),
            phone: Some("+441234567890".to_owned()),
            ..UserFacts::default()
        };
        let scope = ScopeSet::of_parameter("openid email").expect("valid");
        let of = |name: &str| is_of_scope(&scope, name) || name == "phone_number";
        let said = Value::Object(claims_of(&facts, of));
        let expected =
            json!({ "email": "ada@example.com", "email_verified": true, "phone_number": "+441234567890" });
        assert_eq!(said, expected);
    }
}
