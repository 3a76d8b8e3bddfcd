/// A source of cryptographically secure random bytes.
///
/// The composition root passes in the system's generator; tests pass in a seeded one.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}
