//! Time and randomness, opened once by the composition root.

use plinto_domain::Timestamp;
use plinto_domain::randomness::Randomness;
use std::fmt;
use std::sync::Arc;

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// What decisions are given besides state and command.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl Environment {
    /// An environment over the given clock and generator.
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { clock, randomness }
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The generator.
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.randomness
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
