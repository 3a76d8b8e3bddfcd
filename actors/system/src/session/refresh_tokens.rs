//! Making and recognizing refresh tokens with the key of their session, and those who present them.

use crate::tenant::ClientContext;
use hmac::{Hmac, KeyInit, Mac};
use plinto_domain::address::Network;
use plinto_domain::refresh_token::{RefreshToken, RefreshTokenParts, sha256};
use plinto_domain::{SessionId, TenantId};
use plinto_storage::{TenantVault, VaultError};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Purpose under which the tenant's vault derives the per-session key.
const PURPOSE: &str = "refresh-token";
/// Purpose of the blind index of clients.
const CLIENT: &str = "session.refresh_client";

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
    let token = make(vault, RefreshTokenParts { tenant, session, generation, key_version })?;
    Ok((token, key_version))
}

/// The token a hash was stored of, made again: the same text, if it was made under one of these key versions.
pub(crate) fn issue_again(
    vault: &TenantVault,
    current: RefreshTokenParts,
    key_versions: [u32; 2],
    hash: &[u8; 32],
) -> Option<RefreshToken> {
    key_versions.into_iter().find_map(|key_version| {
        // A version this node has not loaded yet made no token it could give out.
        let token = make(vault, RefreshTokenParts { key_version, ..current }).ok()?;
        bool::from(token.sha256().ct_eq(hash)).then_some(token)
    })
}

fn make(vault: &TenantVault, parts: RefreshTokenParts) -> Result<RefreshToken, VaultError> {
    let tag: [u8; 32] = mac(vault, &parts)?.finalize().into_bytes().into();
    Ok(parts.encode(&tag))
}

/// What tells one client from another without storing who it is: a blind index of its network and user agent. A client
/// whose network is not known is nobody.
pub(crate) fn client_index(vault: &TenantVault, client: &ClientContext) -> Option<[u8; 32]> {
    let network = Network::of(client.address?).address();
    // The address ends at the first line break; a header cannot hold one.
    let identity = format!("{network}\n{}", client.user_agent.as_deref().unwrap_or_default());
    Some(vault.blind_index(CLIENT, identity.as_bytes()))
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
