//! The engines. Only the composition root names one.

pub mod postgres;
pub mod sqlite;
