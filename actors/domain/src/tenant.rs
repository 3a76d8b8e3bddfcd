//! Tenants: slugs and settings.

use crate::input::InvalidInput;
use crate::mail::MailSettings;
use crate::password::PasswordPolicy;
use crate::recovery::RecoverySettings;
use crate::session::SessionPolicy;
use crate::user::standing::UserPolicy;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The tenant's name in URLs: 2 to 63 of `a-z`, `0-9` and inner hyphens (a DNS label, so it may be a host name).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TenantSlug(String);

/// Names the platform keeps for itself or that would confuse people in a host name.
const RESERVED: &[&str] =
    &["admin", "api", "auth", "health", "login", "metrics", "plinto", "root", "static", "www"];

impl TenantSlug {
    /// Checks a slug.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let bytes = text.as_bytes();
        let well_formed = (2..=63).contains(&bytes.len())
            && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
            && !text.starts_with("xn--");
        if !well_formed {
            return Err(InvalidInput::new(
                field,
                "invalid_slug",
                "a slug has 2 to 63 of a-z, 0-9 and inner hyphens, such as acme-staging",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks a slug for a new tenant: reserved names are refused.
    pub fn parse_new(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let slug = Self::parse(field, text)?;
        if RESERVED.contains(&text) {
            return Err(InvalidInput::new(field, "reserved_slug", "this slug is reserved; choose another"));
        }
        Ok(slug)
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a tenant may configure; stored as JSON, every field with a safe default.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantSettings {
    /// Rules for new passwords.
    pub password: PasswordPolicy,
    /// Lifetimes.
    pub session: SessionPolicy,
    /// Look and language of mails.
    pub mail: MailSettings,
    /// The life of users.
    pub users: UserPolicy,
    /// Proofs of addresses, new passwords, signing in by mail.
    pub recovery: RecoverySettings,
}

impl TenantSettings {
    /// Refuses values no operator should want.
    pub fn check(&self) -> Result<(), InvalidInput> {
        self.mail.check()?;
        self.recovery.check()?;
        let refuse = |field, detail: &str| Err(InvalidInput::new(field, "out_of_range", detail));
        if !(8..=128).contains(&self.password.min_length) {
            return refuse("settings.password.min_length", "choose 8 to 128 characters");
        }
        if self.password.min_score > 4 {
            return refuse("settings.password.min_score", "choose 0 to 4");
        }
        if self.users.deletion_grace_seconds > 366 * 86_400 {
            return refuse("settings.users.deletion_grace_seconds", "choose at most 366 days");
        }
        self.session.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for good in ["demo", "a1", "acme-staging", "plinto"] {
            assert!(TenantSlug::parse("slug", good).is_ok(), "{good}");
        }
        for bad in
            ["", "a", "-a", "a-", "Acme", "a_b", "a.b", "xn--abc", "ä1", &"a".repeat(64), "a\0b", "../x"]
        {
            assert!(TenantSlug::parse("slug", bad).is_err(), "{bad}");
        }
        assert_eq!(TenantSlug::parse_new("slug", "plinto").expect_err("reserved").code, "reserved_slug");
    }

    #[test]
    fn settings_have_safe_defaults_and_refuse_nonsense() {
        let settings: TenantSettings = serde_json::from_str("{}").expect("defaults");
        assert_eq!(settings.check(), Ok(()));
        let short: TenantSettings = serde_json::from_str(r#"{"password":{"min_length":4}}"#).expect("parses");
        assert!(short.check().is_err());
        let grace = |seconds| {
            let session = SessionPolicy { refresh_grace_seconds: seconds, ..SessionPolicy::default() };
            TenantSettings { session, ..TenantSettings::default() }.check()
        };
        assert_eq!(grace(0), Ok(()));
        assert_eq!(grace(60), Ok(()));
        assert_eq!(grace(61).expect_err("too long").field, "settings.session.refresh_grace_seconds");
        assert!(serde_json::from_str::<TenantSettings>(r#"{"pasword":{}}"#).is_err(), "typos are refused");
    }
}
