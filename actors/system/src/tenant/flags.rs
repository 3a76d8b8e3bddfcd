use plinto_domain::flag::{Compiled, Flag, FlagKey};
use std::collections::BTreeMap;

/// The flags of a tenant as they were read together.
#[derive(Default)]
pub(crate) struct FlagSet {
    pub(crate) by_key: BTreeMap<FlagKey, KeptFlag>,
}

/// A flag, ready to be asked.
pub(crate) struct KeptFlag {
    pub(crate) flag: Flag,
    pub(crate) compiled: Compiled,
    /// Unix milliseconds.
    pub(crate) created_at: i64,
    /// Unix milliseconds.
    pub(crate) updated_at: i64,
}
