//! Hashes written as an object, for forms without a text that everybody agrees on.

use super::forms::bytes;
use super::{ForeignHash, HashProblem, Pbkdf2Digest};
use HashProblem::UnknownForm;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The members of such an object. What is binary is base64.
#[derive(Deserialize)]
#[serde(tag = "algorithm", rename_all = "kebab-case", deny_unknown_fields)]
enum Members {
    Scrypt {
        n: u64,
        r: u32,
        p: u32,
        salt: String,
        hash: String,
    },
    FirebaseScrypt {
        signer_key: String,
        salt_separator: String,
        rounds: u32,
        mem_cost: u8,
        salt: String,
        hash: String,
    },
    #[serde(rename = "pbkdf2-sha1")]
    Pbkdf2Sha1 {
        iterations: u32,
        salt: String,
        hash: String,
    },
    #[serde(rename = "pbkdf2-sha256")]
    Pbkdf2Sha256 {
        iterations: u32,
        salt: String,
        hash: String,
    },
    #[serde(rename = "pbkdf2-sha512")]
    Pbkdf2Sha512 {
        iterations: u32,
        salt: String,
        hash: String,
    },
}

impl ForeignHash {
    /// Reads a hash written as an object, and checks its bounds.
    pub fn of_members(members: Map<String, Value>) -> Result<Self, HashProblem> {
        // serde's text could repeat what was sent.
        let members = serde_json::from_value(Value::Object(members)).map_err(|_| UnknownForm)?;
        let pbkdf2 = |digest, iterations, salt: &str, hash: &str| {
            Ok(Self::Pbkdf2 { digest, iterations, salt: bytes(salt)?, output: bytes(hash)? })
        };
        let hash = match members {
            Members::Scrypt { n, r, p, salt, hash } => {
                if !n.is_power_of_two() {
                    return Err(UnknownForm);
                }
                let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| UnknownForm)?;
                Self::Scrypt { log_n, r, p, salt: bytes(&salt)?, output: bytes(&hash)? }
            }
            Members::FirebaseScrypt { signer_key, salt_separator, rounds, mem_cost, salt, hash } => {
                Self::FirebaseScrypt {
                    log_n: mem_cost,
                    r: rounds,
                    separator: bytes(&salt_separator)?,
                    signer_key: bytes(&signer_key)?,
                    salt: bytes(&salt)?,
                    output: bytes(&hash)?,
                }
            }
            Members::Pbkdf2Sha1 { iterations, salt, hash } => {
                pbkdf2(Pbkdf2Digest::Sha1, iterations, &salt, &hash)?
            }
            Members::Pbkdf2Sha256 { iterations, salt, hash } => {
                pbkdf2(Pbkdf2Digest::Sha256, iterations, &salt, &hash)?
            }
            Members::Pbkdf2Sha512 { iterations, salt, hash } => {
                pbkdf2(Pbkdf2Digest::Sha512, iterations, &salt, &hash)?
            }
        };
        hash.checked()
    }
}
