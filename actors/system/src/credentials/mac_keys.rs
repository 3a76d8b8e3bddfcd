//! The keys under which secrets of API keys are hashed: one per owner and version of its data key.
//!
//! They are derived from the owner's own data key and not from the platform's, so that a tenant which moves to another
//! installation takes its API keys along, and the hashes of a deleted tenant mean nothing to anybody.

use crate::error::ServiceError;
use hmac::{Hmac, KeyInit, Mac};
use plinto_domain::api_key::SecretHash;
use plinto_storage::{Store, TenantVault};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Owners whose keys are kept ready, so that their API keys are checked without storage.
const OWNERS: usize = 100_000;
const PURPOSE: &str = "api_key.secret";
/// Says of a stored hash that it is a bare SHA-256.
const UNKEYED: u32 = 0;

type MacKey = Zeroizing<[u8; 32]>;

pub(super) struct MacKeys(Cache<(Uuid, u32), Arc<MacKey>>);

impl Default for MacKeys {
    fn default() -> Self {
        Self(Cache::new(OWNERS))
    }
}

impl MacKeys {
    /// The hash of a secret as it would be stored; none where the key for it is not ready.
    pub(super) fn hash(&self, owner: Uuid, version: u32, secret: &str) -> Option<[u8; 32]> {
        if version == UNKEYED {
            return Some(Sha256::digest(secret.as_bytes()).into());
        }
        let key = self.0.get(&(owner, version))?;
        Some(mac(&key, secret))
    }

    /// Makes the key of an owner ready.
    pub(super) async fn learn(&self, store: &Store, owner: Uuid, version: u32) -> Result<(), ServiceError> {
        if self.0.get(&(owner, version)).is_none() {
            let vault = unlock(store, owner).await?;
            self.0.insert((owner, version), Arc::new(vault.derive_at(version, PURPOSE, &[])?));
        }
        Ok(())
    }

    /// The hash of a new secret.
    pub(super) async fn hash_new(
        &self,
        store: &Store,
        owner: Uuid,
        secret: &str,
    ) -> Result<SecretHash, ServiceError> {
        let vault = unlock(store, owner).await?;
        let key_version = vault.current_version();
        let key = Arc::new(vault.derive_at(key_version, PURPOSE, &[])?);
        let hash = mac(&key, secret);
        self.0.insert((owner, key_version), key);
        Ok(SecretHash { hash, key_version })
    }

    /// Drops the keys of all other owners: tenants that were deleted.
    pub(super) fn keep_those_of(&self, owners: impl Iterator<Item = Uuid>) {
        let owners: HashSet<Uuid> = owners.collect();
        self.0.retain(|(owner, _), _| owners.contains(owner));
    }
}

async fn unlock(store: &Store, owner: Uuid) -> Result<Arc<TenantVault>, ServiceError> {
    store.unlock(owner).await?.ok_or(ServiceError::UnknownTenant)
}

fn mac(key: &MacKey, secret: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
    mac.update(secret.as_bytes());
    mac.finalize().into_bytes().into()
}
