//! A session: one supervised actor per live sign-in, activated on demand, passivated when idle.

mod actor;
mod commit;
mod glance;
mod handle;
mod messages;
mod refresh;
mod refresh_tokens;
mod sightings;
mod state;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use actor::SessionActor;
pub(crate) use handle::{Refreshed, SessionEnds, SessionHandle};
pub use messages::SessionKey;
pub(crate) use messages::{Ending, Proof, RefreshRequest, Shown};
pub(crate) use refresh_tokens::{Presented, client_index, issue};
pub(crate) use state::last_seen;
