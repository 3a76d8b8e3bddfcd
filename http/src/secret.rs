//! Secrets in request bodies.

use serde::{Deserialize, Deserializer};
use std::fmt;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A password or token in a request body. Zeroized on drop; `Debug` shows nothing.
#[derive(ToSchema)]
#[schema(value_type = String, format = Password)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_inner(self) -> Zeroizing<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
