use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::fields;
use crate::entropy::Entropy;

/// The key that wraps all others: 32 bytes, zeroized on drop, never printed.
pub struct MasterKey {
    bytes: Zeroizing<[u8; 32]>,
}

/// The text is not a master key. The error never holds the text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 32 bytes as 64 hexadecimal digits or as base64: make one with `openssl rand -hex 32`"
)]
pub struct MasterKeyError;

impl MasterKey {
    /// A new random key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        Self { bytes }
    }

    /// Reads 64 hexadecimal digits or base64 (either alphabet, padded or not); space around is ignored.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let decoded = if text.len() == 64 {
            hex::decode(text).map_err(|_| MasterKeyError)?
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|alphabet| alphabet.decode(text).ok())
                .ok_or(MasterKeyError)?
        };
        let decoded = Zeroizing::new(decoded);
        let mut bytes = Zeroizing::new([0; 32]);
        if decoded.len() != bytes.len() {
            return Err(MasterKeyError);
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self { bytes })
    }

    /// The key as 64 hexadecimal digits, for the file it is kept in.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.bytes.as_slice()))
    }

    /// A value that tells this key from any other without revealing it.
    pub(crate) fn check_value(&self) -> [u8; 32] {
        *self.subkey(&[b"plinto/master/check/v1"])
    }

    /// HKDF-SHA256 of this key with the given info fields.
    pub(super) fn subkey(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        expand(&self.bytes, info)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MasterKey(..)")
    }
}

/// HKDF-SHA256 without salt (the input keys are uniform) to 32 bytes.
pub(super) fn expand(key: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key)
        .expand(&fields(info), out.as_mut_slice())
        .expect("32 bytes are within what HKDF-SHA256 can give");
    out
}
