use thiserror::Error;

use crate::{Algorithm, MAX_KID_BYTES, MAX_TOKEN_BYTES};

/// The part of a token that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Part {
    /// Not exactly three parts separated by dots, or an empty one.
    #[error("expected three non-empty parts separated by dots")]
    Structure,
    /// A part is not canonical base64url without padding.
    #[error("expected base64url without padding")]
    Encoding,
    /// The header is not a JSON object with unique members of the right types.
    #[error("expected a header of unique members with the right types")]
    Header,
    /// The payload is not a JSON object with unique claims of the right types.
    #[error("expected a payload of unique claims with the right types")]
    Payload,
    /// Times that cannot be: negative, after the year 9999, or issued after expiry.
    #[error("expected times in seconds since 1970 with iat not after exp")]
    Times,
}

/// Why a token was refused. Carries nothing of the token itself, so it may be logged.
///
/// The checks run in the order of the variants, so that every implementation of the verifier gives the
/// same reason for the same token. Only [`Part::Payload`] and [`Part::Times`] come later, right after
/// [`TokenError::BadSignature`]: an unsigned payload is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLarge,
    /// Cannot be read.
    #[error("token is malformed: {0}")]
    Malformed(Part),
    /// The header has `crit` (or `b64`, which is only valid with it): no extension is understood here.
    #[error("token header marks an extension as critical; send a token without `crit`")]
    CriticalHeader,
    /// The header carries or points to a key. Keys come from the issuer's key set only.
    #[error("token header brings its own key in `{0}`; keys come from the issuer's key set only")]
    KeyInHeader(&'static str),
    /// `alg` is none of ours, `none` included.
    #[error("token algorithm is not one of EdDSA, ES256 and RS256")]
    UnsupportedAlgorithm,
    /// A header member that must be there is not.
    #[error("token header has no `{0}`")]
    MissingHeader(&'static str),
    /// `typ` is absent or another one than expected, for example an ID token sent as an access token.
    #[error("token is of another type than expected")]
    WrongType,
    /// No key of the set has this `kid`.
    #[error("token is signed with a key that is not in the key set")]
    UnknownKey,
    /// `alg` is not the algorithm the key is bound to.
    #[error("token algorithm is not the algorithm of its key")]
    AlgorithmMismatch,
    /// The signature does not verify.
    #[error("token signature does not verify")]
    BadSignature,
    /// A claim that must be there is not, or is empty.
    #[error("token has no `{0}` claim")]
    MissingClaim(&'static str),
    /// `iss` is another one than expected.
    #[error("token comes from another issuer")]
    WrongIssuer,
    /// `aud` does not name the expected audience.
    #[error("token is meant for another audience")]
    WrongAudience,
    /// `exp` has passed.
    #[error("token has expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("token is not valid yet")]
    NotYetValid,
}

impl TokenError {
    /// The stable reason code for answers and metrics: a few fixed words, never part of the token.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "token_too_large",
            Self::Malformed(_) => "token_malformed",
            Self::CriticalHeader => "token_critical_header",
            Self::KeyInHeader(_) => "token_key_in_header",
            Self::UnsupportedAlgorithm => "token_unsupported_algorithm",
            Self::WrongType => "token_wrong_type",
            Self::MissingHeader(_) => "token_missing_header",
            Self::UnknownKey => "token_unknown_key",
            Self::AlgorithmMismatch => "token_algorithm_mismatch",
            Self::BadSignature => "token_bad_signature",
            Self::MissingClaim(_) => "token_missing_claim",
            Self::WrongIssuer => "token_wrong_issuer",
            Self::WrongAudience => "token_wrong_audience",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
        }
    }
}

/// Why a public key was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// `kid` is absent, empty or longer than [`MAX_KID_BYTES`].
    #[error("key needs a `kid` of 1 to {MAX_KID_BYTES} bytes")]
    InvalidKid,
    /// A key type, curve or algorithm this verifier does not know. [`crate::KeySet::from_jwks`] skips these.
    #[error("key has an unsupported `{0}`; supported are OKP/Ed25519/EdDSA, EC/P-256/ES256 and RSA/RS256")]
    Unsupported(&'static str),
    /// `use` or `key_ops` say that the key is not for verifying signatures. Skipped in a set as well.
    #[error("key is not meant for verifying signatures; `use` must be sig and `key_ops` exactly verify")]
    NotForVerifying,
    /// `alg` names one of our algorithms, but not the one of this key type.
    #[error("key says `alg` {0}, which its key type cannot do")]
    AlgorithmMismatch(Algorithm),
    /// A member is absent, badly encoded, of the wrong length, or belongs to another key type.
    #[error("key has a missing, misplaced or badly encoded `{0}`")]
    Malformed(&'static str),
    /// The RSA modulus is outside 2048 to 4096 bits.
    #[error("rsa modulus has {0} bits; use 2048 to 4096")]
    RsaModulusSize(usize),
    /// The RSA exponent is even, below 65537 or above 33 bits.
    #[error("rsa exponent is unsafe; use 65537")]
    RsaExponent,
    /// Not a point of the curve, a non-canonical encoding, or a point of small order.
    #[error("key is not a valid point of its curve")]
    InvalidPoint,
    /// Two keys of a set share a `kid`.
    #[error("two keys of the set share one `kid`; every key needs its own")]
    DuplicateKid,
}
