//! The wall clock and the generator the platform is given, the same as those of the `plinto` binary.

use plinto_actors::Clock;
use plinto_domain::Timestamp;
use plinto_domain::randomness::Randomness;
use plinto_storage::Entropy;
use rand::Rng;
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark is a composition root and opens the clock once"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The system's generator.
pub(crate) struct SystemRandomness;

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark is a composition root and opens the generator once"
)]
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
