use std::collections::BTreeMap;

use crate::{Jwks, KeyError, VerifyingKey};

/// The keys of one issuer by `kid`, parsed and ready to verify.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: BTreeMap<String, VerifyingKey>,
}

impl KeySet {
    /// An empty set, which verifies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a published key set. Keys of a type, curve or algorithm this verifier does not know, and keys that
    /// are not for verifying signatures, are left out (RFC 7517 section 5), so that an issuer may add new kinds.
    ///
    /// # Errors
    /// [`KeyError`] when a key is of a known kind but broken, weak, or shares its `kid` with another one.
    pub fn from_jwks(jwks: &Jwks) -> Result<Self, KeyError> {
        let mut set = Self::new();
        for jwk in &jwks.keys {
            match VerifyingKey::from_jwk(jwk) {
                Ok(key) => set.insert(key)?,
                Err(KeyError::Unsupported(_) | KeyError::NotForVerifying) => {}
                Err(broken) => return Err(broken),
            }
        }
        Ok(set)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`KeyError::DuplicateKid`] when a key with its `kid` is there; the set is then unchanged.
    pub fn insert(&mut self, key: VerifyingKey) -> Result<(), KeyError> {
        if self.keys.contains_key(key.kid()) {
            return Err(KeyError::DuplicateKid);
        }
        self.keys.insert(key.kid().to_owned(), key);
        Ok(())
    }

    /// The key with this `kid`.
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.get(kid)
    }

    /// The keys, ordered by `kid`.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.values()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The set as it is published, ordered by `kid`.
    pub fn to_jwks(&self) -> Jwks {
        Jwks { keys: self.keys.values().map(VerifyingKey::to_jwk).collect() }
    }
}
