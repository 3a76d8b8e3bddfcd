use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::{Claims, KeySet, MAX_TOKEN_BYTES, Part, TokenError, UnverifiedHeader};

/// What a caller demands of a token.
#[derive(Debug, Clone, Copy)]
pub struct Expectations<'a> {
    /// `iss`, compared byte for byte.
    pub issuer: &'a str,
    /// Must be among `aud`. `None` leaves the audience to the caller, who then has to judge [`Claims::aud`].
    pub audience: Option<&'a str>,
    /// The present in Unix seconds.
    pub now: i64,
    /// Clock difference to forgive on either side, in seconds; a negative one counts as 0.
    pub leeway: i64,
    /// The media type of the header's `typ`, for example [`crate::ACCESS_TOKEN_TYPE`]. Compared without regard
    /// to case, and either side may leave out `application/`.
    pub typ: &'a str,
}

/// Verifies `token` with the key of `keys` that it names and checks its claims against `expect`.
///
/// # Errors
/// The first reason for refusal, in the order of the variants of [`TokenError`].
pub fn verify(token: &str, keys: &KeySet, expect: &Expectations<'_>) -> Result<Claims, TokenError> {
    UnverifiedToken::parse(token)?.verify(keys, expect)
}

/// Checks `exp`, `nbf` and `iat` only: for claims that [`verify`] accepted earlier and a cache kept.
///
/// A token is valid while `now - leeway < exp`, `nbf <= now + leeway` and `iat <= now + leeway`.
///
/// # Errors
/// [`TokenError::Expired`] or [`TokenError::NotYetValid`].
pub fn check_times(claims: &Claims, expect: &Expectations<'_>) -> Result<(), TokenError> {
    let leeway = expect.leeway.max(0);
    if expect.now.saturating_sub(leeway) >= claims.exp {
        return Err(TokenError::Expired);
    }
    let latest_start = expect.now.saturating_add(leeway);
    if claims.iat > latest_start || claims.nbf.is_some_and(|nbf| nbf > latest_start) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}

/// A token taken apart, of which nothing has been verified: everything it says may be a lie.
///
/// Use it to find out whose key set to verify with, then call [`UnverifiedToken::verify`].
pub struct UnverifiedToken<'t> {
    signing_input: &'t str,
    header: UnverifiedHeader,
    /// Header, payload and signature decoded one after the other: one allocation.
    decoded: Vec<u8>,
    payload: Range<usize>,
    signature: Range<usize>,
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("header", &self.header).finish_non_exhaustive()
    }
}

impl<'t> UnverifiedToken<'t> {
    /// Takes a compact JWS apart and reads its header.
    ///
    /// # Errors
    /// The reasons up to [`TokenError::MissingHeader`].
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        let CompactJws { signing_input, decoded, header, payload, signature } = CompactJws::of(token)?;
        let header = UnverifiedHeader::parse(&decoded[header])?;
        Ok(Self { signing_input, header, decoded, payload, signature })
    }

    /// The header, as claimed.
    pub fn header(&self) -> &UnverifiedHeader {
        &self.header
    }

    /// The `iss` claim, as claimed.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when the payload is not an object with a string `iss`.
    pub fn issuer(&self) -> Result<String, TokenError> {
        #[derive(Deserialize)]
        struct Issuer {
            iss: String,
        }
        let payload = std::str::from_utf8(&self.decoded[self.payload.clone()]);
        payload
            .ok()
            .and_then(|text| serde_json::from_str::<Issuer>(text).ok())
            .map(|claims| claims.iss)
            .ok_or(TokenError::Malformed(Part::Payload))
    }

    /// The payload of a token of this type, once its signature was verified with the key it names. What it says is for the
    /// caller to judge.
    ///
    /// # Errors
    /// [`TokenError::WrongType`], [`TokenError::UnknownKey`], [`TokenError::AlgorithmMismatch`] or what is wrong with the
    /// signature.
    pub fn verified_payload(&self, keys: &KeySet, typ: &str) -> Result<&[u8], TokenError> {
        if !self.header.is_of_type(typ) {
            return Err(TokenError::WrongType);
        }
        let key = keys.get(&self.header.kid).ok_or(TokenError::UnknownKey)?;
        if key.algorithm() != self.header.alg {
            return Err(TokenError::AlgorithmMismatch);
        }
        key.verify_signature(self.signing_input.as_bytes(), &self.decoded[self.signature.clone()])?;
        Ok(&self.decoded[self.payload.clone()])
    }

    /// Like [`verify`], for a token that was taken apart already.
    ///
    /// # Errors
    /// The first reason for refusal, in the order of the variants of [`TokenError`].
    pub fn verify(&self, keys: &KeySet, expect: &Expectations<'_>) -> Result<Claims, TokenError> {
        let claims = Claims::parse(self.verified_payload(keys, expect.typ)?)?;
        if claims.iss != expect.issuer {
            return Err(TokenError::WrongIssuer);
        }
        if expect.audience.is_some_and(|audience| !claims.aud.iter().any(|aud| aud == audience)) {
            return Err(TokenError::WrongAudience);
        }
        check_times(&claims, expect)?;
        Ok(claims)
    }
}

/// A compact JWS, decoded (RFC 7515 section 7.1).
pub(crate) struct CompactJws<'t> {
    pub(crate) signing_input: &'t str,
    /// Header, payload and signature one after the other: one allocation.
    pub(crate) decoded: Vec<u8>,
    pub(crate) header: Range<usize>,
    pub(crate) payload: Range<usize>,
    pub(crate) signature: Range<usize>,
}

impl<'t> CompactJws<'t> {
    pub(crate) fn of(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge);
        }
        let (signing_input, signature) =
            token.rsplit_once('.').ok_or(TokenError::Malformed(Part::Structure))?;
        let (header, payload) =
            signing_input.split_once('.').ok_or(TokenError::Malformed(Part::Structure))?;
        if payload.contains('.') || [header, payload, signature].iter().any(|part| part.is_empty()) {
            return Err(TokenError::Malformed(Part::Structure));
        }
        let mut decoded = Vec::with_capacity(token.len());
        let header = append_decoded(header, &mut decoded)?;
        let payload = append_decoded(payload, &mut decoded)?;
        let signature = append_decoded(signature, &mut decoded)?;
        Ok(Self { signing_input, decoded, header, payload, signature })
    }
}

/// Longest part of a payload that [`leading_issuer`] reads, in characters.
const LEADING: usize = 512;

/// The `iss` claim, as claimed, of a compact JWS whose payload begins with it, as [`SigningKey::sign`] writes those of
/// [`Claims`]-like structures that name it first. Nothing else of the token is read, so it is for finding out quickly whose
/// key set to verify with; where there is none, [`UnverifiedToken::issuer`] tells.
///
/// [`SigningKey::sign`]: crate::SigningKey::sign
pub fn leading_issuer(token: &str) -> Option<String> {
    let payload = token.split_once('.')?.1;
    let payload = &payload[..payload.find('.')?];
    // Whole groups of four characters: three bytes each.
    let leading = payload.get(..payload.len().min(LEADING) / 4 * 4)?;
    let decoded = URL_SAFE_NO_PAD.decode(leading).ok()?;
    let value = decoded.strip_prefix(b"{\"iss\":\"")?;
    let end = value.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
    // What is escaped is left to a parser.
    let value = (value[end] == b'"').then(|| &value[..end])?;
    String::from_utf8(value.to_vec()).ok()
}

/// Decodes one part to the end of `decoded` and returns where it lies. Padding, characters outside the
/// alphabet and non-zero trailing bits are refused, so that a token has exactly one spelling.
fn append_decoded(part: &str, decoded: &mut Vec<u8>) -> Result<Range<usize>, TokenError> {
    let start = decoded.len();
    URL_SAFE_NO_PAD.decode_vec(part, decoded).map_err(|_| TokenError::Malformed(Part::Encoding))?;
    Ok(start..decoded.len())
}
