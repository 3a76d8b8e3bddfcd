//! The real binary, driven as an operator drives it.

mod admin;
mod audit;
mod backup;
mod bring;
mod command_line;
mod configuration;
mod dev;
mod migrate;
mod nodes;
mod refusals;
mod serve;
mod shared;
mod support;
mod tree;
mod users;
mod walk_through;
