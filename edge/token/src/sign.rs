use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::material::KeyMaterial;
use crate::{Algorithm, Jwk, KeyError, MAX_TOKEN_BYTES, VerifyingKey};

/// Why a key could not be used for signing, or a token not be signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The PKCS#8 document is not a private key of the algorithm.
    #[error("private key is not a pkcs8 document of the {0} algorithm")]
    PrivateKey(Algorithm),
    /// The public part or the `kid` breaks a rule.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The cryptographic library failed, which it does when the system gives it no randomness or memory.
    #[error("cryptographic library failed to {0}")]
    Library(&'static str),
    /// The claims cannot be written as a JSON object.
    #[error("claims cannot be written: {0}")]
    Claims(#[source] serde_json::Error),
    /// No verifier would look at the token.
    #[error("token of {0} bytes would be longer than {MAX_TOKEN_BYTES}; put less into its claims")]
    TooLarge(usize),
}

/// A private key with its parsed key pair kept, bound to one algorithm.
///
/// Generating a key, and the nonces and blinding of ES256 and RS256, draw from aws-lc's own generator, which
/// the operating system seeds: the library takes no generator from outside. Tests that need the same bytes every time
/// use EdDSA or RS256, whose signatures are deterministic, with a fixed PKCS#8 document.
pub struct SigningKey {
    pair: KeyPair,
    verifying: VerifyingKey,
}

enum KeyPair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .field("alg", &self.algorithm())
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key with its RFC 7638 thumbprint as `kid`. RSA keys have 2048 bits and take a tenth of a
    /// second or more: do not call this on an executor thread.
    ///
    /// # Errors
    /// [`SignError::Library`] when the system has no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SignError> {
        const FAILED: SignError = SignError::Library("generate a key");
        let pair = match algorithm {
            Algorithm::EdDsa => KeyPair::Ed25519(Ed25519KeyPair::generate().map_err(|_| FAILED)?),
            Algorithm::Es256 => {
                KeyPair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| FAILED)?)
            }
            Algorithm::Rs256 => KeyPair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| FAILED)?),
        };
        let kid = pair.public()?.thumbprint();
        Self::new(pair, kid)
    }

    /// Takes back a key that [`SigningKey::to_pkcs8`] gave out.
    ///
    /// # Errors
    /// [`SignError::PrivateKey`] or [`SignError::Key`].
    pub fn from_pkcs8(algorithm: Algorithm, kid: &str, pkcs8: &[u8]) -> Result<Self, SignError> {
        let refused = |_| SignError::PrivateKey(algorithm);
        let pair = match algorithm {
            Algorithm::EdDsa => KeyPair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(refused)?),
            Algorithm::Es256 => KeyPair::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(refused)?,
            ),
            Algorithm::Rs256 => KeyPair::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(refused)?),
        };
        Self::new(pair, kid.to_owned())
    }

    fn new(pair: KeyPair, kid: String) -> Result<Self, SignError> {
        let verifying = VerifyingKey::new(kid, pair.public()?)?;
        Ok(Self { pair, verifying })
    }

    /// The private key as a PKCS#8 document, to be sealed at rest. The bytes are wiped when dropped.
    ///
    /// # Errors
    /// [`SignError::Library`] when the key cannot be written.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SignError> {
        const FAILED: SignError = SignError::Library("write the private key");
        let bytes = match &self.pair {
            KeyPair::Ed25519(pair) => pair.to_pkcs8().map_err(|_| FAILED)?.as_ref().to_vec(),
            KeyPair::P256(pair) => pair.to_pkcs8v1().map_err(|_| FAILED)?.as_ref().to_vec(),
            KeyPair::Rsa(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(|_| FAILED)?.as_ref().to_vec()
            }
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// The one algorithm this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The public part for the issuer's key set.
    pub fn public_jwk(&self) -> Jwk {
        self.verifying.to_jwk()
    }

    /// The public part, ready to verify.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs `claims` as a compact JWS whose header is `alg`, `kid` and `typ`.
    ///
    /// # Errors
    /// [`SignError::Claims`], [`SignError::TooLarge`] or [`SignError::Library`].
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        #[derive(Serialize)]
        struct Header<'a> {
            alg: Algorithm,
            kid: &'a str,
            typ: &'a str,
        }
        self.sign_under(&Header { alg: self.algorithm(), kid: self.kid(), typ }, claims)
    }

    /// Signs `claims` as a compact JWS whose header is `alg`, `typ` and the public key: a proof that its sender has the
    /// private one (RFC 9449 section 4.2).
    ///
    /// # Errors
    /// [`SignError::Claims`], [`SignError::TooLarge`] or [`SignError::Library`].
    pub fn sign_proof(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        #[derive(Serialize)]
        struct Header<'a> {
            alg: Algorithm,
            jwk: Jwk,
            typ: &'a str,
        }
        self.sign_under(&Header { alg: self.algorithm(), jwk: self.public_jwk(), typ }, claims)
    }

    fn sign_under(&self, header: &impl Serialize, claims: &impl Serialize) -> Result<String, SignError> {
        let header = serde_json::to_vec(header).map_err(SignError::Claims)?;
        let payload = serde_json::to_vec(claims).map_err(SignError::Claims)?;
        let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 100);
        URL_SAFE_NO_PAD.encode_string(&header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        if token.len() > MAX_TOKEN_BYTES {
            return Err(SignError::TooLarge(token.len()));
        }
        Ok(token)
    }
}

impl KeyPair {
    fn public(&self) -> Result<KeyMaterial, KeyError> {
        match self {
            Self::Ed25519(pair) => {
                let point = pair.public_key().as_ref().try_into().map_err(|_| KeyError::InvalidPoint)?;
                KeyMaterial::ed25519(point)
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref().try_into().map_err(|_| KeyError::InvalidPoint)?;
                Ok(KeyMaterial::P256(point))
            }
            Self::Rsa(pair) => {
                let public = pair.public_key();
                let n = public.modulus().big_endian_without_leading_zero().to_vec();
                let e = public.exponent().big_endian_without_leading_zero().to_vec();
                KeyMaterial::rsa(n, e)
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        const FAILED: SignError = SignError::Library("sign");
        match self {
            Self::Ed25519(pair) => Ok(pair.try_sign(message).map_err(|_| FAILED)?.as_ref().to_vec()),
            Self::P256(pair) => {
                Ok(pair.sign(&SystemRandom::new(), message).map_err(|_| FAILED)?.as_ref().to_vec())
            }
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| FAILED)?;
                Ok(signature)
            }
        }
    }
}
