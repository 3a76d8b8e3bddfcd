//! A request a client has signed (RFC 9101): what is in it counts, and nothing beside it.

use super::client_assertion::{is_meant_for, time};
use super::error::{OAuthCode, OAuthError};
use super::parameters::Parameters;
use crate::id::ClientId;
use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// Types a request object may have; none at all is usual (RFC 9101 §10.8).
pub const REQUEST_OBJECT_TYPES: [&str; 2] = ["oauth-authz-req+jwt", "JWT"];
/// Difference of clocks that is forgiven.
const LEEWAY: Duration = Duration::from_secs(30);
/// Claims that are of the JWT and no parameters.
const OF_THE_JWT: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// What is said of a request object, whatever is wrong with it.
pub const BAD_REQUEST_OBJECT: OAuthError = OAuthError::new(
    OAuthCode::InvalidRequestObject,
    "the request object is a JWT signed with a key of the client, with client_id, iss of the client, aud of the issuer, not expired and without sub",
);

/// The parameters of a request object whose signature was verified.
pub fn parameters_of_object(
    claims: Map<String, Value>,
    client: ClientId,
    issuer: &str,
    now: Timestamp,
) -> Result<Parameters, OAuthError> {
    let id = client.to_string();
    let says = |name: &str| claims.get(name).map(|value| value.as_str() == Some(&id));
    // A JWT that says who the client is, sent as a request, or the other way round (RFC 9101 §10.8.1).
    let is_the_clients =
        says("client_id") == Some(true) && says("iss") != Some(false) && !claims.contains_key("sub");
    let is_for_us = !claims.contains_key("aud") || is_meant_for(&claims, &[issuer.to_owned()]);
    let is_in_time = ["exp", "nbf"].iter().all(|name| match (claims.get(*name), time(&claims, name)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(at)) if *name == "exp" => now < at.plus(LEEWAY),
        (Some(_), Some(at)) => at <= now.plus(LEEWAY),
    });
    if !is_the_clients || !is_for_us || !is_in_time {
        return Err(BAD_REQUEST_OBJECT);
    }
    let parameters = claims.into_iter().filter(|(name, _)| !OF_THE_JWT.contains(&name.as_str()));
    let pairs = parameters
        .flat_map(|(name, value)| values(value).into_iter().map(move |value| (name.clone(), value)));
    Parameters::of(pairs).ok_or(BAD_REQUEST_OBJECT)
}

/// A parameter's values as texts: members that are no texts are JSON (RFC 9101 §4).
fn values(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(several) => several.into_iter().flat_map(values).collect(),
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const ISSUER: &str = "https://id.example.com/t/acme";

    fn read(change: Value) -> Result<Parameters, OAuthError> {
        let client = ClientId::from_uuid(Uuid::from_u128(7));
        let id = client.to_string();
        let mut claims =
            json!({ "iss": id, "client_id": id, "aud": ISSUER, "exp": 1_800_000_060, "scope": "openid" });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        parameters_of_object(claims.as_object().expect("an object").clone(), client, ISSUER, NOW)
    }

    #[test]
    fn members_are_parameters() {
        let members = json!({ "max_age": 10, "claims": { "userinfo": {} }, "resource": ["https://a.example/", "https://b.example/"] });
        let parameters = read(members).expect("good");
        assert_eq!(parameters.one("scope"), Ok(Some("openid")));
        assert_eq!(parameters.one("max_age"), Ok(Some("10")));
        assert_eq!(parameters.one("claims"), Ok(Some(r#"{"userinfo":{}}"#)));
        assert_eq!(parameters.all("resource").count(), 2);
        assert_eq!(parameters.one("aud"), Ok(None));
    }

    /// Request object substitution, and JWTs of another kind (RFC 9101 §10.8).
    #[test]
    fn what_is_anothers_or_for_another_is_refused() {
        for bad in [
            json!({ "client_id": "cli_other" }),
            json!({ "client_id": null }),
            json!({ "iss": "cli_other" }),
            json!({ "aud": "https://id.example.com/t/other" }),
            json!({ "exp": 1_799_999_970 }),
            json!({ "nbf": 1_800_000_031 }),
            json!({ "exp": "x" }),
            json!({ "sub": "cli_00000000000000000000000000000007" }),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
