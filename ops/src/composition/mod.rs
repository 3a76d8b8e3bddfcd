//! The composition root: the only place that reads the wall clock, opens the system's generator and names a storage
//! engine.

mod clock;
mod instance;
mod logging;
mod master_key;
mod platform_key;
mod randomness;
mod run_file;
mod signals;

pub(crate) use clock::SystemClock;
pub(crate) use instance::{Instance, StartError, Stopped, open_engine};
pub(crate) use logging::start as start_logging;
pub(crate) use master_key::{
    MasterKeyProblem, find as find_master_key, find_or_create as find_or_create_master_key,
};
pub(crate) use platform_key::{FILE as PLATFORM_KEY_FILE, read as read_platform_key};
pub(crate) use randomness::SystemRandomness;
pub(crate) use run_file::{RunInfo, running};
pub(crate) use signals::Signals;
