//! Refusals by a rule: what was asked is well formed and its sender is known, and still it is not done.
//!
//! Each capability declares its own as constants next to the rule, and lists them in its `DENIALS`; [`all`] is the
//! catalogue that the OpenAPI document shows.

/// What kind of refusal it is; decides the HTTP status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DenialKind {
    /// There is no such thing, or it is not the caller's to see: the two look the same.
    Unknown,
    /// Something else stands in the way, such as a name that is taken or a rule about the state.
    Conflict,
    /// The caller may not do this, and may know that it exists.
    Forbidden,
    /// It was there and is used up or has expired.
    Gone,
    /// The version the caller named is not the present one.
    Stale,
    /// What was asked contradicts what was asked before.
    Contradiction,
}

/// A refusal. Its texts are constants: nothing of the request is in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Denial {
    /// What kind it is.
    pub kind: DenialKind,
    /// Stable machine-readable code.
    pub code: &'static str,
    /// The refusal in a few words.
    pub title: &'static str,
    /// What to do about it.
    pub detail: &'static str,
}

impl Denial {
    /// Declares a refusal.
    pub const fn new(
        kind: DenialKind,
        code: &'static str,
        title: &'static str,
        detail: &'static str,
    ) -> Self {
        Self { kind, code, title, detail }
    }
}

/// The version of `If-Match` is not the present one (RFC 9110 §13.1.1).
pub const STALE_VERSION: Denial = Denial::new(
    DenialKind::Stale,
    "version_mismatch",
    "Version mismatch",
    "this was changed since you read it; read it again and repeat the change with its new ETag",
);

/// Refusals of this module.
const DENIALS: &[Denial] = &[STALE_VERSION];

/// Every refusal there is, by capability.
pub fn all() -> impl Iterator<Item = &'static Denial> {
    [
        DENIALS,
        crate::api_key::DENIALS,
        crate::audit_query::DENIALS,
        crate::privacy::DENIALS,
        crate::idempotency::DENIALS,
        crate::service_account::DENIALS,
        crate::session::DENIALS,
        crate::user::DENIALS,
        crate::authorization::DENIALS,
        crate::flag::DENIALS,
        crate::policy::DENIALS,
        crate::oauth::DENIALS,
        crate::one_time::DENIALS,
        crate::organization::DENIALS,
        crate::organization::invitation::DENIALS,
        crate::organization::domain::DENIALS,
        crate::passwordless::DENIALS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::all;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_every_refusal_says_what_to_do() {
        let mut codes = BTreeSet::new();
        for denial in all() {
            assert!(codes.insert(denial.code), "{} is declared twice", denial.code);
            let is_code = denial.code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'0'..=b'9'));
            assert!(is_code && !denial.title.is_empty() && !denial.detail.is_empty(), "{}", denial.code);
        }
    }
}
