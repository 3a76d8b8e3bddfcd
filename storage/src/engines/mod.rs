//! The engines. Only the composition root names one.

pub mod sqlite;
