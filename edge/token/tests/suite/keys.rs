//! Which public keys are taken.

use plinto_token::{Algorithm, Jwk, Jwks, KeyError, KeySet, VerifyingKey};
use serde_json::{Value, json};

use crate::common::{ALGORITHMS, encode, key, keys};

fn good(algorithm: Algorithm) -> Value {
    serde_json::to_value(key(algorithm).public_jwk()).unwrap()
}

/// The good key with members replaced, added, or removed where the value is null.
fn changed(algorithm: Algorithm, changes: Value) -> Result<VerifyingKey, KeyError> {
    let mut jwk = good(algorithm);
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => jwk.as_object_mut().unwrap().remove(name),
            value => jwk.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    VerifyingKey::from_jwk(&serde_json::from_value::<Jwk>(jwk).unwrap())
}

fn refused(algorithm: Algorithm, changes: Value) -> KeyError {
    let shown = changes.to_string();
    changed(algorithm, changes).err().unwrap_or_else(|| panic!("{algorithm} key taken with {shown}"))
}

#[test]
fn good_keys_are_taken_and_published_unchanged() {
    for algorithm in ALGORITHMS {
        let key = changed(algorithm, json!({})).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.kid(), algorithm.name());
        assert_eq!(serde_json::to_value(key.to_jwk()).unwrap(), good(algorithm));
        assert!(changed(algorithm, json!({"alg": null, "use": null})).is_ok(), "both are optional");
        assert!(changed(algorithm, json!({"key_ops": ["verify"], "x5t": "ignored"})).is_ok());
    }
}

#[test]
fn the_kid_is_required_and_bounded() {
    for kid in [json!(null), json!(""), json!("k".repeat(129))] {
        assert_eq!(refused(Algorithm::EdDsa, json!({"kid": kid})), KeyError::InvalidKid);
    }
    assert!(changed(Algorithm::EdDsa, json!({"kid": "k".repeat(128)})).is_ok());
}

#[test]
fn use_and_operations_must_be_for_verifying() {
    for changes in [
        json!({"use": "enc"}),
        json!({"use": "SIG"}),
        json!({"key_ops": []}),
        json!({"key_ops": ["sign"]}),
        json!({"key_ops": ["verify", "sign"]}),
        json!({"key_ops": ["verify", "verify"]}),
        json!({"use": "enc", "key_ops": ["verify"]}),
    ] {
        for algorithm in ALGORITHMS {
            assert_eq!(refused(algorithm, changes.clone()), KeyError::NotForVerifying, "{changes}");
        }
    }
}

#[test]
fn the_algorithm_must_fit_the_key_type() {
    for algorithm in ALGORITHMS {
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            assert_eq!(refused(algorithm, json!({"alg": other.name()})), KeyError::AlgorithmMismatch(other));
        }
        for other in ["none", "HS256", "PS256", "ES384", "eddsa"] {
            assert_eq!(refused(algorithm, json!({"alg": other})), KeyError::Unsupported("alg"));
        }
    }
}

#[test]
fn other_types_and_curves_are_unsupported() {
    for kty in ["oct", "AKP", "ec", ""] {
        assert_eq!(refused(Algorithm::EdDsa, json!({"kty": kty})), KeyError::Unsupported("kty"));
    }
    for crv in ["X25519", "Ed448", "P-256"] {
        assert_eq!(refused(Algorithm::EdDsa, json!({"crv": crv})), KeyError::Unsupported("crv"));
    }
    for crv in ["P-384", "secp256k1", "Ed25519", "p-256"] {
        assert_eq!(refused(Algorithm::Es256, json!({"crv": crv})), KeyError::Unsupported("crv"));
    }
    assert_eq!(refused(Algorithm::EdDsa, json!({"crv": null})), KeyError::Malformed("crv"));
}

#[test]
fn members_are_canonical_and_of_the_right_length() {
    let x = good(Algorithm::EdDsa)["x"].as_str().unwrap().to_owned();
    for (algorithm, member) in [
        (Algorithm::EdDsa, "x"),
        (Algorithm::Es256, "x"),
        (Algorithm::Es256, "y"),
        (Algorithm::Rs256, "n"),
        (Algorithm::Rs256, "e"),
    ] {
        for value in [json!(null), json!("="), json!("a b"), json!(""), json!("+/+/")] {
            assert_eq!(refused(algorithm, json!({member: value})), KeyError::Malformed(member), "{value}");
        }
    }
    for value in [format!("{x}="), format!("{x}A"), x[1..].to_owned(), encode([1; 31]), encode([1; 33])] {
        assert_eq!(refused(Algorithm::EdDsa, json!({"x": value})), KeyError::Malformed("x"));
        assert_eq!(refused(Algorithm::Es256, json!({"x": value})), KeyError::Malformed("x"));
    }
}

#[test]
fn members_of_another_type_are_refused() {
    for (algorithm, member) in [
        (Algorithm::EdDsa, "y"),
        (Algorithm::EdDsa, "n"),
        (Algorithm::Es256, "e"),
        (Algorithm::Rs256, "x"),
        (Algorithm::Rs256, "crv"),
    ] {
        assert_eq!(refused(algorithm, json!({member: "AQAB"})), KeyError::Malformed(member));
    }
}

#[test]
fn rsa_modulus_and_exponent_are_bounded() {
    let modulus = |bytes: usize, first: u8| {
        let mut n = vec![0xa5; bytes];
        n[0] = first;
        json!({"n": encode(n)})
    };
    assert_eq!(refused(Algorithm::Rs256, modulus(128, 0x80)), KeyError::RsaModulusSize(1024));
    assert_eq!(refused(Algorithm::Rs256, modulus(256, 0x7f)), KeyError::RsaModulusSize(2047));
    assert_eq!(refused(Algorithm::Rs256, modulus(513, 0x01)), KeyError::RsaModulusSize(4097));
    assert!(changed(Algorithm::Rs256, modulus(256, 0x80)).is_ok());
    assert!(changed(Algorithm::Rs256, modulus(512, 0xff)).is_ok());
    assert_eq!(refused(Algorithm::Rs256, modulus(257, 0)), KeyError::Malformed("n"), "leading zero");
    assert_eq!(
        refused(Algorithm::Rs256, json!({"n": encode([0xfe; 256])})),
        KeyError::Malformed("n"),
        "even"
    );
    for exponent in [&[1_u8][..], &[3], &[17], &[1, 0, 0], &[1, 0, 2], &[2, 0, 0, 0, 1], &[0xff; 9]] {
        assert_eq!(
            refused(Algorithm::Rs256, json!({"e": encode(exponent)})),
            KeyError::RsaExponent,
            "{exponent:?}"
        );
    }
    assert_eq!(refused(Algorithm::Rs256, json!({"e": encode([0, 1, 0, 1])})), KeyError::Malformed("e"));
}

#[test]
fn unsound_ed25519_points_are_refused() {
    let little_endian = |start: &str| {
        let mut point = hex::decode(start).unwrap();
        point.resize(32, 0);
        point
    };
    let prime_and = |low: u8, high: u8| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (low, high);
        point.to_vec()
    };
    for (name, point) in [
        ("order 1", little_endian("01")),
        ("order 2", prime_and(0xec, 0x7f)),
        ("order 4", little_endian("00")),
        ("order 4, other sign", [vec![0; 31], vec![0x80]].concat()),
        ("order 8", hex::decode("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05").unwrap()),
        (
            "order 8, other sign",
            hex::decode("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85").unwrap(),
        ),
        (
            "order 8, high",
            hex::decode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").unwrap(),
        ),
        ("p, which is 0 again", prime_and(0xed, 0x7f)),
        ("p + 1, which is 1 again", prime_and(0xee, 0x7f)),
        ("p + 3, not canonical", prime_and(0xf0, 0x7f)),
        ("all ones", vec![0xff; 32]),
        ("1 with the sign of a zero", [vec![1], vec![0; 30], vec![0x80]].concat()),
        ("2, not on the curve", little_endian("02")),
    ] {
        assert_eq!(refused(Algorithm::EdDsa, json!({"x": encode(point)})), KeyError::InvalidPoint, "{name}");
    }
}

#[test]
fn points_off_the_p256_curve_are_refused() {
    let x = good(Algorithm::Es256)["x"].clone();
    assert_eq!(refused(Algorithm::Es256, json!({"y": x})), KeyError::InvalidPoint);
    assert_eq!(
        refused(Algorithm::Es256, json!({"x": encode([0; 32]), "y": encode([0; 32])})),
        KeyError::InvalidPoint
    );
}

#[test]
fn private_members_are_noticed() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        for value in [json!("c2VjcmV0"), json!({"secret": 1}), json!(["secret"])] {
            let mut jwk = good(Algorithm::Rs256);
            jwk[member] = value;
            let text = json!({"keys": [good(Algorithm::EdDsa), jwk]}).to_string();
            let error = serde_json::from_str::<Jwks>(&text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("private member `{member}`")) && !error.contains("c2Vj"),
                "{error}"
            );
        }
    }
}

#[test]
fn repeated_members_of_a_key_are_refused() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"AA","x":"BB"}"#;
    assert!(serde_json::from_str::<Jwk>(jwk).is_err());
}

#[test]
fn a_set_skips_what_it_does_not_know_and_refuses_what_is_broken() {
    let unknown = [
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AA"}),
        json!({"kty": "EC", "crv": "P-384", "kid": "p384", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA"}),
        json!({"kty": "oct", "kid": "none"}),
    ];
    let mut encryption = good(Algorithm::Rs256);
    encryption["use"] = json!("enc");
    let mut pss = good(Algorithm::Rs256);
    pss["alg"] = json!("PS256");
    let set =
        |keys: Vec<Value>| KeySet::from_jwks(&serde_json::from_value::<Jwks>(json!({"keys": keys})).unwrap());
    let mixed = [unknown.to_vec(), vec![encryption, pss, good(Algorithm::EdDsa)]].concat();
    let parsed = set(mixed).unwrap();
    assert_eq!(parsed.len(), 1);
    assert!(parsed.get("EdDSA").is_some() && parsed.get("RS256").is_none());

    let mut small = good(Algorithm::Rs256);
    small["n"] = json!(encode([0xa5; 128]));
    assert_eq!(set(vec![good(Algorithm::EdDsa), small]).err(), Some(KeyError::RsaModulusSize(1024)));
    let mut nameless = good(Algorithm::Es256);
    nameless.as_object_mut().unwrap().remove("kid");
    assert_eq!(set(vec![nameless]).err(), Some(KeyError::InvalidKid));
    assert_eq!(set(vec![good(Algorithm::EdDsa), good(Algorithm::EdDsa)]).err(), Some(KeyError::DuplicateKid));
    assert!(set(vec![]).unwrap().is_empty());
}

#[test]
fn a_published_set_reads_back() {
    let text = serde_json::to_string(&keys().to_jwks()).unwrap();
    let back = KeySet::from_jwks(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(back.to_jwks(), keys().to_jwks());
    assert_eq!(back.len(), 3);
    for private in ["\"d\"", "\"p\"", "\"q\""] {
        assert!(!text.contains(private));
    }
}
