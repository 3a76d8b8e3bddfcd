//! Who a client is, signed with its own key (RFC 7521, RFC 7523 §3, OpenID Connect Core §9 `private_key_jwt`).

use super::error::{OAuthCode, OAuthError};
use super::used_proof::{Proof, proof_of};
use crate::id::ClientId;
use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// The only `client_assertion_type` there is.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far in the future an assertion may expire: for so long it is remembered that it was used.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Difference of clocks that is forgiven.
const LEEWAY: Duration = Duration::from_secs(30);

const REFUSED: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "the client assertion needs iss and sub of the client, aud of the issuer, exp within an hour and a jti that is used once",
);

/// What was presented, if it says what it must. `audiences` are the names of whom it may be meant for.
pub fn check_assertion(
    claims: &Map<String, Value>,
    client: ClientId,
    audiences: &[String],
    now: Timestamp,
) -> Result<Proof, OAuthError> {
    let is_the_clients = ["iss", "sub"]
        .iter()
        .all(|name| claims.get(*name).and_then(Value::as_str) == Some(&client.to_string()));
    if !is_the_clients || !is_meant_for(claims, audiences) {
        return Err(REFUSED);
    }
    let expires_at = time(claims, "exp").ok_or(REFUSED)?;
    let in_time = now < expires_at.plus(LEEWAY) && expires_at <= now.plus(LONGEST + LEEWAY);
    let has_begun = ["nbf", "iat"].iter().all(|name| match claims.get(*name) {
        None => true,
        Some(_) => time(claims, name).is_some_and(|begin| begin <= now.plus(LEEWAY)),
    });
    if !in_time || !has_begun {
        return Err(REFUSED);
    }
    proof_of("client-assertion", &client.to_string(), claims, expires_at.plus(LEEWAY)).ok_or(REFUSED)
}

/// Whether `aud` names one of these, alone or among others (RFC 7519 §4.1.3).
pub(super) fn is_meant_for(claims: &Map<String, Value>, audiences: &[String]) -> bool {
    let is_one =
        |audience: &Value| audience.as_str().is_some_and(|text| audiences.iter().any(|one| one == text));
    match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(is_one),
        Some(one) => is_one(one),
        None => false,
    }
}

/// A NumericDate; a fraction is cut off.
pub(super) fn time(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    const LATEST: f64 = 253_402_300_799.0;
    let seconds = claims.get(name)?.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range of dates")]
    Some(Timestamp::from_millis(seconds as i64 * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const ISSUER: &str = "https://id.example.com/t/acme";

    fn check(change: Value) -> Result<Proof, OAuthError> {
        let client = ClientId::from_uuid(Uuid::from_u128(7));
        let id = client.to_string();
        let mut claims = json!({ "iss": id, "sub": id, "aud": ISSUER, "exp": 1_800_000_060, "jti": "1" });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let claims = claims.as_object().expect("an object").clone();
        let kept = claims.into_iter().filter(|(_, value)| !value.is_null()).collect();
        check_assertion(&kept, client, &[ISSUER.to_owned(), format!("{ISSUER}/oauth2/token")], NOW)
    }

    #[test]
    fn an_assertion_says_who_for_whom_until_when_and_once() {
        let proof = check(json!({})).expect("good");
        assert!(proof.text().starts_with(b"client-assertion\n") && proof.expires_at > NOW);
        for good in [
            json!({ "aud": [ISSUER, "https://other.example"] }),
            json!({ "aud": format!("{ISSUER}/oauth2/token") }),
            json!({ "iat": 1_800_000_000, "nbf": 1_800_000_020.5 }),
            json!({ "exp": 1_799_999_980 }),
        ] {
            assert!(check(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!({ "iss": "cli_other" }),
            json!({ "sub": null }),
            json!({ "aud": "https://id.example.com/t/other" }),
            json!({ "aud": null }),
            json!({ "aud": [] }),
            json!({ "exp": null }),
            json!({ "exp": 1_799_999_970 }),
            json!({ "exp": 1_800_003_700 }),
            json!({ "exp": "1800000060" }),
            json!({ "exp": -1 }),
            json!({ "iat": 1_800_000_100 }),
            json!({ "nbf": "soon" }),
            json!({ "jti": null }),
            json!({ "jti": "" }),
            json!({ "jti": "x".repeat(257) }),
            json!({ "jti": 1 }),
        ] {
            assert!(check(bad.clone()).is_err(), "{bad}");
        }
    }
}
