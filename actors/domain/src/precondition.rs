//! What a change may start from: the versions its sender has seen.

use crate::denial::{Denial, STALE_VERSION};

/// The versions a change may start from (RFC 9110 §13.1.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Precondition {
    /// Whatever there is.
    #[default]
    None,
    /// One of these.
    OneOf(Vec<i64>),
}

impl Precondition {
    /// Refuses a change that starts from another version.
    pub fn check(&self, present: i64) -> Result<(), Denial> {
        match self {
            Self::None => Ok(()),
            Self::OneOf(versions) if versions.contains(&present) => Ok(()),
            Self::OneOf(_) => Err(STALE_VERSION),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_versions_may_be_changed() {
        assert_eq!(Precondition::None.check(7), Ok(()));
        assert_eq!(Precondition::OneOf(vec![6, 7]).check(7), Ok(()));
        assert_eq!(Precondition::OneOf(vec![6]).check(7), Err(STALE_VERSION));
        assert_eq!(
            Precondition::OneOf(vec![]).check(7),
            Err(STALE_VERSION),
            "tags that are no versions of ours"
        );
    }
}
