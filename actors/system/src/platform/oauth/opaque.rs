//! Making and recognizing opaque texts with the key of what they belong to.

use hmac::{Hmac, KeyInit, Mac};
use plinto_domain::oauth::{Opaque, OpaqueKind, OpaqueParts};
use plinto_storage::{TenantVault, VaultError};
use sha2::Sha256;
use uuid::Uuid;

fn mac(vault: &TenantVault, parts: &OpaqueParts) -> Result<Hmac<Sha256>, VaultError> {
    let key = vault.derive_at(parts.key_version, parts.kind.purpose(), parts.of.as_bytes())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    mac.update(&parts.authenticated_bytes());
    Ok(mac)
}

/// Makes the text of one kind, thing and number.
pub(super) fn make(
    vault: &TenantVault,
    kind: OpaqueKind,
    of: Uuid,
    number: u32,
) -> Result<Opaque, VaultError> {
    let parts = OpaqueParts { kind, of, number, key_version: vault.current_version() };
    let tag: [u8; 32] = mac(vault, &parts)?.finalize().into_bytes().into();
    Ok(parts.encode(&tag))
}

/// What a presented text says, if this tenant's vault made it (constant time).
pub(super) fn read(vault: &TenantVault, kind: OpaqueKind, text: &str) -> Option<OpaqueParts> {
    let (parts, tag) = OpaqueParts::parse(kind, text)?;
    mac(vault, &parts).is_ok_and(|expected| expected.verify_slice(&tag).is_ok()).then_some(parts)
}
