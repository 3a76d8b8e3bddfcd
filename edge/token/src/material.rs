use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::edwards::CompressedEdwardsY;

use crate::jwk::thumbprint_of;
use crate::{Algorithm, Jwk, KeyError};

/// Fewest and most bits of an RSA modulus. More than 4096 buys nothing and costs every verifier.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// 65537 and at most 33 bits: what FIPS 186-5 demands and both backends can do.
const RSA_EXPONENTS: std::ops::RangeInclusive<u64> = 65_537..=0x1_ffff_ffff;

/// The numbers of a public key, checked here where the backends would differ in what they refuse.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum KeyMaterial {
    /// The encoded point.
    Ed25519([u8; 32]),
    /// The uncompressed SEC 1 point: 4, x, y.
    P256([u8; 65]),
    /// Big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl KeyMaterial {
    pub(crate) fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let material = match jwk.kty.as_str() {
            "OKP" => Self::okp(jwk)?,
            "EC" => Self::ec(jwk)?,
            "RSA" => Self::rsa_jwk(jwk)?,
            _ => return Err(KeyError::Unsupported("kty")),
        };
        let for_signatures = jwk.public_key_use.as_deref().is_none_or(|purpose| purpose == "sig");
        let for_verifying = jwk.key_ops.as_deref().is_none_or(|operations| operations == ["verify"]);
        if !for_signatures || !for_verifying {
            return Err(KeyError::NotForVerifying);
        }
        if let Some(name) = &jwk.alg {
            let algorithm = Algorithm::from_name(name).ok_or(KeyError::Unsupported("alg"))?;
            if algorithm != material.algorithm() {
                return Err(KeyError::AlgorithmMismatch(algorithm));
            }
        }
        Ok(material)
    }

    fn okp(jwk: &Jwk) -> Result<Self, KeyError> {
        require_curve(jwk, "Ed25519")?;
        require_absent([("y", &jwk.y), ("n", &jwk.n), ("e", &jwk.e)])?;
        Self::ed25519(coordinate(&jwk.x, "x")?)
    }

    fn ec(jwk: &Jwk) -> Result<Self, KeyError> {
        require_curve(jwk, "P-256")?;
        require_absent([("n", &jwk.n), ("e", &jwk.e)])?;
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&coordinate(&jwk.x, "x")?);
        point[33..].copy_from_slice(&coordinate(&jwk.y, "y")?);
        Ok(Self::P256(point))
    }

    fn rsa_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        require_absent([("crv", &jwk.crv), ("x", &jwk.x), ("y", &jwk.y)])?;
        Self::rsa(decode(&jwk.n, "n")?, decode(&jwk.e, "e")?)
    }

    pub(crate) fn ed25519(point: [u8; 32]) -> Result<Self, KeyError> {
        if is_sound_ed25519(&point) { Ok(Self::Ed25519(point)) } else { Err(KeyError::InvalidPoint) }
    }

    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, KeyError> {
        // RFC 7518 section 6.3.1: the minimum number of octets, so no leading zero
        let first = *n.first().filter(|first| **first != 0).ok_or(KeyError::Malformed("n"))?;
        let bits = n.len() * 8 - first.leading_zeros() as usize;
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError::RsaModulusSize(bits));
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyError::Malformed("n"));
        }
        if e.first().is_none_or(|first| *first == 0) {
            return Err(KeyError::Malformed("e"));
        }
        if e.len() > 8 {
            return Err(KeyError::RsaExponent);
        }
        let exponent = e.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        if exponent % 2 == 0 || !RSA_EXPONENTS.contains(&exponent) {
            return Err(KeyError::RsaExponent);
        }
        Ok(Self::Rsa { n, e })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    pub(crate) fn to_jwk(&self, kid: String) -> Jwk {
        let mut jwk = Jwk {
            kty: String::new(),
            public_key_use: Some("sig".to_owned()),
            key_ops: None,
            alg: Some(self.algorithm().name().to_owned()),
            kid: Some(kid),
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
        };
        match self {
            Self::Ed25519(point) => {
                jwk.kty = "OKP".to_owned();
                jwk.crv = Some("Ed25519".to_owned());
                jwk.x = Some(encode(point));
            }
            Self::P256(point) => {
                jwk.kty = "EC".to_owned();
                jwk.crv = Some("P-256".to_owned());
                jwk.x = Some(encode(&point[1..33]));
                jwk.y = Some(encode(&point[33..]));
            }
            Self::Rsa { n, e } => {
                jwk.kty = "RSA".to_owned();
                jwk.n = Some(encode(n));
                jwk.e = Some(encode(e));
            }
        }
        jwk
    }

    /// RFC 7638 section 3: the required members only, in lexicographic order, without white space.
    pub(crate) fn thumbprint(&self) -> String {
        thumbprint_of(&match self {
            Self::Ed25519(point) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(point)),
            Self::P256(point) => {
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        })
    }
}

/// The point of a canonical encoding that is not of small order: under the points of order 1, 2, 4 and 8 one
/// signature verifies for many messages.
fn is_sound_ed25519(point: &[u8; 32]) -> bool {
    let encoded = CompressedEdwardsY(*point);
    encoded.decompress().is_some_and(|point| point.compress() == encoded && !point.is_small_order())
}

fn require_curve(jwk: &Jwk, curve: &str) -> Result<(), KeyError> {
    match jwk.crv.as_deref() {
        Some(crv) if crv == curve => Ok(()),
        Some(_) => Err(KeyError::Unsupported("crv")),
        None => Err(KeyError::Malformed("crv")),
    }
}

fn require_absent<const N: usize>(members: [(&'static str, &Option<String>); N]) -> Result<(), KeyError> {
    match members.iter().find(|(_, member)| member.is_some()) {
        Some((name, _)) => Err(KeyError::Malformed(name)),
        None => Ok(()),
    }
}

fn coordinate(member: &Option<String>, name: &'static str) -> Result<[u8; 32], KeyError> {
    decode(member, name)?.try_into().map_err(|_| KeyError::Malformed(name))
}

fn decode(member: &Option<String>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = member.as_deref().ok_or(KeyError::Malformed(name))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Malformed(name))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
