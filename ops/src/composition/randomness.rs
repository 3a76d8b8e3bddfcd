use plinto_domain::randomness::Randomness;
use plinto_storage::Entropy;
use rand::Rng;

/// The system's generator: ChaCha12 per thread, seeded and reseeded by the operating system.
pub(crate) struct SystemRandomness;

#[expect(clippy::disallowed_methods, reason = "this is the one place that opens the system's generator")]
fn fill_from_system(out: &mut [u8]) {
    rand::rng().fill_bytes(out);
}

impl Randomness for SystemRandomness {
    fn fill(&self, out: &mut [u8]) {
        fill_from_system(out);
    }
}

impl Entropy for SystemRandomness {
    fn fill(&self, out: &mut [u8]) {
        fill_from_system(out);
    }
}
