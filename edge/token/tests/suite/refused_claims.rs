//! Claims of tokens whose signature is good.

use plinto_token::{Part, TokenError, check_times, verify};
use serde_json::{Value, json};

use crate::common::{HEADER, NOW, check, claims, expectations, keys, payload, signed, with_claims};

#[test]
fn unreadable_payloads_are_malformed() {
    let good = payload(json!({}));
    let twice = |member: &str| format!("{},{member}}}", good.trim_end_matches('}'));
    let nested = twice(&format!(r#""a":{}1{}"#, "[".repeat(500), "]".repeat(500)));
    for payload in [
        "null".to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
        "{}{}".to_owned(),
        format!("{good} {good}"),
        twice(r#""sub":"usr_1""#),
        twice(r#""sub":"usr_admin""#),
        twice(r#""\u0073ub":"usr_admin""#),
        twice(r#""x":1,"x":1"#),
        twice(r#""x":[{"y":1,"y":1}]"#),
        twice(r#""nbf":null"#),
        twice(r#""x":1e999"#),
        twice(r#""x":NaN"#),
        twice(r#""x":"\ud800""#),
        nested,
    ] {
        assert_eq!(check(&signed(HEADER, &payload)), Err(TokenError::Malformed(Part::Payload)), "{payload}");
    }
    assert_eq!(check(&signed(HEADER, b"{\"iss\":\"\xff\"}")), Err(TokenError::Malformed(Part::Payload)));
}

#[test]
fn claims_of_the_wrong_type_are_malformed() {
    for name in ["iss", "sub", "jti", "client_id", "sid", "scope", "acr"] {
        for value in [json!(1), json!(true), json!(["a"]), json!({"a": 1})] {
            let token = with_claims(json!({name: value}));
            assert_eq!(check(&token), Err(TokenError::Malformed(Part::Payload)), "{name}: {value}");
        }
    }
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for value in [json!("1790000000"), json!(true), json!([1]), json!(1.5), json!(1e300), json!(u64::MAX)]
        {
            let token = with_claims(json!({name: value}));
            assert_eq!(check(&token), Err(TokenError::Malformed(Part::Payload)), "{name}: {value}");
        }
    }
    for value in [json!("pwd"), json!([1]), json!([["pwd"]])] {
        assert_eq!(check(&with_claims(json!({"amr": value}))), Err(TokenError::Malformed(Part::Payload)));
    }
}

#[test]
fn required_claims_must_be_there_and_not_empty() {
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        assert_eq!(check(&with_claims(json!({name: null}))), Err(TokenError::MissingClaim(name)));
    }
    for name in ["iss", "sub", "jti", "client_id"] {
        assert_eq!(check(&with_claims(json!({name: ""}))), Err(TokenError::MissingClaim(name)));
    }
    for name in ["sid", "scope", "auth_time", "amr", "acr", "nbf"] {
        assert!(check(&with_claims(json!({name: null}))).is_ok(), "{name} is optional");
    }
}

#[test]
fn impossible_times_are_malformed() {
    for changes in [
        json!({"exp": -1, "iat": -2}),
        json!({"iat": -1}),
        json!({"exp": 253_402_300_800_i64}),
        json!({"exp": i64::MAX}),
        json!({"nbf": i64::MIN}),
        json!({"nbf": 253_402_300_800_i64}),
        json!({"auth_time": -1}),
        json!({"iat": NOW, "exp": NOW - 1}),
        // milliseconds
        json!({"iat": NOW * 1000, "exp": NOW * 1000 + 600}),
    ] {
        assert_eq!(
            check(&with_claims(changes.clone())),
            Err(TokenError::Malformed(Part::Times)),
            "{changes}"
        );
    }
}

#[test]
fn whole_seconds_may_be_written_as_a_float() {
    let same = format!("{}.0", NOW + 600);
    let scientific = format!("{}e2", (NOW + 600) / 100);
    for exp in [same, scientific] {
        let payload = payload(json!({})).replace(&(NOW + 600).to_string(), &exp);
        assert_eq!(check(&signed(HEADER, payload)), Ok(claims()), "{exp}");
    }
}

#[test]
fn the_issuer_is_compared_byte_for_byte() {
    for iss in [
        "https://id.example/t/other",
        "https://id.example/t/demo/",
        "https://ID.example/t/demo",
        "https://id.example/t/dem",
    ] {
        assert_eq!(check(&with_claims(json!({"iss": iss}))), Err(TokenError::WrongIssuer), "{iss}");
    }
}

#[test]
fn the_audience_is_a_string_or_an_array_that_names_us() {
    let named = |aud: Value| with_claims(json!({"aud": aud}));
    for aud in [
        json!("https://api.example"),
        json!(["https://api.example"]),
        json!(["a", "https://api.example", "b"]),
    ] {
        assert!(check(&named(aud.clone())).is_ok(), "{aud}");
    }
    for aud in [
        json!("https://api.example/"),
        json!("https://api"),
        json!(["a", "b"]),
        json!("https://api.example https://b"),
    ] {
        assert_eq!(check(&named(aud.clone())), Err(TokenError::WrongAudience), "{aud}");
    }
    assert_eq!(check(&named(json!([]))), Err(TokenError::MissingClaim("aud")));
    for aud in [
        json!(""),
        json!(["https://api.example", ""]),
        json!(["https://api.example", 1]),
        json!({"a": 1}),
        json!(1),
    ] {
        assert_eq!(check(&named(aud.clone())), Err(TokenError::Malformed(Part::Payload)), "{aud}");
    }
    let mut expect = expectations();
    expect.audience = None;
    let claims = verify(&named(json!(["a", "b"])), keys(), &expect).unwrap();
    assert_eq!(claims.aud, ["a", "b"], "left to the caller");
}

#[test]
fn expiry_is_exclusive_and_leeway_moves_it() {
    let token = with_claims(json!({}));
    let exp = NOW + 600;
    for (now, leeway, expected) in [
        (exp - 1, 0, Ok(())),
        (exp, 0, Err(TokenError::Expired)),
        (exp + 1, 0, Err(TokenError::Expired)),
        (exp, 30, Ok(())),
        (exp + 29, 30, Ok(())),
        (exp + 30, 30, Err(TokenError::Expired)),
        (exp, -30, Err(TokenError::Expired)),
        (exp - 1, -30, Ok(())),
        (i64::MAX, 0, Err(TokenError::Expired)),
        (i64::MIN, 30, Err(TokenError::NotYetValid)),
        (i64::MAX, i64::MAX, Ok(())),
    ] {
        let mut expect = expectations();
        (expect.now, expect.leeway) = (now, leeway);
        let verified = verify(&token, keys(), &expect);
        assert_eq!(verified.map(|_| ()), expected, "now {now}, leeway {leeway}");
        assert_eq!(check_times(&claims(), &expect), expected, "the cached check says the same");
    }
}

#[test]
fn a_start_in_the_future_is_refused_and_leeway_moves_it() {
    let now = expectations().now;
    for name in ["nbf", "iat"] {
        for (start, leeway, expected) in [
            (now, 0, Ok(())),
            (now + 1, 0, Err(TokenError::NotYetValid)),
            (now + 30, 30, Ok(())),
            (now + 31, 30, Err(TokenError::NotYetValid)),
        ] {
            let mut expect = expectations();
            expect.leeway = leeway;
            let verified = verify(&with_claims(json!({name: start})), keys(), &expect);
            assert_eq!(verified.map(|_| ()), expected, "{name} {start}, leeway {leeway}");
        }
    }
}

#[test]
fn other_claims_are_kept() {
    let claims =
        check(&with_claims(json!({"org_id": "org_1", "roles": [{"a": 1.5}, null, true], "n": -3}))).unwrap();
    assert_eq!(
        Value::Object(claims.extra),
        json!({"org_id": "org_1", "roles": [{"a": 1.5}, null, true], "n": -3})
    );
}

#[test]
fn reasons_come_in_the_documented_order() {
    // each token has every later fault as well
    let bad_payload = payload(json!({"iss": "x", "aud": "x", "exp": NOW + 1, "iat": NOW + 1}));
    let token = signed(HEADER, &bad_payload);
    assert_eq!(check(&token), Err(TokenError::WrongIssuer));
    let mut expect = expectations();
    expect.issuer = "x";
    assert_eq!(verify(&token, keys(), &expect), Err(TokenError::WrongAudience));
    expect.audience = None;
    assert_eq!(verify(&token, keys(), &expect), Err(TokenError::Expired));
    expect.now = NOW;
    assert_eq!(verify(&token, keys(), &expect), Err(TokenError::NotYetValid));
    expect.leeway = 1;
    assert!(verify(&token, keys(), &expect).is_ok());
    // The last character of a signature is one of four.
    let other = if token.ends_with('A') { 'Q' } else { 'A' };
    assert_eq!(check(&format!("{}{other}", &token[..token.len() - 1])), Err(TokenError::BadSignature));
}
