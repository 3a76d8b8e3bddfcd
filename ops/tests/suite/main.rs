//! The real binary, driven as an operator drives it.

mod admin;
mod audit;
mod backup;
mod command_line;
mod configuration;
mod dev;
mod refusals;
mod serve;
mod support;
mod tree;
