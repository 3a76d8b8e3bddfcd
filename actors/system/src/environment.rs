//! Time, randomness, places and lists of breached passwords, opened once by the composition root.

use crate::breaches::Breaches;
use crate::places::{Nowhere, Places};
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
    places: Arc<dyn Places>,
    breaches: Breaches,
}

impl Environment {
    /// An environment over the given clock and generator, in which no place is known, and of breached passwords those
    /// this program carries.
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { clock, randomness, places: Arc::new(Nowhere), breaches: Breaches::default() }
    }

    /// The same, in which places are known.
    #[must_use]
    pub fn with_places(self, places: Arc<dyn Places>) -> Self {
        Self { places, ..self }
    }

    /// The same, in which other passwords are known from breaches.
    #[must_use]
    pub fn with_breaches(self, breaches: Breaches) -> Self {
        Self { breaches, ..self }
    }

    /// Which passwords are known from breaches.
    pub(crate) fn breaches(&self) -> &Breaches {
        &self.breaches
    }

    /// Where addresses are.
    pub(crate) fn places(&self) -> &dyn Places {
        &*self.places
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
