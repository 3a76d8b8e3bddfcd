//! The experiments. Each takes a binary and a seed, and ends with a report or with the promises that were broken.

mod control;
mod damage;
mod disk_full;
mod first_start;
mod kill;
mod outage;
mod rolling_restart;
mod second_process;
mod several_nodes;
mod shared;

pub use control::control;
pub use damage::damage;
pub use disk_full::{SmallVolume, disk_full};
pub use first_start::first_start;
pub use kill::{KillReport, kill};
pub use outage::outage;
pub use rolling_restart::{RollingRestartReport, rolling_restart};
pub use second_process::second_process;
pub use several_nodes::{SeveralNodes, SeveralNodesReport, several_nodes};

/// Hears how an experiment goes on, line by line.
pub type Progress<'a> = &'a (dyn Fn(String) + Sync);
