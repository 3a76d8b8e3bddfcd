//! The mathematics. Each backend has the same items, `PublicKey` and `sha256`; the target chooses one.

#[cfg(not(target_arch = "wasm32"))]
mod aws_lc;
#[cfg(target_arch = "wasm32")]
mod pure_rust;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use aws_lc::{PublicKey, sha256};
#[cfg(target_arch = "wasm32")]
pub(crate) use pure_rust::{PublicKey, sha256};
