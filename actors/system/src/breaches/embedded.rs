use super::{BreachedPasswords, HashPrefix, ListUnavailable};
use async_trait::async_trait;

/// Bytes that are kept of each hash: among a hundred thousand of them one password in some billions is taken for
/// another.
const KEPT: usize = 6;
/// Bits of a hash beyond those of a prefix, in what is kept of it.
const BEYOND: u32 = 8 * KEPT as u32 - 20;

/// The first six bytes of the SHA-1 of common leaked passwords, in order. `examples/breached_list.rs` makes it and says
/// of what.
static LIST: &[u8] = include_bytes!("list.bin");

/// The most common leaked passwords, carried by the program: nobody is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbeddedList;

impl EmbeddedList {
    /// What is kept of every hash.
    pub(super) fn hashes() -> &'static [[u8; KEPT]] {
        LIST.as_chunks().0
    }
}

fn number(hash: &[u8; KEPT]) -> u64 {
    hash.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[async_trait]
impl BreachedPasswords for EmbeddedList {
    async fn range(&self, prefix: &HashPrefix) -> Result<Vec<String>, ListUnavailable> {
        let hashes = Self::hashes();
        let from = u64::from(prefix.number()) << BEYOND;
        let first = hashes.partition_point(|hash| number(hash) < from);
        let digits = hashes[first..].iter().map(hex::encode_upper);
        let range = digits.map_while(|digits| digits.strip_prefix(prefix.as_str()).map(str::to_owned));
        Ok(range.collect())
    }
}
