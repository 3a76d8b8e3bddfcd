//! Demonstrating Proof of Possession (RFC 9449): whoever presents a token has the key it was given to.

use super::client_assertion::time;
use super::error::{OAuthCode, OAuthError};
use super::used_proof::{Proof, proof_of};
use crate::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

/// `typ` of a proof (§4.2).
pub const DPOP_TYPE: &str = "dpop+jwt";
/// How old a proof may be.
const OLDEST: Duration = Duration::from_secs(60);
/// Difference of clocks that is forgiven.
const LEEWAY: Duration = Duration::from_secs(30);

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthCode::InvalidDpopProof, description)
}

/// No proof came, and one is needed.
pub const PROOF_NEEDED: OAuthError =
    refused("send a DPoP proof: this client's tokens are bound to its key (RFC 9449)");
/// More than one proof came, or one that is none.
pub const PROOF_MALFORMED: OAuthError = refused(
    "the DPoP header is one JWT of typ dpop+jwt, signed with the public key in its header (RFC 9449 section 4.2)",
);
/// The proof was used before.
pub const PROOF_REPLAYED: OAuthError = refused("this DPoP proof was used before; make one for each request");
/// The proof is of another key than the token.
pub const PROOF_OF_ANOTHER_KEY: OAuthError =
    refused("the DPoP proof is of another key than what it comes with");
const WRONG_REQUEST: OAuthError =
    refused("htm and htu of the DPoP proof must be method and URL of this request");
const WRONG_TIME: OAuthError = refused("iat of the DPoP proof must be within the last minute");
const NO_JTI: OAuthError = refused("the DPoP proof needs a jti of at most 256 bytes");
const WRONG_TOKEN: OAuthError = refused("ath of the DPoP proof must be the hash of the access token");

/// The request a proof came with.
#[derive(Clone, Copy)]
pub struct ProvedRequest<'r> {
    /// Its method.
    pub method: &'r str,
    /// Its URL, as clients know it.
    pub url: &'r str,
    /// The access token that came with it, where one did.
    pub access_token: Option<&'r str>,
}

/// What was presented, if it is for this very request (§4.3). The signature was verified, with the key of this thumbprint.
pub fn check_dpop(
    claims: &Map<String, Value>,
    thumbprint: &str,
    request: ProvedRequest<'_>,
    now: Timestamp,
) -> Result<Proof, OAuthError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_this_url = text("htu").is_some_and(|htu| without_query(htu) == without_query(request.url));
    if text("htm") != Some(request.method) || !is_this_url {
        return Err(WRONG_REQUEST);
    }
    let made_at = time(claims, "iat").ok_or(WRONG_TIME)?;
    if made_at > now.plus(LEEWAY) || now > made_at.plus(OLDEST + LEEWAY) {
        return Err(WRONG_TIME);
    }
    if let Some(token) = request.access_token {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
        if text("ath") != Some(&hash) {
            return Err(WRONG_TOKEN);
        }
    }
    let end = made_at.plus(OLDEST + LEEWAY);
    proof_of("dpop", thumbprint, claims, end).ok_or(NO_JTI)
}

/// A URL without query and fragment, in the one form that is compared (§4.3, RFC 3986 §6.2.2); none equals nothing.
fn without_query(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const URL: &str = "https://id.example.com/t/acme/oauth2/token";

    fn check(change: Value, access_token: Option<&str>) -> Result<Proof, OAuthError> {
        let mut claims = json!({ "htm": "POST", "htu": URL, "iat": 1_800_000_000, "jti": "1" });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let claims = claims.as_object().expect("an object").clone();
        check_dpop(&claims, "key", ProvedRequest { method: "POST", url: URL, access_token }, NOW)
    }

    #[test]
    fn a_proof_is_for_one_request_at_one_time() {
        let proof = check(json!({}), None).expect("good");
        assert_eq!((proof.text(), proof.expires_at), (&b"dpop\nkey\n1"[..], NOW.plus(OLDEST + LEEWAY)));
        for good in [
            json!({ "htu": format!("{URL}?x=1#y") }),
            json!({ "htu": "HTTPS://ID.example.com:443/t/acme/oauth2/token" }),
            json!({ "iat": 1_799_999_910 }),
            json!({ "iat": 1_800_000_030 }),
        ] {
            assert!(check(good.clone(), None).is_ok(), "{good}");
        }
        for bad in [
            json!({ "htm": "GET" }),
            json!({ "htm": "post" }),
            json!({ "htu": "https://id.example.com/t/other/oauth2/token" }),
            json!({ "htu": "http://id.example.com/t/acme/oauth2/token" }),
            json!({ "htu": "nonsense" }),
            json!({ "htu": null }),
            json!({ "iat": 1_799_999_909 }),
            json!({ "iat": 1_800_000_031 }),
            json!({ "iat": null }),
            json!({ "jti": null }),
        ] {
            assert!(check(bad.clone(), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn with_a_token_it_has_the_tokens_hash() {
        // RFC 9449 §7.1: the token and the hash of figure 13.
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        let ath = json!({ "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" });
        assert!(check(ath.clone(), Some(token)).is_ok());
        assert!(check(ath, Some("another")).is_err() && check(json!({}), Some(token)).is_err());
    }
}
