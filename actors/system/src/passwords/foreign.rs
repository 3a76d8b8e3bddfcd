use super::hash::{HashMemory, UnusableHash, derive, hash_password};
use aes::Aes256;
use argon2::{Algorithm, Params, Version};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use plinto_domain::foreign_hash::{Argon2Variant, ForeignHash, Pbkdf2Digest};
use plinto_domain::password::{Password, PasswordHash};
use plinto_domain::randomness::Randomness;
use plinto_domain::sign_in::PasswordCheck;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What Firebase derives before it encrypts; the first half is the key.
const FIREBASE_DERIVED: usize = 64;
const AES_KEY: usize = 32;

/// Checks a password against a hash made elsewhere. Whatever comes of it, one of our own hashes is made as well: a match
/// is renewed by it, and a miss takes no less time than an account that does not exist.
pub(super) fn verify(
    memory: &mut HashMemory,
    password: &Password,
    stored: &PasswordHash,
    randomness: &dyn Randomness,
) -> Option<PasswordCheck> {
    let hash = ForeignHash::parse(stored.as_phc()).ok()?;
    let matches = matches(memory, password.as_entered(), &hash).ok()?;
    let ours = hash_password(memory, password, randomness);
    // Where only the beginning was compared, the rest may be mistyped; a hash of all of it would lock the owner out.
    let is_whole = hash.truncates_after().is_none_or(|most| password.as_entered().len() <= most);
    Some(PasswordCheck { matches, upgraded: (matches && is_whole).then_some(ours) })
}

fn matches(memory: &mut HashMemory, password: &[u8], hash: &ForeignHash) -> Result<bool, UnusableHash> {
    let (derived, expected) = match hash {
        // Compares in constant time itself.
        ForeignHash::Bcrypt { text, .. } => return bcrypt::verify(password, text).map_err(|_| UnusableHash),
        ForeignHash::Argon2 { variant, version, memory: kib, passes, lanes, salt, output } => {
            let algorithm = match variant {
                Argon2Variant::D => Algorithm::Argon2d,
                Argon2Variant::I => Algorithm::Argon2i,
                Argon2Variant::Id => Algorithm::Argon2id,
            };
            let version = Version::try_from(*version).map_err(|_| UnusableHash)?;
            let params = Params::new(*kib, *passes, *lanes, Some(output.len())).map_err(|_| UnusableHash)?;
            let mut out = zeroed(output.len());
            derive(memory, (algorithm, version, params), password, salt, &mut out)?;
            (out, output)
        }
        ForeignHash::Scrypt { log_n, r, p, salt, output } => {
            (scrypt(password, salt, (*log_n, *r, *p), output.len())?, output)
        }
        ForeignHash::Pbkdf2 { digest, iterations, salt, output } => {
            let mut out = zeroed(output.len());
            let derive = match digest {
                Pbkdf2Digest::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
                Pbkdf2Digest::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
                Pbkdf2Digest::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
            };
            derive(password, salt, *iterations, &mut out);
            (out, output)
        }
        ForeignHash::FirebaseScrypt { log_n, r, separator, signer_key, salt, output } => {
            let salt = [salt.as_slice(), separator].concat();
            let key = scrypt(password, &salt, (*log_n, *r, 1), FIREBASE_DERIVED)?;
            let mut cipher =
                Ctr128BE::<Aes256>::new_from_slices(&key[..AES_KEY], &[0; 16]).map_err(|_| UnusableHash)?;
            let mut out = Zeroizing::new(signer_key.clone());
            cipher.apply_keystream(&mut out);
            (out, output)
        }
    };
    Ok(bool::from(derived.as_slice().ct_eq(expected)))
}

fn zeroed(length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; length])
}

fn scrypt(
    password: &[u8],
    salt: &[u8],
    (log_n, r, p): (u8, u32, u32),
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, UnusableHash> {
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| UnusableHash)?;
    let mut out = zeroed(length);
    scrypt::scrypt(password, salt, &params, &mut out).map_err(|_| UnusableHash)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::verify_password;
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    struct Fixed;
    impl Randomness for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }

    fn check(password: &str, stored: &str) -> PasswordCheck {
        let password = Password::entered("password", password).expect("valid");
        let stored = PasswordHash::from_phc(stored.to_owned());
        verify_password(&mut HashMemory::default(), &password, &stored, &Fixed).expect("usable")
    }

    fn b64(hex: &str) -> String {
        STANDARD.encode(hex::decode(hex).expect("hexadecimal"))
    }

    /// The right password matches and is renewed under our parameters; another one does neither.
    fn verifies(password: &str, stored: &str) {
        let right = check(password, stored);
        assert!(right.matches, "{stored}");
        let renewed = right.upgraded.unwrap_or_else(|| panic!("{stored} is renewed"));
        assert!(renewed.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(check(password, renewed.as_phc()).matches);
        let wrong = check(&format!("{password}x"), stored);
        assert!(!wrong.matches && wrong.upgraded.is_none(), "{stored}");
    }

    /// Vectors of jBCrypt and of the suite of PHP's crypt (2a and 2y differ in name only).
    #[test]
    fn bcrypt() {
        for (password, stored) in [
            ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
            ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
            ("abcdefghijklmnopqrstuvwxyz", "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC"),
            ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ] {
            verifies(password, stored);
        }
    }

    /// A vector of crypt_blowfish: characters beyond the 72nd do not count.
    #[test]
    fn beyond_72_bytes_bcrypt_matches_by_the_beginning_and_is_kept() {
        let stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
        let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let exact = check(long, stored);
        assert!(exact.matches && exact.upgraded.is_some(), "72 bytes are compared whole");
        for rest in ["chars after 72 are ignored", "x"] {
            let longer = check(&format!("{long}{rest}"), stored);
            assert!(longer.matches && longer.upgraded.is_none(), "the rest may be mistyped");
        }
        assert!(!check(&long[..71], stored).matches);
    }

    /// Vectors of the reference implementation of argon2 (test.c): both versions, all forms.
    #[test]
    fn argon2() {
        for stored in [
            "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            verifies("password", stored);
        }
    }

    /// RFC 7914 §12.
    #[test]
    fn scrypt_of_the_rfc() {
        let output = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830da\
                      c727afb94a83ee6d8360cbdfa2cc0640";
        verifies("password", &format!("$scrypt$ln=10,r=8,p=16${}${}", STANDARD.encode("NaCl"), b64(output)));
        let output = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9\
                      e61e85dc0d651e40dfcf017b45575887";
        let stored = format!("$scrypt$ln=14,r=8,p=1${}${}", STANDARD.encode("SodiumChloride"), b64(output));
        verifies("pleaseletmein", &stored);
    }

    /// RFC 6070 for SHA-1, RFC 7914 §11 for SHA-256; SHA-512 computed with Python's hashlib.
    #[test]
    fn pbkdf2() {
        let salt = STANDARD.encode("salt");
        for (password, stored) in [
            (
                "password",
                format!("$pbkdf2-sha1$i=4096${salt}${}", b64("4b007901b765489abead49d926f721d065a429c1")),
            ),
            (
                "passwordPASSWORDpassword",
                format!(
                    "$pbkdf2-sha1$i=4096${}${}",
                    STANDARD.encode("saltSALTsaltSALTsaltSALTsaltSALTsalt"),
                    b64("3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038")
                ),
            ),
            (
                "Password",
                format!(
                    "$pbkdf2-sha256$i=80000${}${}",
                    STANDARD.encode("NaCl"),
                    b64(
                        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a\
                         272bdebba1d078478f62b397f33c8d"
                    )
                ),
            ),
            ("password", SHA512.to_owned()),
            // Django's own documentation of its form.
            ("lètmein", DJANGO.to_owned()),
        ] {
            verifies(password, &stored);
        }
    }

    /// `hashlib.pbkdf2_hmac("sha512", b"password", b"salt", 1000)`.
    const SHA512: &str = "$pbkdf2-sha512$i=1000,l=64$c2FsdA$r+bFUweFtsxrHGRTOEcxvV7kMu5Un9QvtmlXea2KHFv1neacSPd078QAfVKY+QM8AkHVq2kwXntk7O642DTP7A";
    /// `django.contrib.auth.hashers.make_password("lètmein", "seasalt", "pbkdf2_sha256")`, from Django's tests.
    const DJANGO: &str = "pbkdf2_sha256$12000$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s=";

    /// The example of Firebase's own tool, <https://github.com/firebase/scrypt>.
    #[test]
    fn firebase_scrypt() {
        let members = serde_json::json!({
            "algorithm": "firebase-scrypt",
            "signer_key": "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
            "salt_separator": "Bw==",
            "rounds": 8,
            "mem_cost": 14,
            "salt": "42xEC+ixf3L2lw==",
            "hash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        });
        let members = members.as_object().expect("an object").clone();
        verifies("user1password", &ForeignHash::of_members(members).expect("good").to_text());
    }

    #[test]
    fn hashes_of_elsewhere_are_of_what_was_entered_and_ours_of_its_normal_form() {
        let salt = STANDARD.encode("salt");
        let mut out = [0; 32];
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>("ｈｏｒｓｅ".as_bytes(), b"salt", 10, &mut out);
        let stored = format!("$pbkdf2-sha256$i=10${salt}${}", STANDARD.encode(out));
        let entered = check("ｈｏｒｓｅ", &stored);
        assert!(entered.matches);
        assert!(!check("horse", &stored).matches, "those are other bytes");
        let renewed = entered.upgraded.expect("renewed");
        assert!(check("horse", renewed.as_phc()).matches, "one password from now on");
    }
}
