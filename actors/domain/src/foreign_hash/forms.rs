//! Hashes written as one text: PHC strings, crypt's forms, passlib's and Django's.

use super::{Argon2Variant, ForeignHash, HashProblem, Pbkdf2Digest};
use HashProblem::UnknownForm;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longest text looked at, in bytes.
const LONGEST: usize = 2_048;

/// Standard base64, padded or not: writers differ.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn bytes(text: &str) -> Result<Vec<u8>, HashProblem> {
    BASE64.decode(text).map_err(|_| UnknownForm)
}

impl ForeignHash {
    /// Reads a hash written as one text, and checks its bounds.
    pub fn parse(text: &str) -> Result<Self, HashProblem> {
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(UnknownForm);
        }
        if let Some(rest) = text.strip_prefix('$') {
            let parts: Vec<&str> = rest.split('$').collect();
            return of_parts(text, &parts)?.checked();
        }
        django(text)?.checked()
    }
}

fn of_parts(text: &str, parts: &[&str]) -> Result<ForeignHash, HashProblem> {
    let (name, rest) = parts.split_first().ok_or(UnknownForm)?;
    match *name {
        "2a" | "2b" | "2y" => bcrypt(text, rest),
        "scrypt" => scrypt(rest),
        "firebase-scrypt" => firebase(rest),
        // passlib's name for SHA-1.
        "pbkdf2" => pbkdf2(Pbkdf2Digest::Sha1, rest),
        name => {
            let argon2 = Argon2Variant::ALL.into_iter().find(|known| known.name() == name);
            let digest = Pbkdf2Digest::ALL.into_iter().find(|known| known.name() == name);
            match (argon2, digest) {
                (Some(variant), _) => self::argon2(variant, rest),
                (None, Some(digest)) => pbkdf2(digest, rest),
                (None, None) => Err(UnknownForm),
            }
        }
    }
}

/// The base64 of bcrypt.
const BCRYPT: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The last characters of salt and hash in the text, and their bits that count: some writers leave the others as they
/// happen to be.
const LOOSE: [(usize, usize); 2] = [(28, 0b11_0000), (59, 0b11_1100)];

fn bcrypt(text: &str, rest: &[&str]) -> Result<ForeignHash, HashProblem> {
    let [cost, hash] = rest else { return Err(UnknownForm) };
    if cost.len() != 2 || hash.len() != 53 || !hash.bytes().all(|byte| BCRYPT.contains(&byte)) {
        return Err(UnknownForm);
    }
    let mut text = text.to_owned();
    for (place, bits) in LOOSE {
        let letter = text.as_bytes()[place];
        let value = BCRYPT.iter().position(|other| *other == letter).ok_or(UnknownForm)?;
        let letter = char::from(BCRYPT[value & bits]);
        text.replace_range(place..=place, letter.encode_utf8(&mut [0; 4]));
    }
    Ok(ForeignHash::Bcrypt { cost: number(cost)?, text })
}

fn argon2(variant: Argon2Variant, rest: &[&str]) -> Result<ForeignHash, HashProblem> {
    // Hashes of the first version say no version.
    let (version, rest) = match rest {
        [version, rest @ ..] if version.starts_with("v=") => (number(&version[2..])?, rest),
        rest => (16, rest),
    };
    let [parameters, salt, output] = rest else { return Err(UnknownForm) };
    let [memory, passes, lanes] = named(parameters, ["m", "t", "p"])?;
    Ok(ForeignHash::Argon2 {
        variant,
        version,
        memory: number(memory)?,
        passes: number(passes)?,
        lanes: number(lanes)?,
        salt: bytes(salt)?,
        output: bytes(output)?,
    })
}

fn scrypt(rest: &[&str]) -> Result<ForeignHash, HashProblem> {
    let [parameters, salt, output] = rest else { return Err(UnknownForm) };
    let [log_n, r, p] = named(parameters, ["ln", "r", "p"])?;
    Ok(ForeignHash::Scrypt {
        log_n: number(log_n)?,
        r: number(r)?,
        p: number(p)?,
        salt: bytes(salt)?,
        output: bytes(output)?,
    })
}

fn firebase(rest: &[&str]) -> Result<ForeignHash, HashProblem> {
    let [parameters, salt, output] = rest else { return Err(UnknownForm) };
    let [log_n, r, p, separator, signer_key] = named(parameters, ["ln", "r", "p", "ss", "sk"])?;
    if p != "1" {
        return Err(UnknownForm);
    }
    Ok(ForeignHash::FirebaseScrypt {
        log_n: number(log_n)?,
        r: number(r)?,
        separator: bytes(separator)?,
        signer_key: bytes(signer_key)?,
        salt: bytes(salt)?,
        output: bytes(output)?,
    })
}

/// `i=…,l=…` as in PHC strings, or the bare number and the base64 with dots of passlib.
fn pbkdf2(digest: Pbkdf2Digest, rest: &[&str]) -> Result<ForeignHash, HashProblem> {
    let [parameters, salt, output] = rest else { return Err(UnknownForm) };
    if let Ok(iterations) = number(parameters) {
        let plain = |text: &str| bytes(&text.replace('.', "+"));
        return Ok(ForeignHash::Pbkdf2 { digest, iterations, salt: plain(salt)?, output: plain(output)? });
    }
    let (iterations, length) = match named(parameters, ["i", "l"]) {
        Ok([iterations, length]) => (iterations, Some(number::<usize>(length)?)),
        Err(_) => (named(parameters, ["i"])?[0], None),
    };
    let output = bytes(output)?;
    if length.is_some_and(|length| length != output.len()) {
        return Err(UnknownForm);
    }
    Ok(ForeignHash::Pbkdf2 { digest, iterations: number(iterations)?, salt: bytes(salt)?, output })
}

/// `pbkdf2_sha256$iterations$salt$hash`: the salt is the text itself.
fn django(text: &str) -> Result<ForeignHash, HashProblem> {
    let parts: Vec<&str> = text.split('$').collect();
    let [name, iterations, salt, output] = parts[..] else { return Err(UnknownForm) };
    let digest = match name {
        "pbkdf2_sha1" => Pbkdf2Digest::Sha1,
        "pbkdf2_sha256" => Pbkdf2Digest::Sha256,
        _ => return Err(UnknownForm),
    };
    let salt = salt.as_bytes().to_vec();
    Ok(ForeignHash::Pbkdf2 { digest, iterations: number(iterations)?, salt, output: bytes(output)? })
}

/// The values of exactly these parameters, in this order.
fn named<'t, const N: usize>(text: &'t str, names: [&str; N]) -> Result<[&'t str; N], HashProblem> {
    let mut values = [""; N];
    let mut given = text.split(',');
    for (value, name) in values.iter_mut().zip(names) {
        let part = given.next().and_then(|part| part.strip_prefix(name)?.strip_prefix('='));
        *value = part.ok_or(UnknownForm)?;
    }
    if given.next().is_some() { Err(UnknownForm) } else { Ok(values) }
}

/// A decimal number without a sign.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, HashProblem> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().ok_or(UnknownForm)
}
