use std::fmt;

use serde_json::{Map, Value};

use crate::header::{ClientHeader, is_of_type};
use crate::strict_json::StrictValue;
use crate::verify::CompactJws;
use crate::{Algorithm, Jwk, KeySet, Part, TokenError, VerifyingKey};

/// A JWS a client has signed, taken apart: an assertion of who it is (RFC 7523), a request (RFC 9101), a proof that it has a
/// key (RFC 9449). Unlike our own tokens it need not name its key; what its payload has to say is for the caller to judge.
pub struct ClientJws<'t> {
    jws: CompactJws<'t>,
    header: ClientHeader,
}

impl fmt::Debug for ClientJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientJws").field("alg", &self.header.alg).finish_non_exhaustive()
    }
}

impl<'t> ClientJws<'t> {
    /// Takes apart what is signed with a key that is known of the client. A key in its header is refused.
    ///
    /// # Errors
    /// The reasons up to [`TokenError::UnsupportedAlgorithm`].
    pub fn parse(text: &'t str) -> Result<Self, TokenError> {
        Self::read(text, false)
    }

    /// Takes apart what is signed with the key in its header, to prove that the sender has it.
    ///
    /// # Errors
    /// The reasons up to [`TokenError::MissingHeader`].
    pub fn parse_proof(text: &'t str) -> Result<Self, TokenError> {
        let read = Self::read(text, true)?;
        if read.header.jwk.is_none() {
            return Err(TokenError::MissingHeader("jwk"));
        }
        Ok(read)
    }

    fn read(text: &'t str, brings_key: bool) -> Result<Self, TokenError> {
        let jws = CompactJws::of(text)?;
        let header = ClientHeader::parse(&jws.decoded[jws.header.clone()], brings_key)?;
        Ok(Self { jws, header })
    }

    /// The algorithm it claims to be signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.header.alg
    }

    /// A text of the payload, as claimed: to find out whose keys to verify with.
    pub fn claimed(&self, name: &str) -> Option<String> {
        match self.payload().ok()?.remove(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether its `typ` is this media type.
    pub fn is_of_type(&self, typ: &str) -> bool {
        is_of_type(self.header.typ.as_deref(), typ)
    }

    /// Whether it has a `typ` at all.
    pub fn is_typed(&self) -> bool {
        self.header.typ.is_some()
    }

    /// The payload, once one of the client's keys has verified it: the one it names, or any of its algorithm.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`], [`TokenError::BadSignature`], or [`TokenError::Malformed`] of the payload.
    pub fn verify(&self, keys: &KeySet) -> Result<Map<String, Value>, TokenError> {
        let named = self.header.kid.as_deref();
        let mut fitting = keys
            .iter()
            .filter(|key| key.algorithm() == self.header.alg && named.is_none_or(|kid| kid == key.kid()));
        let mut refused = TokenError::UnknownKey;
        let is_signed = fitting.any(|key| match self.check(key) {
            Ok(()) => true,
            Err(error) => {
                refused = error;
                false
            }
        });
        if is_signed { self.payload() } else { Err(refused) }
    }

    /// The payload, once the key in the header has verified it, and that key's RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] when the key is none we could verify with, [`TokenError::AlgorithmMismatch`],
    /// [`TokenError::BadSignature`], or [`TokenError::Malformed`] of the payload.
    pub fn verify_proof(&self) -> Result<(Map<String, Value>, String), TokenError> {
        let jwk = self.header.jwk.as_ref().ok_or(TokenError::MissingHeader("jwk"))?;
        let thumbprint = jwk.thumbprint().map_err(|_| TokenError::UnknownKey)?;
        let named = Jwk { kid: Some(thumbprint.clone()), ..jwk.clone() };
        let key = VerifyingKey::from_jwk(&named).map_err(|_| TokenError::UnknownKey)?;
        if key.algorithm() != self.header.alg {
            return Err(TokenError::AlgorithmMismatch);
        }
        self.check(&key)?;
        Ok((self.payload()?, thumbprint))
    }

    fn check(&self, key: &VerifyingKey) -> Result<(), TokenError> {
        let CompactJws { signing_input, decoded, signature, .. } = &self.jws;
        key.verify_signature(signing_input.as_bytes(), &decoded[signature.clone()])
    }

    fn payload(&self) -> Result<Map<String, Value>, TokenError> {
        const UNREADABLE: TokenError = TokenError::Malformed(Part::Payload);
        let text =
            std::str::from_utf8(&self.jws.decoded[self.jws.payload.clone()]).map_err(|_| UNREADABLE)?;
        match serde_json::from_str::<StrictValue>(text) {
            Ok(StrictValue(Value::Object(claims))) => Ok(claims),
            _ => Err(UNREADABLE),
        }
    }
}
