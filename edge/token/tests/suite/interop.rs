//! Against jsonwebtoken as an independent implementation: what we sign it verifies, what it signs we verify.

use crate::common::{ALGORITHMS, AUDIENCE, ISSUER, check, claims, key, token};
use jsonwebtoken::{Algorithm as TheirAlgorithm, DecodingKey, EncodingKey, Header, Validation};
use plinto_token::{Algorithm, SigningKey, TokenError};
use serde_json::Value;

fn theirs(algorithm: Algorithm) -> TheirAlgorithm {
    algorithm.name().parse().unwrap()
}

fn their_signing_key(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::EdDsa => EncodingKey::from_ed_der(&key(algorithm).to_pkcs8().unwrap()),
        Algorithm::Es256 => EncodingKey::from_ec_der(&key(algorithm).to_pkcs8().unwrap()),
        // takes PKCS#1, which is what follows the 26 bytes of PKCS#8 round a 2048 bit key
        Algorithm::Rs256 => EncodingKey::from_rsa_der(&key(algorithm).to_pkcs8().unwrap()[26..]),
    }
}

fn their_header(algorithm: Algorithm) -> Header {
    let mut header = Header::new(theirs(algorithm));
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(algorithm.name().to_owned());
    header
}

#[test]
fn they_verify_what_we_sign() {
    for algorithm in ALGORITHMS {
        let jwk = serde_json::to_value(key(algorithm).public_jwk()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).unwrap();
        let mut validation = Validation::new(theirs(algorithm));
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_exp = false; // its clock is the system's
        let decoded: Value =
            jsonwebtoken::decode(token(algorithm), &DecodingKey::from_jwk(&jwk).unwrap(), &validation)
                .unwrap()
                .claims;
        assert_eq!(decoded, serde_json::to_value(claims()).unwrap(), "{algorithm}");
    }
}

#[test]
fn we_verify_what_they_sign() {
    for algorithm in ALGORITHMS {
        let token =
            jsonwebtoken::encode(&their_header(algorithm), &claims(), &their_signing_key(algorithm)).unwrap();
        assert_eq!(check(&token), Ok(claims()), "{algorithm}");
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    // the classic confusion: HS256 keyed with the bytes everybody can read
    for algorithm in ALGORITHMS {
        let mut header = their_header(algorithm);
        header.alg = TheirAlgorithm::HS256;
        let jwk = serde_json::to_vec(&key(algorithm).public_jwk()).unwrap();
        let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&jwk)).unwrap();
        assert_eq!(check(&token), Err(TokenError::UnsupportedAlgorithm));
    }
}

#[test]
fn their_thumbprint_is_ours() {
    for algorithm in ALGORITHMS {
        let jwk = key(algorithm).public_jwk();
        let same: jsonwebtoken::jwk::Jwk =
            serde_json::from_value(serde_json::to_value(&jwk).unwrap()).unwrap();
        assert_eq!(
            jwk.thumbprint().unwrap(),
            same.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(),
            "{algorithm}"
        );
    }
}

#[test]
fn a_token_of_another_key_of_the_same_kid_is_refused() {
    for algorithm in ALGORITHMS {
        let other = SigningKey::generate(algorithm).unwrap();
        let other = SigningKey::from_pkcs8(algorithm, algorithm.name(), &other.to_pkcs8().unwrap()).unwrap();
        let token = other.sign("at+jwt", &claims()).unwrap();
        assert_eq!(check(&token), Err(TokenError::BadSignature), "{algorithm}");
    }
}
