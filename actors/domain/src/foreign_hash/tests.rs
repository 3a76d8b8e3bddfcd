use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const SALT: &str = "c29tZXNhbHQ";
const KEY: &str = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const BCRYPT: &str = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m";

fn parse(text: &str) -> Result<ForeignHash, HashProblem> {
    ForeignHash::parse(text)
}

fn members(value: Value) -> Result<ForeignHash, HashProblem> {
    let Value::Object(members) = value else { panic!("an object") };
    ForeignHash::of_members(members)
}

#[test]
fn every_form_is_stored_in_one_that_is_read_back() {
    for (given, stored) in [
        (BCRYPT.to_owned(), BCRYPT.to_owned()),
        (BCRYPT.replace("$2b", "$2y"), BCRYPT.replace("$2b", "$2y")),
        // The last character of the salt has four bits that do not count, that of the hash two.
        (BCRYPT.replace("LbuAn", "Lb6An").replace("Tr8m", "Tr8n"), BCRYPT.to_owned()),
        (
            format!("$argon2i$m=4096,t=3,p=1${SALT}${KEY}"),
            format!("$argon2i$v=16$m=4096,t=3,p=1${SALT}${KEY}"),
        ),
        (
            format!("$argon2d$v=19$m=65536,t=2,p=4${SALT}${KEY}="),
            format!("$argon2d$v=19$m=65536,t=2,p=4${SALT}${KEY}"),
        ),
        (format!("$scrypt$ln=16,r=8,p=1${SALT}${KEY}"), format!("$scrypt$ln=16,r=8,p=1${SALT}${KEY}")),
        (
            format!("$pbkdf2-sha256$i=600000,l=32${SALT}${KEY}"),
            format!("$pbkdf2-sha256$i=600000,l=32${SALT}${KEY}"),
        ),
        (format!("$pbkdf2-sha512$29000${SALT}${KEY}"), format!("$pbkdf2-sha512$i=29000,l=32${SALT}${KEY}")),
        (format!("$pbkdf2$29000${SALT}${KEY}"), format!("$pbkdf2-sha1$i=29000,l=32${SALT}${KEY}")),
        (
            format!("pbkdf2_sha256$260000$somesalt${KEY}="),
            format!("$pbkdf2-sha256$i=260000,l=32${SALT}${KEY}"),
        ),
    ] {
        let hash = parse(&given).unwrap_or_else(|problem| panic!("{given}: {problem}"));
        assert_eq!(hash.to_text(), stored, "{given}");
        assert_eq!(parse(&stored), Ok(hash), "{stored}");
    }
}

#[test]
fn objects_say_the_same_as_texts() {
    for (given, stored) in [
        (
            json!({ "algorithm": "scrypt", "n": 16384, "r": 8, "p": 1, "salt": SALT, "hash": KEY }),
            format!("$scrypt$ln=14,r=8,p=1${SALT}${KEY}"),
        ),
        (
            json!({ "algorithm": "pbkdf2-sha1", "iterations": 1000, "salt": SALT, "hash": KEY }),
            format!("$pbkdf2-sha1$i=1000,l=32${SALT}${KEY}"),
        ),
        (
            json!({ "algorithm": "firebase-scrypt", "signer_key": KEY, "salt_separator": "Bw==", "rounds": 8,
                "mem_cost": 14, "salt": SALT, "hash": KEY }),
            format!("$firebase-scrypt$ln=14,r=8,p=1,ss=Bw,sk={KEY}${SALT}${KEY}"),
        ),
    ] {
        let hash = members(given.clone()).unwrap_or_else(|problem| panic!("{given}: {problem}"));
        assert_eq!(hash.to_text(), stored);
        assert_eq!(parse(&stored), Ok(hash));
    }
    for bad in [
        json!({}),
        json!({ "algorithm": "md5", "hash": KEY }),
        json!({ "algorithm": "scrypt", "n": 1000, "r": 8, "p": 1, "salt": SALT, "hash": KEY }),
        json!({ "algorithm": "scrypt", "n": 0, "r": 8, "p": 1, "salt": SALT, "hash": KEY }),
        json!({ "algorithm": "pbkdf2-sha1", "iterations": 1000, "salt": SALT, "hash": KEY, "more": 1 }),
        json!({ "algorithm": "pbkdf2-sha1", "iterations": -1, "salt": SALT, "hash": KEY }),
        json!({ "algorithm": "pbkdf2-sha1", "iterations": 1, "salt": "%", "hash": KEY }),
    ] {
        assert_eq!(members(bad.clone()), Err(HashProblem::UnknownForm), "{bad}");
    }
}

#[test]
fn a_hash_that_would_cost_too_much_is_refused() {
    for (text, problem) in [
        (BCRYPT.replace("$12$", "$15$"), HashProblem::TooCostly),
        (BCRYPT.replace("$12$", "$31$"), HashProblem::TooCostly),
        (BCRYPT.replace("$12$", "$03$"), HashProblem::UnknownForm),
        (format!("$argon2id$v=19$m=262145,t=1,p=1${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$argon2id$v=19$m=65536,t=17,p=1${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$argon2id$v=19$m=65536,t=2,p=17${SALT}${KEY}"), HashProblem::UnknownForm),
        (format!("$argon2id$v=19$m=65536,t=0,p=1${SALT}${KEY}"), HashProblem::UnknownForm),
        (format!("$argon2id$v=18$m=65536,t=2,p=1${SALT}${KEY}"), HashProblem::UnknownForm),
        (format!("$scrypt$ln=18,r=8,p=1${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$scrypt$ln=200,r=4294967295,p=1${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$scrypt$ln=17,r=8,p=4${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$scrypt$ln=16,r=1,p=1${SALT}${KEY}"), HashProblem::UnknownForm),
        (format!("$scrypt$ln=14,r=0,p=1${SALT}${KEY}"), HashProblem::UnknownForm),
        (format!("$pbkdf2-sha1$i=1000001,l=32${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$pbkdf2-sha256$i=4294967295${SALT}${KEY}"), HashProblem::TooCostly),
        (format!("$pbkdf2-sha256$i=0${SALT}${KEY}"), HashProblem::UnknownForm),
        (format!("$firebase-scrypt$ln=20,r=8,p=1,ss=Bw,sk={KEY}${SALT}${KEY}"), HashProblem::TooCostly),
    ] {
        assert_eq!(parse(&text), Err(problem), "{text}");
    }
}

#[test]
fn what_is_no_hash_is_refused() {
    let long = "a".repeat(10_000);
    for bad in [
        "",
        "$",
        "$$$$",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "{SSHA}abc",
        "$1$salt$hash",
        "$6$salt$hash",
        "$2x$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m",
        "$2b$12$short",
        "$2b$1a$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m",
        "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8\u{fc}",
        "$argon2id$v=19$m=65536,t=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$t=2,m=65536,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=+65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$pbkdf2-sha256$i=1000,l=31$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$pbkdf2-md5$i=1000$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$firebase-scrypt$ln=14,r=8,p=2,ss=Bw,sk=AAAA$AAAA$AAAA",
        "$firebase-scrypt$ln=14,r=8,p=1,ss=Bw,sk=$AAAA$",
        &long,
    ] {
        assert_eq!(parse(bad), Err(HashProblem::UnknownForm), "{bad:.80}");
    }
}

#[test]
fn work_is_told_and_nothing_is_shown() {
    let work = |text: &str| parse(text).expect("good").relative_work();
    assert_eq!(work(BCRYPT), 10);
    assert_eq!(work(&format!("$pbkdf2-sha256$i=1000${SALT}${KEY}")), 1);
    assert_eq!(work(&format!("$argon2id$v=19$m=262144,t=4,p=1${SALT}${KEY}")), 26);
    assert_eq!(format!("{:?}", parse(BCRYPT).expect("good")), "ForeignHash(redacted)");
}

proptest! {
    #[test]
    fn parsing_never_panics_and_the_stored_form_is_stable(text in "[$a-z0-9=,./]{0,120}") {
        if let Ok(hash) = parse(&text) {
            prop_assert_eq!(parse(&hash.to_text()), Ok(hash));
        }
    }

    #[test]
    fn whatever_the_numbers_no_hash_beyond_the_bounds_passes(
        log_n in any::<u8>(), r in any::<u32>(), p in any::<u32>(), iterations in any::<u32>(),
    ) {
        if let Ok(ForeignHash::Scrypt { log_n, r, p, .. }) =
            parse(&format!("$scrypt$ln={log_n},r={r},p={p}${SALT}${KEY}"))
        {
            prop_assert!(128 * (u64::from(r) << log_n) <= 128 << 20 && p <= 16);
        }
        if let Ok(ForeignHash::Pbkdf2 { iterations, .. }) = parse(&format!("$pbkdf2-sha1$i={iterations}${SALT}${KEY}")) {
            prop_assert!(iterations <= 1_000_000);
        }
    }
}
