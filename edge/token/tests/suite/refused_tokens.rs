//! Structure, header and signature: everything that is refused before a claim is read.

use plinto_token::{
    ACCESS_TOKEN_TYPE, Algorithm, KeySet, MAX_TOKEN_BYTES, Part, TokenError, UnverifiedToken, leading_issuer,
    verify,
};
use serde_json::json;

use crate::common::{
    ALGORITHMS, HEADER, check, claims, decode, encode, expectations, key, keys, payload, signed, token,
    with_claims, with_header,
};

#[test]
fn good_tokens_are_accepted() {
    for algorithm in ALGORITHMS {
        assert_eq!(check(&token(algorithm)), Ok(claims()), "{algorithm}");
    }
    assert_eq!(check(&signed(HEADER, payload(json!({})))), Ok(claims()));
}

#[test]
fn anything_but_three_parts_is_malformed() {
    let good = token(Algorithm::EdDsa);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        header.to_owned(),
        input.to_owned(),
        format!("{input}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{header}..{payload}.{signature}"),
    ] {
        assert_eq!(check(&bad), Err(TokenError::Malformed(Part::Structure)), "{bad}");
    }
}

#[test]
fn every_part_has_one_spelling() {
    let good = token(Algorithm::EdDsa);
    let mut last_bit = good.clone();
    // 64 bytes of signature end in a character of which four bits are padding
    let last = last_bit.pop().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let position = alphabet.find(last).unwrap();
    assert_eq!(position % 16, 0, "canonical");
    last_bit.push_str(&alphabet[position + 1..position + 2]);
    for bad in [
        last_bit,
        format!("{good}="),
        format!("{good}=="),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        good.replacen('.', " .", 1),
        good.replacen('.', ".\t", 1),
        good.replacen('.', "=.", 1),
        good.replacen('.', ".+", 1),
        good.replacen('.', "./", 1),
        good.replacen('.', "\0.", 1),
        good.replacen('.', "é.", 1),
        // one character more than a whole number of bytes takes
        format!("{good}AAA"),
    ] {
        assert_eq!(check(&bad), Err(TokenError::Malformed(Part::Encoding)), "{bad:?}");
    }
}

#[test]
fn the_size_limit_is_exact() {
    let padded = |length: usize| with_claims(json!({"pad": "x".repeat(length)}));
    let largest = (5_000..6_100).rev().map(padded).find(|token| token.len() <= MAX_TOKEN_BYTES).unwrap();
    assert!(largest.len() > MAX_TOKEN_BYTES - 3);
    assert!(check(&largest).is_ok());
    assert_eq!(check(&format!("{largest}AAA")), Err(TokenError::TooLarge));
    assert_eq!(check(&"a".repeat(MAX_TOKEN_BYTES)), Err(TokenError::Malformed(Part::Structure)));
    assert_eq!(check(&"a".repeat(MAX_TOKEN_BYTES + 1)), Err(TokenError::TooLarge));
}

#[test]
fn unreadable_headers_are_malformed() {
    let nested = format!(
        r#"{{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt","a":{}1{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    for header in [
        &b"null"[..],
        b"[]",
        b"{",
        b"\"EdDSA\"",
        br#"{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt"} {}"#,
        br#"{"alg":"EdDSA","alg":"EdDSA","kid":"EdDSA","typ":"at+jwt"}"#,
        br#"{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt","kid":"EdDSA"}"#,
        br#"{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt","\u0061lg":"none"}"#,
        br#"{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt","x":1,"x":1}"#,
        br#"{"alg":"EdDSA","kid":"EdDSA","typ":"at+jwt","x":{"y":1,"y":2}}"#,
        br#"{"alg":["EdDSA"],"kid":"EdDSA","typ":"at+jwt"}"#,
        br#"{"alg":null,"kid":"EdDSA","typ":"at+jwt"}"#,
        br#"{"alg":"EdDSA","kid":1,"typ":"at+jwt"}"#,
        br#"{"alg":"EdDSA","kid":"EdDSA","typ":null}"#,
        br#"{"kid":"EdDSA","typ":"at+jwt"}"#,
        b"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":\"at+jwt\",\"x\":\"\xff\"}",
        b"\xef\xbb\xbf{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":\"at+jwt\"}",
        nested.as_bytes(),
    ] {
        let token = signed(header, payload(json!({})));
        assert_eq!(
            check(&token),
            Err(TokenError::Malformed(Part::Header)),
            "{}",
            String::from_utf8_lossy(header)
        );
    }
}

#[test]
fn other_algorithms_are_unsupported() {
    for alg in [
        "none", "None", "NONE", "", "HS256", "HS512", "ES384", "ES512", "ES256K", "PS256", "RS512", "eddsa",
        "Ed25519",
    ] {
        assert_eq!(check(&with_header(json!({"alg": alg}))), Err(TokenError::UnsupportedAlgorithm), "{alg}");
    }
}

#[test]
fn alg_none_is_refused_with_and_without_a_signature() {
    let header = encode(r#"{"alg":"none","kid":"EdDSA","typ":"at+jwt"}"#);
    let payload = encode(payload(json!({})));
    assert_eq!(check(&format!("{header}.{payload}.")), Err(TokenError::Malformed(Part::Structure)));
    assert_eq!(check(&format!("{header}.{payload}.AAAA")), Err(TokenError::UnsupportedAlgorithm));
}

#[test]
fn the_algorithm_is_the_key_s() {
    for algorithm in ALGORITHMS {
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            let token = with_header(json!({"alg": other.name(), "kid": algorithm.name()}));
            assert_eq!(
                check(&token),
                Err(TokenError::AlgorithmMismatch),
                "{other} with a key for {algorithm}"
            );
        }
    }
}

#[test]
fn keys_in_the_header_are_refused() {
    let own = serde_json::to_value(key(Algorithm::EdDsa).public_jwk()).unwrap();
    for (name, value) in [
        ("jwk", own),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        assert_eq!(check(&with_header(json!({name: value}))), Err(TokenError::KeyInHeader(name)));
    }
}

#[test]
fn critical_extensions_are_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!(true), json!({})] {
        assert_eq!(check(&with_header(json!({"crit": crit}))), Err(TokenError::CriticalHeader));
    }
    for b64 in [true, false] {
        assert_eq!(check(&with_header(json!({"b64": b64}))), Err(TokenError::CriticalHeader));
    }
}

#[test]
fn unknown_header_members_are_ignored() {
    assert!(check(&with_header(json!({"cty": "x", "x5t": "y", "zip": {"a": [1, 2.5, false]}}))).is_ok());
}

#[test]
fn the_kid_chooses_the_key() {
    assert_eq!(check(&with_header(json!({"kid": null}))), Err(TokenError::MissingHeader("kid")));
    for kid in ["", &"k".repeat(129)] {
        assert_eq!(
            check(&with_header(json!({"kid": kid}))),
            Err(TokenError::Malformed(Part::Header)),
            "{kid}"
        );
    }
    for kid in ["eddsa", "EdDSA ", "EdDSA\0", "../EdDSA", "' or 1=1", &"k".repeat(128)] {
        assert_eq!(check(&with_header(json!({"kid": kid}))), Err(TokenError::UnknownKey), "{kid}");
    }
    assert_eq!(
        verify(&token(Algorithm::EdDsa), &KeySet::new(), &expectations()),
        Err(TokenError::UnknownKey),
        "an empty set verifies nothing"
    );
}

#[test]
fn the_type_must_be_the_expected_one() {
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert!(check(&with_header(json!({"typ": typ}))).is_ok(), "{typ}");
    }
    for typ in [
        "JWT",
        "jwt",
        "",
        "logout+jwt",
        "application/",
        "application/application/at+jwt",
        "at+jwt ",
        "text/at+jwt",
    ] {
        assert_eq!(check(&with_header(json!({"typ": typ}))), Err(TokenError::WrongType), "{typ}");
    }
    assert_eq!(check(&with_header(json!({"typ": null}))), Err(TokenError::WrongType));
    let mut expect = expectations();
    expect.typ = "application/AT+jwt";
    assert!(verify(&token(Algorithm::EdDsa), keys(), &expect).is_ok());
}

#[test]
fn tampering_breaks_the_signature() {
    for algorithm in ALGORITHMS {
        let good = token(algorithm);
        let parts: Vec<&str> = good.split('.').collect();
        let [header, body, signature] = parts[..] else { panic!("three parts") };
        let forged_claims = encode(payload(json!({"sub": "usr_admin"})));
        let forged_header = encode(format!(r#"{{"alg":"{algorithm}","kid":"{algorithm}","typ":"AT+jwt"}}"#));
        let mut flipped = decode(signature);
        flipped[10] ^= 0x40;
        let extended = [decode(signature), vec![0]].concat();
        for (what, bad) in [
            ("payload", format!("{header}.{forged_claims}.{signature}")),
            ("header", format!("{forged_header}.{body}.{signature}")),
            ("flipped signature", format!("{header}.{body}.{}", encode(flipped))),
            ("truncated signature", format!("{header}.{body}.{}", encode(&decode(signature)[1..]))),
            ("extended signature", format!("{header}.{body}.{}", encode(extended))),
            ("one byte signature", format!("{header}.{body}.AA")),
        ] {
            assert_eq!(check(&bad), Err(TokenError::BadSignature), "{algorithm}: {what}");
        }
    }
}

#[test]
fn what_is_unverified_can_be_read_and_says_so() {
    let good = token(Algorithm::EdDsa);
    let unverified = UnverifiedToken::parse(&good).unwrap();
    assert_eq!(unverified.header().alg, Algorithm::EdDsa);
    assert_eq!(unverified.header().kid, "EdDSA");
    assert_eq!(unverified.header().typ.as_deref(), Some(ACCESS_TOKEN_TYPE));
    assert_eq!(unverified.issuer().as_deref(), Ok("https://id.example/t/demo"));
    assert_eq!(leading_issuer(&good).as_deref(), Some("https://id.example/t/demo"));
    assert_eq!(unverified.verify(keys(), &expectations()), Ok(claims()));
    let shown = format!("{unverified:?}");
    assert!(!shown.contains("usr_1") && !shown.contains(&good[..20]), "{shown}");
}

#[test]
fn an_issuer_is_read_quickly_only_where_it_stands_plainly_at_the_beginning() {
    let long = format!(r#"{{"iss":"{}"}}"#, "a".repeat(600));
    for payload in
        [r#"{"sub":"a","iss":"b"}"#, r#"{ "iss":"a"}"#, r#"{"iss":"a\u0062"}"#, r#"{"iss":1}"#, "", &long]
    {
        assert_eq!(leading_issuer(&signed(HEADER, payload)), None, "{payload}");
    }
    for token in ["", "a", "a.b", "a.eyJpc3M.c", "a.é{}.c", "é.{}é.c"] {
        assert_eq!(leading_issuer(token), None, "{token}");
    }
    assert_eq!(leading_issuer(&signed(HEADER, r#"{"iss":"a","sub":"b"}"#)).as_deref(), Some("a"));
    let far = format!(r#"{{"iss":"a","sub":"{}"}}"#, "b".repeat(2_000));
    assert_eq!(leading_issuer(&signed(HEADER, &far)).as_deref(), Some("a"));
}

#[test]
fn an_unreadable_issuer_is_malformed() {
    for payload in ["{}", "[]", r#"{"iss":1}"#, r#"{"iss":"a","iss":"b"}"#, "x"] {
        let token = signed(HEADER, payload);
        let unverified = UnverifiedToken::parse(&token).unwrap();
        assert_eq!(unverified.issuer(), Err(TokenError::Malformed(Part::Payload)), "{payload}");
    }
}
