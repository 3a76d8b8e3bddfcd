//! The runtime through its public API, in paused time.

mod admission;
mod interleavings;
mod lifecycle;
mod observation;
mod passivation;
mod pool;
mod rig;
mod shutdown;
mod supervision;
