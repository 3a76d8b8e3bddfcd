//! What clients sign: assertions, requests, proofs of possession.

use plinto_token::{Algorithm, ClientJws, Jwk, KeySet, SigningKey, TokenError, VerifyingKey};
use proptest::prelude::*;
use serde_json::json;

/// RFC 9449, figures 2 and 4: a proof and the thumbprint of its key.
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn keys(keys: &[&SigningKey]) -> KeySet {
    let mut set = KeySet::new();
    for key in keys {
        set.insert(key.verifying_key().clone()).expect("another kid");
    }
    set
}

#[test]
fn the_proof_of_the_standard_is_verified() {
    let jws = ClientJws::parse_proof(PROOF).expect("well formed");
    assert!(jws.is_of_type("dpop+jwt") && jws.algorithm() == Algorithm::Es256);
    let (claims, thumbprint) = jws.verify_proof().expect("signed");
    assert_eq!((claims["htm"].as_str(), thumbprint.as_str()), (Some("POST"), THUMBPRINT));
    let mut tampered = PROOF.to_owned();
    tampered.replace_range(PROOF.len() - 10..PROOF.len() - 9, "A");
    assert_eq!(
        ClientJws::parse_proof(&tampered).expect("well formed").verify_proof(),
        Err(TokenError::BadSignature)
    );
    // Key confusion: a key in the header is of use where that is what it is for, and nowhere else.
    assert_eq!(ClientJws::parse(PROOF).expect_err("brings a key"), TokenError::KeyInHeader("jwk"));
}

#[test]
fn an_assertion_is_verified_by_the_key_it_names_or_any_of_its_algorithm() {
    let (a, b) = (SigningKey::generate(Algorithm::Es256), SigningKey::generate(Algorithm::Es256));
    let (a, b) = (a.expect("a key"), b.expect("a key"));
    let signed = a.sign("JWT", &json!({ "iss": "x" })).expect("signed");
    let jws = ClientJws::parse(&signed).expect("well formed");
    assert_eq!(jws.verify(&keys(&[&b, &a])).expect("signed")["iss"], "x");
    assert_eq!(jws.verify(&keys(&[&b])), Err(TokenError::UnknownKey));
    assert_eq!(jws.verify(&KeySet::new()), Err(TokenError::UnknownKey));
    assert_eq!(ClientJws::parse_proof(&signed).expect_err("no key"), TokenError::MissingHeader("jwk"));
    // Another client's key under the same kid.
    let jwk = Jwk { kid: Some(a.kid().to_owned()), ..b.public_jwk() };
    let mut forged = KeySet::new();
    forged.insert(VerifyingKey::from_jwk(&jwk).expect("a key")).expect("one");
    assert_eq!(jws.verify(&forged), Err(TokenError::BadSignature));
    let other = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    assert_eq!(jws.verify(&keys(&[&other])), Err(TokenError::UnknownKey), "of another algorithm");
}

#[test]
fn a_proof_is_made_as_it_is_verified() {
    let key = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let proof = key.sign_proof("dpop+jwt", &json!({ "jti": "1" })).expect("signed");
    let (claims, thumbprint) =
        ClientJws::parse_proof(&proof).expect("well formed").verify_proof().expect("signed");
    assert_eq!((claims["jti"].as_str(), thumbprint.as_str()), (Some("1"), key.kid()));
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,200}", payload in "\\PC{0,60}") {
        let _ = ClientJws::parse(&text);
        let _ = ClientJws::parse_proof(&text);
        let mut parts: Vec<&str> = PROOF.split('.').collect();
        parts[1] = &payload;
        if let Ok(jws) = ClientJws::parse_proof(&parts.join(".")) {
            let _ = jws.verify_proof();
        }
    }
}
