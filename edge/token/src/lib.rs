//! The one token verifier of Plinto: compact JWS, JSON Web Keys and RFC 9068 access-token claims.
//!
//! Pure on purpose: no clock (`now` is a field of [`Expectations`]), no IO, no key fetching, no cache.
//! It compiles for native targets, where aws-lc-rs does the mathematics, and for
//! `wasm32-unknown-unknown`, where pure Rust crates do. Which one is chosen by target alone, so both
//! never meet in one binary.
//!
//! ```
//! use plinto_token::{Expectations, Jwks, KeySet, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let jwks: Jwks = serde_json::from_str(r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig",
//!     "kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#)?;
//! let keys = KeySet::from_jwks(&jwks)?;
//! let expect = Expectations {
//!     issuer: "https://id.example/t/demo",
//!     audience: Some("https://api.example"),
//!     now: 1_790_000_000,
//!     leeway: 30,
//!     typ: plinto_token::ACCESS_TOKEN_TYPE,
//! };
//! let refused = verify("not.a.token", &keys, &expect).unwrap_err();
//! assert_eq!(refused.code(), "token_malformed");
//! # Ok(())
//! # }
//! ```

#[cfg(all(feature = "sign", target_arch = "wasm32"))]
compile_error!(
    "feature `sign` of plinto-token is native only: the edge verifies and never holds a private key"
);

mod algorithm;
mod backend;
mod claims;
mod client_jws;
mod error;
mod header;
mod jwk;
mod key;
mod key_set;
mod material;
#[cfg(all(feature = "sign", not(target_arch = "wasm32")))]
mod sign;
mod strict_json;
mod verify;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use client_jws::ClientJws;
pub use error::{KeyError, Part, TokenError};
pub use header::UnverifiedHeader;
pub use jwk::{Jwk, Jwks};
pub use key::VerifyingKey;
pub use key_set::KeySet;
#[cfg(all(feature = "sign", not(target_arch = "wasm32")))]
pub use sign::{SignError, SigningKey};
pub use verify::{Expectations, UnverifiedToken, check_times, leading_issuer, verify};

/// The `typ` of a JWT access token (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// Longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Longest `kid`, in bytes, in a header and in a key.
pub const MAX_KID_BYTES: usize = 128;
