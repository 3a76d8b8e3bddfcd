//! Sessions on several nodes: platforms of one process over one shared engine.

mod fencing;
mod glances;
mod lists;
mod organizations;
mod outages;
mod retries;
pub(crate) mod rig;
mod staleness;
