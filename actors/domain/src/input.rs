//! What is wrong with an input, for the person who sent it.

use serde::Serialize;

/// One refused field. Never carries the refused value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct InvalidInput {
    /// Name of the field as in the request.
    pub field: &'static str,
    /// Stable machine-readable reason.
    pub code: &'static str,
    /// What to do about it.
    pub detail: String,
}

impl InvalidInput {
    /// A refusal of `field` with a stable `code` and advice.
    pub fn new(field: &'static str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { field, code, detail: detail.into() }
    }
}
