//! Many nodes over Redis, which may go away and come back at any moment.
//!
//! * [`link`] keeps one multiplexed connection and says whether Redis takes writes; nothing waits while it does not.
//! * [`outbox`] appends this node's notices to one bounded stream, [`inbox`] reads those of others from it.
//! * [`presence`] says once a second that this node is alive, in an entry that [`signature`] vouches for.

mod connector;
mod inbox;
mod link;
mod options;
mod outbox;
mod presence;
mod script;
mod shared;
mod signature;

pub use options::{OptionsError, RedisOptions, RedisUrl};
pub use shared::RedisShared;
