use std::fmt;

use crate::material::KeyMaterial;
use crate::{Algorithm, Jwk, KeyError, MAX_KID_BYTES, TokenError, backend};

/// A public key, parsed once, bound to one algorithm. Cheap to clone.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: String,
    material: KeyMaterial,
    public: backend::PublicKey,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).field("alg", &self.algorithm()).finish()
    }
}

impl VerifyingKey {
    /// Parses a public key and checks that its `kty`, `crv`, `alg`, `use` and `key_ops` agree.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong; weak keys (small RSA modulus, small-order points) are refused.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let kid = jwk.kid.clone().ok_or(KeyError::InvalidKid)?;
        let material = KeyMaterial::from_jwk(jwk)?;
        Self::new(kid, material)
    }

    pub(crate) fn new(kid: String, material: KeyMaterial) -> Result<Self, KeyError> {
        if kid.is_empty() || kid.len() > MAX_KID_BYTES {
            return Err(KeyError::InvalidKid);
        }
        let public = backend::PublicKey::new(&material)?;
        Ok(Self { kid, material, public })
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.material.algorithm()
    }

    /// The key as it is published.
    pub fn to_jwk(&self) -> Jwk {
        self.material.to_jwk(self.kid.clone())
    }

    /// Verifies a bare signature over `message`: for JWS, the first two parts with their dot.
    ///
    /// # Errors
    /// [`TokenError::BadSignature`], without a reason: there is nothing a caller should do differently.
    pub fn verify_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        if self.public.verify(message, signature) { Ok(()) } else { Err(TokenError::BadSignature) }
    }
}
