//! Password hashing: argon2id with memory reused between hashes, in a per-tenant fair share of a bounded pool. Hashes
//! made elsewhere are checked once, and then replaced by ours.

mod foreign;
mod hash;
mod hasher;
mod pace;
mod priority;

pub use hash::{CURRENT_PARAMETERS, HashMemory, hash_password, verify_password};
pub(crate) use hasher::{Chosen, PasswordHasher};
pub(crate) use priority::give_way;
