//! Randomness of the experiments: all of it comes from one printed seed.

use rand::SeedableRng;
use rand::TryRng;
use rand::rngs::{SmallRng, SysRng};

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// A new one, from the operating system.
    pub fn fresh() -> Self {
        // Short, so that it can be typed.
        Self(u64::from(SysRng.try_next_u32().expect("the operating system always has randomness")))
    }

    /// The generator of one part of the run: the same for the same seed, round and part, whatever else was drawn.
    pub fn generator(self, round: usize, part: u64) -> SmallRng {
        let round = u64::try_from(round).expect("rounds fit into 64 bits");
        let mixed = self.0 ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ part.rotate_left(32);
        SmallRng::seed_from_u64(mixed)
    }
}
