//! Password hashes made elsewhere: which forms are understood, and how much work one of them may ask for.
//!
//! Whoever imports a hash decides what every sign-in with it costs, so the bounds are checked before it is stored, and
//! again before it is worked with. Nothing is hashed here.

mod forms;
mod members;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;

/// Highest cost of bcrypt: about a second of one core.
const MOST_BCRYPT_COST: u32 = 14;
/// Most memory of argon2 in KiB.
const MOST_ARGON2_MEMORY: u32 = 262_144;
/// Most memory in KiB times passes of argon2: a quarter of a second or so for each 512 MiB.
const MOST_ARGON2_WORK: u64 = 1 << 20;
/// Most lanes of argon2, and most of scrypt's `p`.
const MOST_LANES: u32 = 16;
/// Most memory of scrypt in units of 128 bytes (N times r): 128 MiB.
const MOST_SCRYPT_MEMORY: u64 = 1 << 20;
/// Most work of scrypt (N times r times p).
const MOST_SCRYPT_WORK: u64 = 1 << 21;
/// Most iterations of PBKDF2 times blocks of output.
const MOST_PBKDF2_WORK: u64 = 2_000_000;
/// Bytes of a salt, and of a separator or a key that comes with it.
const LONGEST_PART: usize = 256;
/// Bytes of a derived key. A shorter one would be guessed, a longer one is made by nobody.
const OUTPUT: std::ops::RangeInclusive<usize> = 10..=128;

/// Why a hash is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HashProblem {
    /// Its form is none of those that are understood.
    #[error("it is in no form that is understood, or damaged")]
    UnknownForm,
    /// Each sign-in with it would cost too much.
    #[error("its cost, memory or iterations are above the bounds")]
    TooCostly,
}

/// The three forms of argon2 (RFC 9106 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argon2Variant {
    /// Data-dependent.
    D,
    /// Data-independent.
    I,
    /// Both, one after the other.
    Id,
}

impl Argon2Variant {
    const ALL: [Self; 3] = [Self::D, Self::I, Self::Id];

    const fn name(self) -> &'static str {
        match self {
            Self::D => "argon2d",
            Self::I => "argon2i",
            Self::Id => "argon2id",
        }
    }
}

/// Hash functions under PBKDF2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pbkdf2Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Pbkdf2Digest {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2-sha1",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    const fn block(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A hash whose form and cost are good. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum ForeignHash {
    /// bcrypt, as its 60 characters.
    Bcrypt {
        /// Base-2 logarithm of the rounds.
        cost: u32,
        /// `$2b$12$…`
        text: String,
    },
    /// argon2 with whatever parameters.
    Argon2 {
        /// Which form.
        variant: Argon2Variant,
        /// 16 or 19.
        version: u32,
        /// Memory in KiB.
        memory: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
        /// Salt.
        salt: Vec<u8>,
        /// Derived key.
        output: Vec<u8>,
    },
    /// scrypt (RFC 7914).
    Scrypt {
        /// Base-2 logarithm of N.
        log_n: u8,
        /// Block size.
        r: u32,
        /// Parallelization.
        p: u32,
        /// Salt.
        salt: Vec<u8>,
        /// Derived key.
        output: Vec<u8>,
    },
    /// PBKDF2 (RFC 8018 §5.2).
    Pbkdf2 {
        /// Over which hash function.
        digest: Pbkdf2Digest,
        /// Iterations.
        iterations: u32,
        /// Salt.
        salt: Vec<u8>,
        /// Derived key.
        output: Vec<u8>,
    },
    /// Firebase's scrypt: the key of the project, encrypted under what scrypt derives.
    FirebaseScrypt {
        /// Base-2 logarithm of N, which Firebase calls the memory cost.
        log_n: u8,
        /// Block size, which Firebase calls rounds.
        r: u32,
        /// What stands between the salt and scrypt, the same for a project.
        separator: Vec<u8>,
        /// The project's key.
        signer_key: Vec<u8>,
        /// The user's salt.
        salt: Vec<u8>,
        /// The encrypted key.
        output: Vec<u8>,
    },
}

impl fmt::Debug for ForeignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignHash(redacted)")
    }
}

impl ForeignHash {
    /// How many times the work of one of our own hashes a check is, roughly; at least once.
    pub fn relative_work(&self) -> u32 {
        let work = match self {
            // 2^12 rounds take a quarter of a second.
            Self::Bcrypt { cost, .. } => (1_u64 << cost) / 400,
            Self::Argon2 { memory, passes, .. } => u64::from(*memory) * u64::from(*passes) / 38_912,
            Self::Scrypt { log_n, r, p, .. } => (u64::from(*r) << log_n) * u64::from(*p) / 50_000,
            Self::Pbkdf2 { digest, iterations, output, .. } => {
                u64::from(*iterations) * output.len().div_ceil(digest.block()) as u64 / 30_000
            }
            Self::FirebaseScrypt { log_n, r, .. } => (u64::from(*r) << log_n) / 50_000,
        };
        u32::try_from(work).unwrap_or(u32::MAX).max(1)
    }

    /// Whether it is of the form that is made here, whatever its parameters.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Argon2 { variant: Argon2Variant::Id, version: 19, .. })
    }

    /// Whether a password longer than this many bytes matches by its beginning only.
    pub const fn truncates_after(&self) -> Option<usize> {
        match self {
            Self::Bcrypt { .. } => Some(72),
            _ => None,
        }
    }

    /// The form in which it is stored; [`parse`](Self::parse) reads it back.
    pub fn to_text(&self) -> String {
        let b64 = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        match self {
            Self::Bcrypt { text, .. } => text.clone(),
            Self::Argon2 { variant, version, memory, passes, lanes, salt, output } => format!(
                "${}$v={version}$m={memory},t={passes},p={lanes}${}${}",
                variant.name(),
                b64(salt),
                b64(output)
            ),
            Self::Scrypt { log_n, r, p, salt, output } => {
                format!("$scrypt$ln={log_n},r={r},p={p}${}${}", b64(salt), b64(output))
            }
            Self::Pbkdf2 { digest, iterations, salt, output } => {
                let (name, length) = (digest.name(), output.len());
                format!("${name}$i={iterations},l={length}${}${}", b64(salt), b64(output))
            }
            Self::FirebaseScrypt { log_n, r, separator, signer_key, salt, output } => format!(
                "$firebase-scrypt$ln={log_n},r={r},p=1,ss={},sk={}${}${}",
                b64(separator),
                b64(signer_key),
                b64(salt),
                b64(output)
            ),
        }
    }

    /// Refuses what costs too much or is no hash at all.
    fn checked(self) -> Result<Self, HashProblem> {
        let (fits, affordable) = match &self {
            Self::Bcrypt { cost, .. } => (*cost >= 4, *cost <= MOST_BCRYPT_COST),
            Self::Argon2 { version, memory, passes, lanes, salt, output, .. } => (
                matches!(version, 16 | 19)
                    && (1..=MOST_LANES).contains(lanes)
                    && *passes >= 1
                    && *memory >= 8 * lanes
                    && (8..=LONGEST_PART).contains(&salt.len())
                    && OUTPUT.contains(&output.len()),
                *memory <= MOST_ARGON2_MEMORY && u64::from(*memory) * u64::from(*passes) <= MOST_ARGON2_WORK,
            ),
            Self::Scrypt { log_n, r, p, salt, output } => (
                scrypt_fits(*log_n, *r, *p) && salt.len() <= LONGEST_PART && OUTPUT.contains(&output.len()),
                scrypt_is_affordable(*log_n, *r, *p),
            ),
            Self::Pbkdf2 { digest, iterations, salt, output } => {
                let work = u64::from(*iterations) * output.len().div_ceil(digest.block()) as u64;
                let fits = *iterations >= 1 && salt.len() <= LONGEST_PART && OUTPUT.contains(&output.len());
                (fits, work <= MOST_PBKDF2_WORK)
            }
            Self::FirebaseScrypt { log_n, r, separator, signer_key, salt, output } => {
                let parts = [separator, signer_key, salt];
                let fits = parts.into_iter().all(|part| part.len() <= LONGEST_PART)
                    && !signer_key.is_empty()
                    && signer_key.len() == output.len();
                (fits && scrypt_fits(*log_n, *r, 1), scrypt_is_affordable(*log_n, *r, 1))
            }
        };
        match (fits, affordable) {
            (false, _) => Err(HashProblem::UnknownForm),
            (true, false) => Err(HashProblem::TooCostly),
            (true, true) => Ok(self),
        }
    }
}

/// RFC 7914 §2 asks that N be below 2^(128 r / 8).
fn scrypt_fits(log_n: u8, r: u32, p: u32) -> bool {
    log_n >= 1 && r >= 1 && p >= 1 && u64::from(log_n) < 16 * u64::from(r)
}

fn scrypt_is_affordable(log_n: u8, r: u32, p: u32) -> bool {
    // Shifted only where the product cannot overflow.
    let memory = if log_n < 32 { u64::from(r) << log_n } else { u64::MAX };
    memory <= MOST_SCRYPT_MEMORY && p <= MOST_LANES && memory.saturating_mul(u64::from(p)) <= MOST_SCRYPT_WORK
}

#[cfg(test)]
mod tests;
