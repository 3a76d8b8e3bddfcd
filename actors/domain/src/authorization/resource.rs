use super::permission::is_name;
use crate::input::InvalidInput;
use std::fmt;

/// Longest id of a resource in bytes.
const LONGEST: usize = 256;

/// One resource of the tenant's own application: `type:id`, such as `document:42`. `Debug` shows its type only: an id
/// may be somebody's address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceRef {
    kind: Box<str>,
    id: Box<str>,
}

impl ResourceRef {
    /// Reads `type:id`. The type is written as in a permission; the id is 1 to 256 bytes without control characters.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let refuse = || {
            let detail =
                "a resource is `type:id`; the type is 1 to 64 of a-z A-Z 0-9 _ . -, the id at most 256 bytes";
            InvalidInput::new(field, "invalid_resource", detail)
        };
        let (kind, id) = text.split_once(':').ok_or_else(refuse)?;
        let good = is_name(kind) && (1..=LONGEST).contains(&id.len()) && !id.chars().any(char::is_control);
        if !good {
            return Err(refuse());
        }
        Ok(Self { kind: kind.into(), id: id.into() })
    }

    /// Its type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its id within the type.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl fmt::Debug for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:(redacted)", self.kind)
    }
}
