//! Randomness as a parameter.

/// A cryptographically secure source of bytes, opened once by the composition root.
pub trait Randomness: Send + Sync {
    /// Fills `out` with unpredictable bytes.
    fn fill(&self, out: &mut [u8]);
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
