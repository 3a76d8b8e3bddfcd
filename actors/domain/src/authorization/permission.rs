use crate::input::InvalidInput;
use std::fmt;

/// Stands for every resource type, or every action.
pub(super) const ANY: &str = "*";
/// Longest part in characters.
const LONGEST: usize = 64;

/// A right: `resource:action`, such as `document:read`.
///
/// Each part is 1 to 64 of `a-z A-Z 0-9 _ . -`, or `*` alone, which stands for all: `document:*` is everything one can
/// do to documents, `*:read` is reading everything, `*:*` is everything. There is no other pattern, so what a
/// permission covers can be seen from its text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    resource: Box<str>,
    action: Box<str>,
}

impl Permission {
    /// Reads `resource:action`.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let parts = text.split_once(':').filter(|(resource, action)| is_part(resource) && is_part(action));
        let Some((resource, action)) = parts else {
            let detail = "a permission is `resource:action`; each is 1 to 64 of a-z A-Z 0-9 _ . - or `*`";
            return Err(InvalidInput::new(field, "invalid_permission", detail));
        };
        Ok(Self { resource: resource.into(), action: action.into() })
    }

    /// On which type of resources; `*` is all.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// To do what; `*` is all.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Whether it is the right to do `action` to resources of type `resource`.
    pub fn covers(&self, resource: &str, action: &str) -> bool {
        (&*self.resource == ANY || &*self.resource == resource)
            && (&*self.action == ANY || &*self.action == action)
    }
}

fn is_part(text: &str) -> bool {
    text == ANY || is_name(text)
}

/// Whether a text names one type or one action.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed)
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
