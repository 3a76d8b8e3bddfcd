use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroizing;

/// Longest `jti`, in bytes.
const LONGEST: usize = 256;

/// Something that is good once: that it was used is remembered until it would be good for nothing anyway.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    text: Zeroizing<Vec<u8>>,
    /// Until when that is.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Proof {
    /// What tells it from all others: a keyed hash of this is what is kept.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// A proof of a kind by somebody, by its `jti`; none if it has none that can be remembered.
pub(super) fn proof_of(
    kind: &str,
    by: &str,
    claims: &Map<String, Value>,
    expires_at: Timestamp,
) -> Option<Proof> {
    let jti = claims.get("jti")?.as_str().filter(|jti| (1..=LONGEST).contains(&jti.len()))?;
    // Neither a kind nor a thumbprint or id has a line break in it.
    let text = Zeroizing::new(format!("{kind}\n{by}\n{jti}").into_bytes());
    Some(Proof { text, expires_at })
}

/// That a proof was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsedProof {
    /// Keyed hash of it.
    pub hash: [u8; 32],
    /// Until when it must be remembered.
    pub expires_at: Timestamp,
}
