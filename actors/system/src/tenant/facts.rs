use serde_json::{Map, Value};

/// What flags and policies may ask of a user. No `Debug`: it is personal.
pub(crate) struct Facts {
    /// What the tenant lets the user read.
    pub(crate) metadata: Map<String, Value>,
    /// Domain of the primary address, in lower case, if the address was verified.
    pub(crate) email_domain: Option<String>,
}
