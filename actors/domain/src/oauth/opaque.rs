//! Codes, refresh tokens, browser tickets, registration tokens: recognized as ours without being stored, like the refresh tokens of sessions
//! (`crate::refresh_token`).
//!
//! A prefix + base64url of: what it belongs to (16 bytes), number (4, big endian), key version (4), MAC (32). The MAC is
//! HMAC-SHA256 under a key derived for that one kind and thing, by the tenant's vault: of another tenant it is not genuine.
//! So nobody can end anything by presenting one that was made up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use uuid::Uuid;

const BODY: usize = 24;
const MAC: usize = 32;

/// What an opaque text is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpaqueKind {
    /// An authorization code (RFC 6749 §1.3.1).
    Code,
    /// A refresh token of an authorization (RFC 6749 §1.5).
    Refresh,
    /// A session, in a cookie of the hosted pages.
    Ticket,
    /// What lets a client that registered itself say more of itself (RFC 7592 §1.2).
    Registration,
}

impl OpaqueKind {
    /// Text before the encoded part; lets secret scanners find leaked ones.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "plac_",
            Self::Refresh => "plor_",
            Self::Ticket => "plbt_",
            Self::Registration => "plrt_",
        }
    }

    /// Purpose under which the key of the MAC is derived.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Code => "oauth-code",
            Self::Refresh => "oauth-refresh-token",
            Self::Ticket => "browser-ticket",
            Self::Registration => "oauth-registration-token",
        }
    }
}

/// What an opaque text says. Nothing of it is trusted until the MAC was checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpaqueParts {
    /// What for.
    pub kind: OpaqueKind,
    /// The authorization or session it belongs to.
    pub of: Uuid,
    /// Generation of a refresh token, from 1; 0 for what has none.
    pub number: u32,
    /// Version of the tenant's data key the MAC's key is derived from.
    pub key_version: u32,
}

impl OpaqueParts {
    /// The bytes the MAC covers.
    pub fn authenticated_bytes(&self) -> [u8; BODY] {
        let mut body = [0_u8; BODY];
        body[..16].copy_from_slice(self.of.as_bytes());
        body[16..20].copy_from_slice(&self.number.to_be_bytes());
        body[20..].copy_from_slice(&self.key_version.to_be_bytes());
        body
    }

    /// The text, given its MAC.
    pub fn encode(&self, mac: &[u8; MAC]) -> Opaque {
        let mut bytes = [0_u8; BODY + MAC];
        bytes[..BODY].copy_from_slice(&self.authenticated_bytes());
        bytes[BODY..].copy_from_slice(mac);
        Opaque(format!("{}{}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a presented text: what it says and the MAC to check.
    pub fn parse(kind: OpaqueKind, text: &str) -> Option<(Self, [u8; MAC])> {
        let encoded = text.strip_prefix(kind.prefix())?;
        if encoded.len() != ((BODY + MAC) * 4).div_ceil(3) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let parts = Self {
            kind,
            of: Uuid::from_slice(&bytes[..16]).ok()?,
            number: number(16),
            key_version: number(20),
        };
        Some((parts, bytes[BODY..].try_into().ok()?))
    }
}

/// An opaque text as it travels. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Opaque(String);

impl Opaque {
    /// The text, for the one it was made for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [OpaqueKind; 4] =
        [OpaqueKind::Code, OpaqueKind::Refresh, OpaqueKind::Ticket, OpaqueKind::Registration];

    proptest! {
        #[test]
        fn round_trips_and_is_of_one_kind(of: u128, number: u32, key_version: u32, mac: [u8; 32]) {
            for kind in KINDS {
                let parts = OpaqueParts { kind, of: Uuid::from_u128(of), number, key_version };
                let text = parts.encode(&mac);
                for other in KINDS {
                    let read = OpaqueParts::parse(other, text.expose());
                    prop_assert_eq!(read, (other == kind).then_some((parts, mac)));
                }
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,200}") {
            for kind in KINDS {
                let _ = OpaqueParts::parse(kind, &text);
                let _ = OpaqueParts::parse(kind, &format!("{}{text}", kind.prefix()));
            }
        }
    }
}
