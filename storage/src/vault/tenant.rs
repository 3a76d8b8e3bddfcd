use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use parking_lot::RwLock;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::master::expand;
use super::{VaultError, fields};
use crate::entropy::Entropy;

const VERSION: usize = 4;
const NONCE: usize = 12;

/// One version of a tenant's data key.
pub(crate) struct DataKey {
    pub(crate) version: u32,
    pub(crate) key: Zeroizing<[u8; 32]>,
}

/// What unlocking a tenant yields.
pub(crate) struct Keys {
    pub(crate) data: Vec<DataKey>,
    pub(crate) index: Zeroizing<[u8; 32]>,
}

/// The unlocked keys of one tenant (or of the platform, under the nil id).
///
/// Shared as an `Arc`; there is one live instance per tenant and process, so a rotation reaches
/// every holder. Key bytes are zeroized on drop and cannot be cloned or printed out of it.
///
/// Nonces are random 96 bits under a key per table and version: rotate long before 2^32 seals of one table.
pub struct TenantVault {
    tenant: Uuid,
    entropy: Arc<dyn Entropy>,
    index: Zeroizing<[u8; 32]>,
    /// In ascending order of version, never empty.
    data: RwLock<Vec<DataKey>>,
    sealing: RwLock<HashMap<(u32, &'static str), Arc<Aes256Gcm>>>,
    indexing: RwLock<HashMap<&'static str, Arc<Zeroizing<[u8; 32]>>>>,
}

impl fmt::Debug for TenantVault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TenantVault").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl TenantVault {
    /// `None` when there is no data key.
    pub(crate) fn new(tenant: Uuid, mut keys: Keys, entropy: Arc<dyn Entropy>) -> Option<Self> {
        keys.data.sort_by_key(|key| key.version);
        (!keys.data.is_empty()).then(|| Self {
            tenant,
            entropy,
            index: keys.index,
            data: RwLock::new(keys.data),
            sealing: RwLock::default(),
            indexing: RwLock::default(),
        })
    }

    /// Whose keys these are; nil for the platform.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The data-key version that seals and derives from now on.
    pub fn current_version(&self) -> u32 {
        self.data.read().last().expect("a vault holds at least one data key").version
    }

    /// Adds a version that was made or loaded after this vault was unlocked.
    pub(crate) fn adopt(&self, key: DataKey) {
        let mut data = self.data.write();
        if let Err(place) = data.binary_search_by_key(&key.version, |known| known.version) {
            data.insert(place, key);
        }
    }

    /// Seals `plaintext` for one column of one row: version (u32, big-endian), nonce (12 bytes), ciphertext.
    pub fn seal(&self, table: &'static str, row: &[u8], column: &str, plaintext: &[u8]) -> Vec<u8> {
        let version = self.current_version();
        let cipher = self.sealing(version, table).expect("the current version is loaded");
        let mut out = Vec::with_capacity(VERSION + NONCE + plaintext.len() + 16);
        out.extend_from_slice(&version.to_be_bytes());
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        let aad = self.associated(table, row, column);
        let tag = cipher
            .encrypt_inout_detached(&Nonce::from(nonce), &aad, out[VERSION + NONCE..].as_mut().into())
            .expect("a column is far below what AES-GCM can seal");
        out.extend_from_slice(&tag);
        out
    }

    /// Opens what [`seal`](Self::seal) made for the same table, row and column of this tenant.
    pub fn open(
        &self,
        table: &'static str,
        row: &[u8],
        column: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (version, rest) = sealed.split_first_chunk::<VERSION>().ok_or(VaultError::Malformed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Malformed)?;
        let version = u32::from_be_bytes(*version);
        let cipher = self.sealing(version, table).ok_or(VaultError::UnknownVersion { version })?;
        let mut plain = Zeroizing::new(body.to_vec());
        cipher
            .decrypt_in_place(&Nonce::from(*nonce), &self.associated(table, row, column), &mut *plain)
            .map_err(|_| VaultError::Refused)?;
        Ok(plain)
    }

    /// HMAC-SHA256 of a normalized value, for exact-match look-ups. The same for ever: rotation of the
    /// data key does not change it. Two purposes never agree on a value.
    pub fn blind_index(&self, purpose: &'static str, normalized: &[u8]) -> [u8; 32] {
        let key = self.indexing(purpose);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
        mac.update(normalized);
        mac.finalize().into_bytes().into()
    }

    /// A key for one purpose that stays the same as long as the tenant lives: rotation does not change it.
    pub fn lasting(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        expand(&self.index, &[b"plinto/lasting/v1", purpose.as_bytes()])
    }

    /// A key of its own for `id`, from the current data key; keep [`current_version`](Self::current_version)
    /// beside the id and ask [`derive_at`](Self::derive_at) later.
    pub fn derive(&self, purpose: &str, id: &[u8]) -> Zeroizing<[u8; 32]> {
        self.derive_at(self.current_version(), purpose, id).expect("the current version is loaded")
    }

    /// The key for `id` as it was under `version`.
    pub fn derive_at(
        &self,
        version: u32,
        purpose: &str,
        id: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        self.with_data_key(version, |key| expand(key, &[b"plinto/derive/v1", purpose.as_bytes(), id]))
            .ok_or(VaultError::UnknownVersion { version })
    }

    fn with_data_key<T>(&self, version: u32, apply: impl FnOnce(&[u8; 32]) -> T) -> Option<T> {
        let data = self.data.read();
        let found = data.iter().rev().find(|key| key.version == version)?;
        Some(apply(&found.key))
    }

    /// The cached cipher of a table, so that sealing is one AES-GCM call.
    fn sealing(&self, version: u32, table: &'static str) -> Option<Arc<Aes256Gcm>> {
        if let Some(cipher) = self.sealing.read().get(&(version, table)) {
            return Some(Arc::clone(cipher));
        }
        let key = self.with_data_key(version, |key| expand(key, &[b"plinto/seal/v1", table.as_bytes()]))?;
        let cipher = Arc::new(Aes256Gcm::new_from_slice(key.as_slice()).expect("the key has 32 bytes"));
        self.sealing.write().insert((version, table), Arc::clone(&cipher));
        Some(cipher)
    }

    fn indexing(&self, purpose: &'static str) -> Arc<Zeroizing<[u8; 32]>> {
        if let Some(key) = self.indexing.read().get(purpose) {
            return Arc::clone(key);
        }
        let key = Arc::new(expand(&self.index, &[b"plinto/index/v1", purpose.as_bytes()]));
        self.indexing.write().insert(purpose, Arc::clone(&key));
        key
    }

    fn associated(&self, table: &str, row: &[u8], column: &str) -> Vec<u8> {
        fields(&[self.tenant.as_bytes(), table.as_bytes(), row, column.as_bytes()])
    }
}
