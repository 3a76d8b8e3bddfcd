//! A session: one supervised actor per live sign-in, activated on demand, passivated when idle.

mod actor;
mod commit;
mod handle;
mod messages;
mod refresh;
mod refresh_tokens;
mod state;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use actor::SessionActor;
pub(crate) use handle::{Refreshed, SessionHandle};
pub(crate) use messages::RefreshRequest;
pub use messages::SessionKey;
pub(crate) use refresh_tokens::{Presented, client_index, issue};
