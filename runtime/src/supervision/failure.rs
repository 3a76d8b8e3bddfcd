//! Failures as they are shown: redacted.

use crate::actor::VirtualActor;
use crate::directory::Slot;
use crate::supervision::RestartBudget;
use std::any::Any;
use std::sync::Arc;

/// What a key remembers of its failures while the window lasts.
#[derive(Default)]
pub(crate) struct Trouble {
    pub(crate) budget: RestartBudget,
    pub(crate) restarts: u32,
    pub(crate) last_failure: Option<Arc<str>>,
}

/// The error an incarnation dies with. Travels through ractor to the supervisor, which finds the slot by it.
pub(crate) struct Exit<V: VirtualActor> {
    pub(crate) slot: Arc<Slot<V>>,
    pub(crate) incarnation: u32,
    pub(crate) reason: Arc<str>,
}

impl<V: VirtualActor> std::fmt::Debug for Exit<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exit").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<V: VirtualActor> std::fmt::Display for Exit<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl<V: VirtualActor> std::error::Error for Exit<V> {}

/// Shows a panic's text only if it is a literal of the program: a formatted one may carry personal data.
pub(crate) fn redact_panic(payload: &(dyn Any + Send)) -> Arc<str> {
    payload
        .downcast_ref::<&'static str>()
        .map_or_else(|| Arc::from("panicked (text withheld)"), |text| Arc::from(format!("panicked: {text}")))
}
