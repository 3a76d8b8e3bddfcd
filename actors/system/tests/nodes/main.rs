//! Several nodes over one database, in one process and in paused time.

mod api_keys;
mod authorization;
mod cluster;
mod disturbances;
mod engine;
mod flags;
mod limits;
mod organizations;
mod revocation;
mod rig;
mod sign_ups;
mod tenants;
