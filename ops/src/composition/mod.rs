//! The composition root: the only place that reads the wall clock, opens the system's generator and names a storage
//! engine.

mod clock;
mod cluster;
mod dns;
mod engine;
mod instance;
mod logging;
mod mail;
mod master_key;
mod places;
mod platform_key;
mod randomness;
mod run_file;
mod secret;
mod signals;

pub(crate) use clock::SystemClock;
pub(crate) use cluster::RedisProblem;
pub(crate) use dns::{Dns, DnsProblem};
pub(crate) use engine::{DatabaseProblem, database_url, holds_files, open_database, open_engine, open_files};
pub(crate) use instance::{Instance, StartError, Stopped};
pub(crate) use logging::start as start_logging;
pub(crate) use mail::MailProblem;
pub(crate) use master_key::{
    MasterKeyProblem, find as find_master_key, find_or_create as find_or_create_master_key,
    in_directory as master_key_in_directory, in_file as master_key_in_file,
};
pub(crate) use places::{MaxMindPlaces, PlacesProblem};
pub(crate) use platform_key::{FILE as PLATFORM_KEY_FILE, read as read_platform_key};
pub(crate) use randomness::SystemRandomness;
pub(crate) use run_file::{RunInfo, running};
pub(crate) use secret::SecretProblem;
pub(crate) use signals::Signals;
