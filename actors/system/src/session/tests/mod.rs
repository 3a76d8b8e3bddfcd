//! Sessions on several nodes: platforms of one process over one shared engine.

mod fencing;
mod outages;
mod retries;
mod rig;
mod staleness;
