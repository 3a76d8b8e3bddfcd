use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Map;

use crate::strict_json::{Name, StrictValue, put_once, read_once};
use crate::{Algorithm, Jwk, MAX_KID_BYTES, Part, TokenError};

/// What a token says about itself before anything is verified: good for choosing a key, for nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct UnverifiedHeader {
    /// The algorithm the token claims to be signed with.
    pub alg: Algorithm,
    /// The key the token claims to be signed with: 1 to [`MAX_KID_BYTES`] bytes.
    pub kid: String,
    /// The type the token claims to be of.
    pub typ: Option<String>,
}

impl fmt::Debug for UnverifiedHeader {
    // kid and typ are whatever a stranger sent: they stay out of logs
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedHeader").field("alg", &self.alg).finish_non_exhaustive()
    }
}

impl UnverifiedHeader {
    /// Reads a decoded header and refuses what could change the meaning of the signature.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        let ClientHeader { alg, kid, typ, .. } = ClientHeader::parse(bytes, false)?;
        let kid = kid.ok_or(TokenError::MissingHeader("kid"))?;
        Ok(Self { alg, kid, typ })
    }

    /// Whether this is the media type `expected`; both may leave out the `application/` prefix
    /// (RFC 7515 section 4.1.9), and case does not matter.
    pub(crate) fn is_of_type(&self, expected: &str) -> bool {
        is_of_type(self.typ.as_deref(), expected)
    }
}

/// What a JWS of somebody else says about itself: it need not name its key, and a proof of possession brings it along.
pub(crate) struct ClientHeader {
    pub(crate) alg: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
    pub(crate) jwk: Option<Jwk>,
}

impl ClientHeader {
    /// Reads a decoded header and refuses what could change the meaning of the signature. A key in it is only read where
    /// that is what it is for (`brings_key`).
    pub(crate) fn parse(bytes: &[u8], brings_key: bool) -> Result<Self, TokenError> {
        const UNREADABLE: TokenError = TokenError::Malformed(Part::Header);
        let text = std::str::from_utf8(bytes).map_err(|_| UNREADABLE)?;
        let mut raw: RawHeader = serde_json::from_str(text).map_err(|_| UNREADABLE)?;
        let alg = raw.alg.ok_or(UNREADABLE)?;
        if raw.kid.as_ref().is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID_BYTES) {
            return Err(UNREADABLE);
        }
        if ["crit", "b64"].iter().any(|name| raw.others.contains_key(*name)) {
            return Err(TokenError::CriticalHeader);
        }
        let jwk = if brings_key { raw.others.remove("jwk") } else { None };
        if let Some(name) =
            ["jwk", "jku", "x5u", "x5c"].into_iter().find(|name| raw.others.contains_key(*name))
        {
            return Err(TokenError::KeyInHeader(name));
        }
        let alg = Algorithm::from_name(&alg).ok_or(TokenError::UnsupportedAlgorithm)?;
        let jwk = jwk.map(serde_json::from_value).transpose().map_err(|_| UNREADABLE)?;
        Ok(Self { alg, kid: raw.kid, typ: raw.typ, jwk })
    }
}

pub(crate) fn is_of_type(typ: Option<&str>, expected: &str) -> bool {
    typ.is_some_and(|typ| media_type(typ).eq_ignore_ascii_case(media_type(expected)))
}

fn media_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
        _ => typ,
    }
}

/// The members as they come, each at most once.
#[derive(Default)]
struct RawHeader {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    others: Map<String, serde_json::Value>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = RawHeader;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JOSE header")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<RawHeader, A::Error> {
                let mut header = RawHeader::default();
                while let Some(Name(name)) = members.next_key()? {
                    match name.as_ref() {
                        "alg" => read_once(&mut members, &mut header.alg)?,
                        "kid" => read_once(&mut members, &mut header.kid)?,
                        "typ" => read_once(&mut members, &mut header.typ)?,
                        _ => {
                            let StrictValue(value) = members.next_value()?;
                            put_once(&mut header.others, name.into_owned(), value)?;
                        }
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}
