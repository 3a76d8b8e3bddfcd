//! The suite every engine must pass.
