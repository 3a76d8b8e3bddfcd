//! Time, randomness, places and lists of breached passwords, opened once by the composition root.

use crate::breaches::Breaches;
use crate::dns::{NoDns, TxtRecords};
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
    dns: Arc<dyn TxtRecords>,
}

impl Environment {
    /// An environment over the given clock and generator, in which no place is known, the DNS is silent, and of breached
    /// passwords those this program carries are known.
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        let (places, breaches, dns) = (Arc::new(Nowhere), Breaches::default(), Arc::new(NoDns));
        Self { clock, randomness, places, breaches, dns }
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

    /// The same, in which the DNS can be asked.
    #[must_use]
    pub fn with_dns(self, dns: Arc<dyn TxtRecords>) -> Self {
        Self { dns, ..self }
    }

    /// What the DNS says.
    pub(crate) fn dns(&self) -> &dyn TxtRecords {
        &*self.dns
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
