use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{MasterKey, fields};
use crate::entropy::Entropy;

const NONCE: usize = 12;

/// What a wrapped key is for. The name is part of the associated data.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Seals rows and derives per-session keys; has versions.
    Data,
    /// Blind indexes; a single version for the life of the tenant, so that look-ups survive rotation.
    Index,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Index => "index",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Data, Self::Index].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A tenant's key as it lies in the platform database.
pub(crate) struct WrappedKey {
    pub(crate) tenant: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) version: u32,
    /// Nonce and ciphertext.
    pub(crate) bytes: Vec<u8>,
}

impl MasterKey {
    fn wrapping(&self, tenant: Uuid, purpose: Purpose) -> Aes256Gcm {
        let key = self.subkey(&[b"plinto/master/wrap/v1", tenant.as_bytes(), purpose.as_str().as_bytes()]);
        Aes256Gcm::new_from_slice(key.as_slice()).expect("the key has 32 bytes")
    }

    /// Makes a random key and wraps it.
    pub(crate) fn new_key(
        &self,
        entropy: &dyn Entropy,
        tenant: Uuid,
        purpose: Purpose,
        version: u32,
    ) -> (Zeroizing<[u8; 32]>, WrappedKey) {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice());
        let wrapped = self.wrap_key(entropy, tenant, purpose, version, &key);
        (key, wrapped)
    }

    /// Wraps a key that was made elsewhere.
    pub(crate) fn wrap_key(
        &self,
        entropy: &dyn Entropy,
        tenant: Uuid,
        purpose: Purpose,
        version: u32,
        key: &[u8; 32],
    ) -> WrappedKey {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let aad = associated(tenant, purpose, version);
        let payload = Payload { msg: key.as_slice(), aad: &aad };
        let sealed = self
            .wrapping(tenant, purpose)
            .encrypt(&Nonce::from(nonce), payload)
            .expect("32 bytes are within what AES-GCM can seal");
        let bytes = [nonce.as_slice(), &sealed].concat();
        WrappedKey { tenant, purpose, version, bytes }
    }

    /// Unwraps a key, or `None` when it was altered, moved or wrapped by another master key.
    pub(crate) fn unwrap_key(&self, wrapped: &WrappedKey) -> Option<Zeroizing<[u8; 32]>> {
        let (nonce, sealed) = wrapped.bytes.split_first_chunk::<NONCE>()?;
        let aad = associated(wrapped.tenant, wrapped.purpose, wrapped.version);
        let payload = Payload { msg: sealed, aad: &aad };
        let cipher = self.wrapping(wrapped.tenant, wrapped.purpose);
        let plain = Zeroizing::new(cipher.decrypt(&Nonce::from(*nonce), payload).ok()?);
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != key.len() {
            return None;
        }
        key.copy_from_slice(&plain);
        Some(key)
    }
}

fn associated(tenant: Uuid, purpose: Purpose, version: u32) -> Vec<u8> {
    fields(&[
        b"plinto/wrapped-key/v1",
        tenant.as_bytes(),
        purpose.as_str().as_bytes(),
        &version.to_be_bytes(),
    ])
}
