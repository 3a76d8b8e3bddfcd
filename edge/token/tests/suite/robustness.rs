//! Any input: never a panic, never accepted unless it is byte for byte what was signed.

use plinto_token::{ACCESS_TOKEN_TYPE, Algorithm, Claims, Jwks, KeySet, TokenError};
use proptest::prelude::*;

use crate::common::{ALGORITHMS, HEADER, NOW, check, claims, encode, key, payload, signed, token};

/// Bytes that are likely to be JSON of the right shape with something wrong.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let good = payload(serde_json::json!({})).into_bytes();
    prop_oneof![
        any::<Vec<u8>>(),
        "\\PC{0,64}".prop_map(String::into_bytes),
        r#"\{("(alg|kid|typ|crit|exp|iat|aud|sub)":("[a-zA-Z+]{0,6}"|[0-9eE.+-]{1,12}|\[\]|null|\{\}),?){0,6}\}"#
            .prop_map(String::into_bytes),
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(index, byte)| {
            let mut mutated = good.clone();
            let index = index.index(mutated.len());
            mutated[index] = byte;
            mutated
        }),
    ]
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(ALGORITHMS.to_vec())
}

proptest! {
    #[test]
    fn arbitrary_text_is_refused(text in "\\PC*") {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn arbitrary_parts_are_refused(header in nearly_json(), payload in nearly_json(), signature: Vec<u8>) {
        let token = format!("{}.{}.{}", encode(header), encode(payload), encode(signature));
        prop_assert!(check(&token).is_err());
    }

    #[test]
    fn well_signed_nonsense_is_refused_after_its_signature(payload in nearly_json()) {
        let token = signed(HEADER, &payload);
        match check(&token) {
            Ok(claims) => {
                prop_assert!(claims.iat <= NOW + 1 && claims.exp > NOW + 1);
                let same: serde_json::Value = serde_json::from_slice(&payload).unwrap();
                prop_assert_eq!(&same["sub"], &serde_json::json!(claims.sub));
            }
            Err(error) => prop_assert_ne!(error, TokenError::BadSignature),
        }
    }

    #[test]
    fn a_changed_character_is_refused(algorithm in algorithm(), index: prop::sample::Index, other in "[A-Za-z0-9_.=-]") {
        let good = token(algorithm);
        let index = index.index(good.len());
        let mut bad = good.clone();
        bad.replace_range(index..=index, &other);
        prop_assume!(bad != good);
        prop_assert!(check(&bad).is_err(), "{}", bad);
    }

    #[test]
    fn a_cut_or_grown_token_is_refused(algorithm in algorithm(), index: prop::sample::Index, more in "[A-Za-z0-9_.-]{1,8}") {
        let good = token(algorithm);
        let index = index.index(good.len());
        prop_assert!(check(&good[..index]).is_err());
        let grown = format!("{}{more}{}", &good[..index], &good[index..]);
        prop_assume!(grown != good);
        prop_assert!(check(&grown).is_err(), "{}", grown);
    }

    #[test]
    fn parts_of_different_tokens_do_not_mix(one in algorithm(), other in algorithm(), part in 1_usize..3) {
        let one = token(one);
        let other = key(other).sign(ACCESS_TOKEN_TYPE, &Claims { sub: "usr_2".to_owned(), ..claims() }).unwrap();
        let mut parts: Vec<&str> = one.split('.').collect();
        parts[part] = other.split('.').nth(part).unwrap();
        prop_assert_eq!(check(&parts.join(".")), Err(TokenError::BadSignature));
    }

    #[test]
    fn any_times_are_judged_without_overflow(now: i64, leeway: i64, exp: i64, iat: i64, nbf: Option<i64>) {
        let mut claims = claims();
        (claims.exp, claims.iat, claims.nbf) = (exp, iat, nbf);
        let mut expect = crate::common::expectations();
        (expect.now, expect.leeway) = (now, leeway);
        let leeway = i128::from(leeway.max(0));
        let (now, exp, iat) = (i128::from(now), i128::from(exp), i128::from(iat));
        // sums beyond i64 saturate, which only matters where no token's time can be
        let early = (now - leeway).max(i128::from(i64::MIN));
        let late = (now + leeway).min(i128::from(i64::MAX));
        let valid = early < exp && iat <= late && nbf.is_none_or(|nbf| i128::from(nbf) <= late);
        prop_assert_eq!(plinto_token::check_times(&claims, &expect).is_ok(), valid);
    }

    #[test]
    fn arbitrary_key_sets_never_panic(text in r#"\{"keys":\[(\{("(kty|crv|x|y|n|e|kid|alg|use)":"(OKP|EC|RSA|Ed25519|P-256|AQAB|sig|[A-Za-z0-9_-]{43})",?){0,8}\},?){0,2}\]\}"#) {
        if let Ok(jwks) = serde_json::from_str::<Jwks>(&text) && let Ok(set) = KeySet::from_jwks(&jwks) {
            prop_assert!(set.len() <= jwks.keys.len());
        }
    }
}
