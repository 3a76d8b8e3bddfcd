//! wasm32: pure Rust, verification only, no randomness anywhere.

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature as P256Signature, VerifyingKey as P256Key};
use rsa::pkcs1v15::{Signature as RsaSignature, VerifyingKey as RsaKey};
use rsa::{BoxedUint, PublicKey as RsaPublicKey};
use sha2::{Digest as _, Sha256};

use crate::KeyError;
use crate::material::KeyMaterial;

/// A parsed public key.
#[derive(Clone)]
pub(crate) enum PublicKey {
    Ed25519(Ed25519Key),
    P256(P256Key),
    Rsa(RsaKey<Sha256>),
}

impl PublicKey {
    pub(crate) fn new(material: &KeyMaterial) -> Result<Self, KeyError> {
        match material {
            KeyMaterial::Ed25519(point) => {
                Ed25519Key::from_bytes(point).map(Self::Ed25519).map_err(|_| KeyError::InvalidPoint)
            }
            KeyMaterial::P256(point) => {
                P256Key::from_sec1_bytes(point).map(Self::P256).map_err(|_| KeyError::InvalidPoint)
            }
            KeyMaterial::Rsa { n, e } => {
                let (n, e) = (BoxedUint::from_be_slice_vartime(n), BoxedUint::from_be_slice_vartime(e));
                let key = RsaPublicKey::new(n, e).map_err(|_| KeyError::Malformed("n"))?;
                Ok(Self::Rsa(RsaKey::new(key)))
            }
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => Ed25519Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::P256(key) => P256Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Rsa(key) => RsaSignature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
