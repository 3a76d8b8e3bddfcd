//! Many nodes over Redis, which may go away and come back at any moment.
//!
//! * [`link`] keeps one multiplexed connection and says whether Redis answers; nothing waits while it does not.
//! * [`outbox`] appends this node's notices to one bounded stream, [`inbox`] reads those of others from it.
//! * [`presence`] says once a second that this node is alive.

mod connector;
mod inbox;
mod link;
mod options;
mod outbox;
mod presence;
mod script;
mod shared;

pub use options::{OptionsError, RedisOptions, RedisUrl};
pub use shared::RedisShared;
