use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::material::KeyMaterial;
use crate::{KeyError, backend};

/// A public JSON Web Key (RFC 7517). It has no field for a private member, and deserializing a key that
/// carries one fails: whoever published it has leaked a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawJwk")]
pub struct Jwk {
    /// Key type: `OKP`, `EC` or `RSA`.
    pub kty: String,
    /// `sig` where present.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub public_key_use: Option<String>,
    /// Exactly `verify` where present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    /// The algorithm the key is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// The key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Curve of an `OKP` or `EC` key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Public key (`OKP`) or x coordinate (`EC`), base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// y coordinate of an `EC` key, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Modulus of an `RSA` key, base64url, big-endian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Exponent of an `RSA` key, base64url, big-endian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

impl Jwk {
    /// The RFC 7638 thumbprint: base64url of the SHA-256 of the required members. Our `kid`s are thumbprints.
    ///
    /// # Errors
    /// [`KeyError`] when this is not a key we could verify with.
    pub fn thumbprint(&self) -> Result<String, KeyError> {
        Ok(KeyMaterial::from_jwk(self)?.thumbprint())
    }
}

/// A set of public keys as an issuer publishes it (RFC 7517 section 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys, in no particular order.
    pub keys: Vec<Jwk>,
}

/// Everything a key may carry, to notice the members that must not be there.
#[derive(Deserialize)]
struct RawJwk {
    kty: String,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
    // of an AKP key (the post-quantum signatures)
    #[serde(rename = "priv")]
    private: Option<IgnoredAny>,
}

impl TryFrom<RawJwk> for Jwk {
    type Error = String;

    fn try_from(raw: RawJwk) -> Result<Self, String> {
        let private = [
            ("d", raw.d),
            ("p", raw.p),
            ("q", raw.q),
            ("dp", raw.dp),
            ("dq", raw.dq),
            ("qi", raw.qi),
            ("oth", raw.oth),
            ("k", raw.k),
            ("priv", raw.private),
        ];
        if let Some((name, _)) = private.iter().find(|(_, member)| member.is_some()) {
            return Err(format!(
                "key carries the private member `{name}`; replace the key and publish its public part only"
            ));
        }
        Ok(Self {
            kty: raw.kty,
            public_key_use: raw.public_key_use,
            key_ops: raw.key_ops,
            alg: raw.alg,
            kid: raw.kid,
            crv: raw.crv,
            x: raw.x,
            y: raw.y,
            n: raw.n,
            e: raw.e,
        })
    }
}

/// RFC 7638: SHA-256 of the canonical members, base64url.
pub(crate) fn thumbprint_of(canonical: &str) -> String {
    URL_SAFE_NO_PAD.encode(backend::sha256(canonical.as_bytes()))
}
