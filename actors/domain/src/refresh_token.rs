//! Opaque refresh tokens that can be recognized as ours without being stored.
//!
//! `plr_` + base64url of: tenant (16 bytes), session (16), generation (4, big endian), key version (4), MAC (32).
//! The MAC is HMAC-SHA256 under a key derived for that one session, so any generation ever issued is recognized as
//! genuine, and a forged one never counts as reuse (an attacker cannot end a session by guessing). At rest only the
//! SHA-256 of the current token is kept.

use crate::id::{SessionId, TenantId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// Text before the encoded part; lets secret scanners find leaked tokens.
pub const PREFIX: &str = "plr_";
const BODY: usize = 40;
const MAC: usize = 32;

/// What a refresh token says. Nothing of it is trusted until the MAC was checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefreshTokenParts {
    /// The tenant.
    pub tenant: TenantId,
    /// The session, which is the token family.
    pub session: SessionId,
    /// Counts the rotations, from 1.
    pub generation: u32,
    /// Version of the tenant's data key the MAC key is derived from.
    pub key_version: u32,
}

impl RefreshTokenParts {
    /// The bytes the MAC covers.
    pub fn authenticated_bytes(&self) -> [u8; BODY] {
        let mut body = [0_u8; BODY];
        body[..16].copy_from_slice(self.tenant.uuid().as_bytes());
        body[16..32].copy_from_slice(self.session.uuid().as_bytes());
        body[32..36].copy_from_slice(&self.generation.to_be_bytes());
        body[36..40].copy_from_slice(&self.key_version.to_be_bytes());
        body
    }

    /// The token's text, given its MAC.
    pub fn encode(&self, mac: &[u8; MAC]) -> RefreshToken {
        let mut bytes = [0_u8; BODY + MAC];
        bytes[..BODY].copy_from_slice(&self.authenticated_bytes());
        bytes[BODY..].copy_from_slice(mac);
        RefreshToken(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

/// The text is not of the form of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token")]
pub struct MalformedRefreshToken;

/// A refresh token as it travels. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// Reads a presented token: what it says and the MAC to check.
    pub fn parse(text: &str) -> Result<(RefreshTokenParts, [u8; MAC]), MalformedRefreshToken> {
        let encoded = text.strip_prefix(PREFIX).ok_or(MalformedRefreshToken)?;
        if encoded.len() != (BODY + MAC) * 4 / 3 {
            return Err(MalformedRefreshToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| MalformedRefreshToken)?;
        let uuid = |range: std::ops::Range<usize>| {
            Uuid::from_slice(&bytes[range]).map_err(|_| MalformedRefreshToken)
        };
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let parts = RefreshTokenParts {
            tenant: TenantId::from_uuid(uuid(0..16)?),
            session: SessionId::from_uuid(uuid(16..32)?),
            generation: number(32),
            key_version: number(36),
        };
        let mut mac = [0_u8; MAC];
        mac.copy_from_slice(&bytes[BODY..]);
        Ok((parts, mac))
    }

    /// The token's text, for the one it was issued to.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

/// SHA-256 of a presented token's text.
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(tenant: u128, session: u128, generation: u32, key_version: u32, mac: [u8; 32]) {
            let parts = RefreshTokenParts {
                tenant: TenantId::from_uuid(Uuid::from_u128(tenant)),
                session: SessionId::from_uuid(Uuid::from_u128(session)),
                generation,
                key_version,
            };
            prop_assert_eq!(RefreshToken::parse(parts.encode(&mac).expose()), Ok((parts, mac)));
        }

        #[test]
        fn never_panics(text in "\\PC{0,200}") {
            let _ = RefreshToken::parse(&text);
            let _ = RefreshToken::parse(&format!("{PREFIX}{text}"));
        }
    }
}
