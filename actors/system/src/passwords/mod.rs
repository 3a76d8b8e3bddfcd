//! Password hashing: argon2id with memory reused between hashes, in a per-tenant fair share of a bounded pool.

mod hash;
mod hasher;
mod priority;
mod worker;

pub use hash::{CURRENT_PARAMETERS, HashMemory, hash_password, verify_password};
pub(crate) use hasher::PasswordHasher;
