//! Fixed keys, one good set of claims, and tokens made by hand.

use std::sync::LazyLock;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinto_token::{
    ACCESS_TOKEN_TYPE, Algorithm, Claims, Expectations, KeySet, SigningKey, TokenError, verify,
};
use serde_json::{Map, Value, json};

pub(crate) const ISSUER: &str = "https://id.example/t/demo";
pub(crate) const AUDIENCE: &str = "https://api.example";
/// Issued at this second; [`claims`] expire 600 seconds later.
pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];

pub(crate) const ED25519_PKCS8: &[u8] = include_bytes!("../keys/ed25519.pk8");
pub(crate) const P256_PKCS8: &[u8] = include_bytes!("../keys/p256.pk8");
pub(crate) const RSA_PKCS8: &[u8] = include_bytes!("../keys/rsa2048.pk8");

/// The signing key of an algorithm; its kid is the algorithm's name.
pub(crate) fn key(algorithm: Algorithm) -> &'static SigningKey {
    static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| {
        [(Algorithm::EdDsa, ED25519_PKCS8), (Algorithm::Es256, P256_PKCS8), (Algorithm::Rs256, RSA_PKCS8)]
            .map(|(algorithm, pkcs8)| SigningKey::from_pkcs8(algorithm, algorithm.name(), pkcs8).unwrap())
    });
    KEYS.iter().find(|key| key.algorithm() == algorithm).unwrap()
}

/// The public parts of all keys.
pub(crate) fn keys() -> &'static KeySet {
    static SET: LazyLock<KeySet> = LazyLock::new(|| {
        let mut set = KeySet::new();
        for algorithm in ALGORITHMS {
            set.insert(key(algorithm).verifying_key().clone()).unwrap();
        }
        set
    });
    &SET
}

pub(crate) fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        sub: "usr_1".to_owned(),
        aud: vec![AUDIENCE.to_owned()],
        exp: NOW + 600,
        iat: NOW,
        nbf: None,
        jti: "tok_1".to_owned(),
        client_id: "web".to_owned(),
        sid: Some("ses_1".to_owned()),
        scope: Some("openid profile".to_owned()),
        auth_time: Some(NOW - 5),
        acr: None,
        amr: vec!["pwd".to_owned()],
        extra: Map::new(),
    }
}

pub(crate) fn expectations() -> Expectations<'static> {
    Expectations { issuer: ISSUER, audience: Some(AUDIENCE), now: NOW + 1, leeway: 0, typ: ACCESS_TOKEN_TYPE }
}

pub(crate) fn token(algorithm: Algorithm) -> String {
    key(algorithm).sign(ACCESS_TOKEN_TYPE, &claims()).unwrap()
}

pub(crate) fn check(token: &str) -> Result<Claims, TokenError> {
    verify(token, keys(), &expectations())
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A token of any header and payload bytes with a good Ed25519 signature over them.
pub(crate) fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let pair = Ed25519KeyPair::from_pkcs8(ED25519_PKCS8).unwrap();
    format!("{input}.{}", encode(pair.sign(input.as_bytes())))
}

pub(crate) const HEADER: &str = r#"{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt"}"#;

/// The good payload with members replaced, added, or removed where the value is null.
pub(crate) fn payload(changes: Value) -> String {
    let mut payload = serde_json::to_value(claims()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => payload.as_object_mut().unwrap().remove(name),
            value => payload.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    payload.to_string()
}

/// A well-signed token with the payload of [`payload`].
pub(crate) fn with_claims(changes: Value) -> String {
    signed(HEADER, payload(changes))
}

/// The good header with members replaced, added, or removed where the value is null; well signed.
pub(crate) fn with_header(changes: Value) -> String {
    let mut header = json!({"alg": "EdDSA", "kid": "EdDSA", "typ": "at+jwt"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => header.as_object_mut().unwrap().remove(name),
            value => header.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    signed(header.to_string(), payload(json!({})))
}
