//! Making and recognizing refresh tokens with the key of their session.

use hmac::{Hmac, KeyInit, Mac};
use plinto_domain::refresh_token::{RefreshToken, RefreshTokenParts, sha256};
use plinto_domain::{SessionId, TenantId};
use plinto_storage::{TenantVault, VaultError};
use sha2::Sha256;

/// Purpose under which the tenant's vault derives the per-session key.
const PURPOSE: &str = "refresh-token";

fn mac(vault: &TenantVault, parts: &RefreshTokenParts) -> Result<Hmac<Sha256>, VaultError> {
    let key = vault.derive_at(parts.key_version, PURPOSE, parts.session.uuid().as_bytes())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    mac.update(&parts.authenticated_bytes());
    Ok(mac)
}

/// Issues the token of one generation of a session.
pub(crate) fn issue(
    vault: &TenantVault,
    tenant: TenantId,
    session: SessionId,
    generation: u32,
) -> Result<(RefreshToken, u32), VaultError> {
    let key_version = vault.current_version();
    let parts = RefreshTokenParts { tenant, session, generation, key_version };
    let tag: [u8; 32] = mac(vault, &parts)?.finalize().into_bytes().into();
    Ok((parts.encode(&tag), key_version))
}

/// A refresh token as presented, read but not yet believed.
pub(crate) struct Presented {
    pub(crate) parts: RefreshTokenParts,
    pub(crate) hash: [u8; 32],
    mac: [u8; 32],
}

impl Presented {
    /// Reads a token; `None` if the text is not of the form of one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (parts, mac) = RefreshToken::parse(text).ok()?;
        Some(Self { parts, hash: sha256(text), mac })
    }

    /// Whether this tenant's vault made it (constant time).
    pub(crate) fn is_genuine(&self, vault: &TenantVault) -> bool {
        mac(vault, &self.parts).is_ok_and(|expected| expected.verify_slice(&self.mac).is_ok())
    }
}
