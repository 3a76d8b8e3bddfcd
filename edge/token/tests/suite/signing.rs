//! The issuer's side.

use plinto_token::{ACCESS_TOKEN_TYPE, Algorithm, Expectations, KeySet, SignError, SigningKey, verify};
use serde_json::json;

use crate::common::{ALGORITHMS, RSA_PKCS8, claims, expectations, key};

#[test]
fn a_generated_key_is_named_by_its_thumbprint_and_survives_sealing() {
    for algorithm in ALGORITHMS {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.kid(), key.public_jwk().thumbprint().unwrap());
        let sealed = key.to_pkcs8().unwrap();
        let back = SigningKey::from_pkcs8(algorithm, key.kid(), &sealed).unwrap();
        assert_eq!(back.public_jwk(), key.public_jwk());
        let mut set = KeySet::new();
        set.insert(key.verifying_key().clone()).unwrap();
        let token = back.sign(ACCESS_TOKEN_TYPE, &claims()).unwrap();
        assert_eq!(verify(&token, &set, &expectations()), Ok(claims()), "{algorithm}");
    }
}

#[test]
fn a_private_key_of_another_algorithm_or_none_is_refused() {
    for algorithm in ALGORITHMS {
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            let pkcs8 = key(other).to_pkcs8().unwrap();
            let refused = SigningKey::from_pkcs8(algorithm, "k", &pkcs8);
            assert!(matches!(refused, Err(SignError::PrivateKey(which)) if which == algorithm));
        }
        for junk in [&b""[..], b"0", &[0x30; 64]] {
            assert!(matches!(SigningKey::from_pkcs8(algorithm, "k", junk), Err(SignError::PrivateKey(_))));
        }
    }
    for kid in ["", &"k".repeat(129)] {
        assert!(matches!(SigningKey::from_pkcs8(Algorithm::Rs256, kid, RSA_PKCS8), Err(SignError::Key(_))));
    }
}

#[test]
fn tokens_no_verifier_would_read_are_not_signed() {
    let mut claims = claims();
    claims.extra.insert("pad".to_owned(), json!("x".repeat(7000)));
    assert!(
        matches!(key(Algorithm::EdDsa).sign("at+jwt", &claims), Err(SignError::TooLarge(size)) if size > 8192)
    );
}

#[test]
fn a_registered_claim_among_the_extra_ones_is_refused() {
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "client_id",
        "sid",
        "scope",
        "auth_time",
        "acr",
        "amr",
    ] {
        let mut claims = claims();
        claims.extra.insert(name.to_owned(), json!("twice"));
        let error = key(Algorithm::EdDsa).sign("at+jwt", &claims).unwrap_err();
        assert!(matches!(error, SignError::Claims(_)) && format!("{error}").contains(name), "{error}");
    }
}

#[test]
fn one_audience_is_written_as_a_string_and_absent_claims_not_at_all() {
    let mut claims = claims();
    (claims.sid, claims.scope, claims.auth_time, claims.amr) = (None, None, None, Vec::new());
    assert_eq!(
        serde_json::to_string(&claims).unwrap(),
        r#"{"iss":"https://id.example/t/demo","sub":"usr_1","aud":"https://api.example","exp":1790000600,"iat":1790000000,"jti":"tok_1","client_id":"web"}"#
    );
    claims.aud.push("b".to_owned());
    assert_eq!(serde_json::to_value(&claims).unwrap()["aud"], json!(["https://api.example", "b"]));
}

#[test]
fn debug_output_tells_no_secret() {
    let signing = format!("{:?}", key(Algorithm::EdDsa));
    assert_eq!(signing, r#"SigningKey { kid: "EdDSA", alg: EdDsa, .. }"#);
    let mut claims = claims();
    claims.extra.insert("email".to_owned(), json!("alice@example.com"));
    let shown = format!("{claims:?}");
    for personal in ["usr_1", "ses_1", "tok_1", "alice"] {
        assert!(!shown.contains(personal), "{shown}");
    }
}

#[test]
fn other_token_types_can_be_signed_and_expected() {
    let token = key(Algorithm::EdDsa).sign("mfa+jwt", &claims()).unwrap();
    let mut set = KeySet::new();
    set.insert(key(Algorithm::EdDsa).verifying_key().clone()).unwrap();
    let expect = Expectations { typ: "mfa+jwt", ..expectations() };
    assert!(verify(&token, &set, &expect).is_ok());
    assert_eq!(verify(&token, &set, &expectations()).unwrap_err().code(), "token_wrong_type");
}
