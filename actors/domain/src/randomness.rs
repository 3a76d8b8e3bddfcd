//! Randomness as a parameter.

use zeroize::Zeroizing;

/// A cryptographically secure source of bytes, opened once by the composition root.
pub trait Randomness: Send + Sync {
    /// Fills `out` with unpredictable bytes.
    fn fill(&self, out: &mut [u8]);
}

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes from here on would make some characters likelier than others.
const FAIR_BYTES: u8 = 248;

/// So many random letters and digits, each as likely as any other.
pub(crate) fn base_62(length: usize, randomness: &dyn Randomness) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < length {
        randomness.fill(&mut *bytes);
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BYTES);
        let characters = fair.map(|byte| char::from(BASE_62[usize::from(byte % 62)]));
        let missing = length - text.len();
        text.extend(characters.take(missing));
    }
    text
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Randomness;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Predictable bytes for tests: each call is filled with the next number.
    #[derive(Default)]
    pub(crate) struct Counting(AtomicU8);

    impl Randomness for Counting {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }
}
