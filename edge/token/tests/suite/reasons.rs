//! The words other programs depend on.

use std::collections::BTreeSet;

use plinto_token::{Algorithm, Part, TokenError};
use serde_json::json;

use crate::common::ALGORITHMS;

#[test]
fn reason_codes_are_stable_and_distinct() {
    let codes = [
        (TokenError::TooLarge, "token_too_large"),
        (TokenError::Malformed(Part::Structure), "token_malformed"),
        (TokenError::CriticalHeader, "token_critical_header"),
        (TokenError::KeyInHeader("jwk"), "token_key_in_header"),
        (TokenError::UnsupportedAlgorithm, "token_unsupported_algorithm"),
        (TokenError::MissingHeader("kid"), "token_missing_header"),
        (TokenError::WrongType, "token_wrong_type"),
        (TokenError::UnknownKey, "token_unknown_key"),
        (TokenError::AlgorithmMismatch, "token_algorithm_mismatch"),
        (TokenError::BadSignature, "token_bad_signature"),
        (TokenError::MissingClaim("sub"), "token_missing_claim"),
        (TokenError::WrongIssuer, "token_wrong_issuer"),
        (TokenError::WrongAudience, "token_wrong_audience"),
        (TokenError::Expired, "token_expired"),
        (TokenError::NotYetValid, "token_not_yet_valid"),
    ];
    for (error, code) in codes {
        assert_eq!(error.code(), code);
    }
    assert_eq!(codes.iter().map(|(_, code)| code).collect::<BTreeSet<_>>().len(), codes.len());
    for part in [Part::Structure, Part::Encoding, Part::Header, Part::Payload, Part::Times] {
        assert_eq!(TokenError::Malformed(part).code(), "token_malformed");
    }
}

#[test]
fn algorithm_names_are_those_of_jose() {
    assert_eq!(json!(ALGORITHMS), json!(["EdDSA", "ES256", "RS256"]));
    for algorithm in ALGORITHMS {
        assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        assert_eq!(serde_json::from_value::<Algorithm>(json!(algorithm.name())).unwrap(), algorithm);
        assert_eq!(algorithm.to_string(), algorithm.name());
    }
    assert!(serde_json::from_value::<Algorithm>(json!("none")).is_err());
    assert_eq!(Algorithm::from_name("es256"), None);
}
