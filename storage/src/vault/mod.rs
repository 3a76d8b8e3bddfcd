//! Keys at rest: the master key wraps each tenant's keys, and the tenant's keys seal its rows.
//!
//! ```text
//! master key --HKDF(tenant, purpose)--> wrapping key --AES-256-GCM--> data key versions, index key
//! data key   --HKDF(seal, table)------> one AES-256-GCM key per table, for `seal` and `open`
//! data key   --HKDF(derive, purpose, id)--> per-session keys and the like
//! index key  --HKDF(purpose)----------> one HMAC-SHA256 key per kind of look-up, for `blind_index`
//! index key  --HKDF(lasting, purpose)-> keys that must outlive rotations, such as the one that signs checkpoints
//! ```
//!
//! Every associated data and every HKDF info is a list of length-prefixed fields, so no two
//! different lists encode alike, and a value moved to another tenant, row or column does not open.

mod encoding;
mod master;
mod tenant;
mod wrap;

#[cfg(test)]
mod tests;

pub(crate) use encoding::fields;
pub use master::{MasterKey, MasterKeyError};
pub use tenant::TenantVault;
pub(crate) use tenant::{DataKey, Keys};
pub(crate) use wrap::{Purpose, WrappedKey};

/// Why a sealed value did not open.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Too short to be a sealed value.
    #[error("a sealed value is malformed: run `plinto audit verify`, then restore a backup")]
    Malformed,
    /// Sealed under a version this vault does not hold; unlocking the tenant again loads new versions.
    #[error("a value is sealed under key version {version}, which is not loaded: unlock the tenant again")]
    UnknownVersion {
        /// The version the value names.
        version: u32,
    },
    /// The value was altered, or belongs to another tenant, row or column.
    #[error("a sealed value does not open where it stands: it was altered or moved, restore a backup")]
    Refused,
}
