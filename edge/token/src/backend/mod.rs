//! The mathematics. Each backend has the same items, `PublicKey` and `sha256`; the target chooses one.
//! Tests compile both and hold them against each other.

#[cfg(not(target_arch = "wasm32"))]
mod aws_lc;
#[cfg(any(target_arch = "wasm32", test))]
mod pure_rust;
#[cfg(test)]
mod tests;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use aws_lc::{PublicKey, sha256};
#[cfg(target_arch = "wasm32")]
pub(crate) use pure_rust::{PublicKey, sha256};
