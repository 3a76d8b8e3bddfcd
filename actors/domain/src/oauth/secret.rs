use crate::id::ClientId;
use crate::randomness::{Randomness, base_62};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How secrets begin, for scanners.
const PREFIX: &str = "plcs_";
/// 43 characters of 62 are 256 bits.
const LENGTH: usize = 43;

/// What is kept of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Keyed hash of client and secret.
    #[serde(with = "hex::serde")]
    hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good for nothing; none for the present one.
    pub until: Option<Timestamp>,
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").field("until", &self.until).finish_non_exhaustive()
    }
}

impl ClientSecret {
    /// One that was made just now, of which this is the hash.
    pub const fn new(hash: [u8; 32], created_at: Timestamp) -> Self {
        Self { hash, created_at, until: None }
    }

    /// The same, which is good until then.
    #[must_use]
    pub fn ending(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Whether this hash is its hash, and it is still good. How long it takes does not depend on the hash.
    pub fn is_proved_by(&self, hash: &[u8; 32], now: Timestamp) -> bool {
        let is_same: bool = self.hash.ct_eq(hash).into();
        is_same && self.until.is_none_or(|until| now < until)
    }
}

/// A new secret, to be shown once. No `Debug`.
pub struct NewClientSecret {
    /// Its text: `plcs_` and 43 letters and digits.
    pub text: Zeroizing<String>,
}

/// Makes a secret.
pub fn make_secret(randomness: &dyn Randomness) -> NewClientSecret {
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + LENGTH));
    text.push_str(PREFIX);
    text.push_str(&base_62(LENGTH, randomness));
    NewClientSecret { text }
}

impl NewClientSecret {
    /// What is hashed of a secret somebody presents: the secrets of two clients have nothing in common.
    pub fn hashed_text(client: ClientId, secret: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([client.uuid().as_bytes(), secret.as_bytes()].concat())
    }
}
