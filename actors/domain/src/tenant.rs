//! Tenants: slugs and settings.

use crate::audit::Event;
use crate::denial::Denial;
use crate::id::TenantId;
use crate::input::InvalidInput;
use crate::mail::MailSettings;
use crate::metadata::MetadataSchemas;
use crate::name::DisplayName;
use crate::oauth::OAuthSettings;
use crate::organization::invitation::OrganizationSettings;
use crate::password::{MOST_REMEMBERED, PasswordPolicy};
use crate::precondition::Precondition;
use crate::recovery::RecoverySettings;
use crate::session::SessionPolicy;
use crate::user::standing::UserPolicy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
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
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantSettings {
    /// Rules for new passwords.
    pub password: PasswordPolicy,
    /// Lifetimes.
    pub session: SessionPolicy,
    /// How long the ledger is kept.
    pub audit: AuditPolicy,
    /// Look and language of mails.
    pub mail: MailSettings,
    /// The life of users.
    pub users: UserPolicy,
    /// Proofs of addresses, new passwords, signing in by mail.
    pub recovery: RecoverySettings,
    /// Invitations to organizations.
    pub organizations: OrganizationSettings,
    /// What metadata of users must look like.
    pub metadata: MetadataSchemas,
    /// Clients that register themselves.
    pub oauth: OAuthSettings,
}

/// How long the audit ledger is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditPolicy {
    /// Days after which entries may be pruned; none keeps them for ever.
    pub retention_days: Option<u32>,
}

/// Days an entry of the ledger may be kept for at most; longer is for ever.
const LONGEST_RETENTION: u32 = 36_500;

impl TenantSettings {
    /// These with a merge patch applied (RFC 7396): what is left out stays, `null` goes back to the default. The outcome
    /// is checked.
    pub fn merged(&self, patch: &Map<String, Value>) -> Result<Self, InvalidInput> {
        let mut merged = self.as_json();
        let read =
            merge(&mut merged, patch).and_then(|()| serde_json::from_value(Value::Object(merged)).ok());
        let merged: Self = read.ok_or_else(|| {
            let advice =
                "a member is unknown or has a value of the wrong type; see the schema of TenantSettings";
            InvalidInput::new("settings", "invalid_settings", advice)
        })?;
        merged.check()?;
        Ok(merged)
    }

    /// Names of the settings in which these differ from others, such as `password.min_length`.
    pub fn differences(&self, others: &Self) -> Vec<String> {
        let mut names = Vec::new();
        differing(&self.as_json(), &others.as_json(), "", &mut names);
        names
    }

    fn as_json(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => unreachable!("settings are a struct of plain values"),
        }
    }

    /// Refuses values no operator should want.
    pub fn check(&self) -> Result<(), InvalidInput> {
        self.mail.check()?;
        self.recovery.check()?;
        self.organizations.check()?;
        self.metadata.check()?;
        self.oauth.check()?;
        let refuse = |field, detail: &str| Err(InvalidInput::new(field, "out_of_range", detail));
        if !(8..=128).contains(&self.password.min_length) {
            return refuse("settings.password.min_length", "choose 8 to 128 characters");
        }
        if self.password.min_score > 4 {
            return refuse("settings.password.min_score", "choose 0 to 4");
        }
        if self.password.history > MOST_REMEMBERED {
            return refuse("settings.password.history", "choose 0 to 24 passwords");
        }
        if self.users.deletion_grace_seconds > 366 * 86_400 {
            return refuse("settings.users.deletion_grace_seconds", "choose at most 366 days");
        }
        if self.audit.retention_days.is_some_and(|days| !(1..=LONGEST_RETENTION).contains(&days)) {
            return refuse(
                "settings.audit.retention_days",
                "choose 1 to 36500 days, or leave it out to keep the ledger for ever",
            );
        }
        self.session.check()
    }
}

/// Settings that are objects and are replaced as a whole.
const WHOLE: &[&str] = &["public_schema", "private_schema", "unsafe_schema"];

/// RFC 7396 §2. Members that are null are removed, so that they get their defaults. Nothing where a section would
/// become something else: serde would read an array as one.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) -> Option<()> {
    for (name, value) in patch {
        match (value, target.get_mut(name)) {
            // A schema means something as a whole only.
            (Value::Object(_), Some(Value::Object(_))) if WHOLE.contains(&name.as_str()) => {
                target.insert(name.clone(), value.clone());
            }
            (Value::Null, _) => {
                target.remove(name);
            }
            (Value::Object(patch), Some(Value::Object(target))) => merge(target, patch)?,
            (_, Some(Value::Object(_))) => return None,
            (value, _) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
    Some(())
}

fn differing(ours: &Map<String, Value>, theirs: &Map<String, Value>, prefix: &str, names: &mut Vec<String>) {
    for (name, value) in ours {
        match (value, theirs.get(name)) {
            (Value::Object(ours), Some(Value::Object(theirs))) if !WHOLE.contains(&name.as_str()) => {
                differing(ours, theirs, &format!("{prefix}{name}."), names);
            }
            (value, other) if other != Some(value) => names.push(format!("{prefix}{name}")),
            _ => {}
        }
    }
}

/// What a decision has to know of a tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tenant {
    /// Which.
    pub id: TenantId,
    /// What it is called.
    pub name: DisplayName,
    /// How it is configured.
    pub settings: TenantSettings,
    /// Grows by one with each change.
    pub version: i64,
}

/// Gives a tenant another name or other settings: the event that says what changed, if anything did.
pub fn change(
    tenant: &Tenant,
    name: &DisplayName,
    settings: &TenantSettings,
    precondition: &Precondition,
) -> Result<Option<Event>, Denial> {
    precondition.check(tenant.version)?;
    let named = (*name != tenant.name).then(|| "name".to_owned());
    let configured =
        settings.differences(&tenant.settings).into_iter().map(|name| format!("settings.{name}"));
    let fields: Vec<String> = named.into_iter().chain(configured).collect();
    Ok((!fields.is_empty()).then_some(Event::TenantChanged { tenant: tenant.id, fields }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::STALE_VERSION;
    use serde_json::json;

    fn patched(settings: &TenantSettings, patch: Value) -> Result<TenantSettings, InvalidInput> {
        settings.merged(patch.as_object().expect("an object"))
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_goes_back_to_the_default() {
        let usual = TenantSettings::default();
        let strict = patched(&usual, json!({ "password": { "min_length": 15 } })).expect("good");
        assert_eq!(strict.password.min_length, 15);
        assert_eq!(strict.password.min_score, usual.password.min_score);
        assert_eq!(strict.differences(&usual), ["password.min_length"]);
        let back = patched(&strict, json!({ "password": { "min_length": null } })).expect("good");
        assert_eq!(back, usual);
        assert_eq!(patched(&strict, json!({ "password": null })).expect("good"), usual);
        assert_eq!(patched(&strict, json!({})).expect("good"), strict);
        for wrong in [
            json!({ "pasword": {} }),
            json!({ "password": 7 }),
            json!({ "password": [] }),
            json!({ "password": { "min_length": "x" } }),
        ] {
            assert_eq!(patched(&usual, wrong).expect_err("refused").code, "invalid_settings");
        }
        let out = patched(&usual, json!({ "password": { "min_length": 4 } })).expect_err("refused");
        assert_eq!(out.code, "out_of_range");
    }

    #[test]
    fn schemas_are_checked_and_replaced_as_a_whole() {
        let usual = TenantSettings::default();
        let with = |settings: &TenantSettings, schema: Value| {
            patched(settings, json!({ "metadata": { "public_schema": schema } }))
        };
        let first = with(&usual, json!({ "properties": { "a": { "const": null } } })).expect("good");
        let second = with(&first, json!({ "required": ["b"] })).expect("good");
        assert_eq!(
            serde_json::to_value(&second.metadata.public_schema).expect("JSON"),
            json!({ "required": ["b"] })
        );
        assert_eq!(second.differences(&first), ["metadata.public_schema"], "and not what it holds");
        assert_eq!(with(&second, Value::Null).expect("good"), usual);
        assert_eq!(with(&usual, json!({ "type": 7 })).expect_err("wrong").code, "invalid_schema");
        assert_eq!(with(&usual, json!([])).expect_err("wrong").code, "invalid_settings");
    }

    #[test]
    fn a_change_of_a_tenant_names_what_changed_and_never_what_it_holds() {
        let name = DisplayName::parse("name", "Acme").expect("valid");
        let id = TenantId::from_uuid(uuid::Uuid::from_u128(7));
        let settings = TenantSettings::default();
        let tenant = Tenant { id, name: name.clone(), settings: settings.clone(), version: 3 };
        assert_eq!(change(&tenant, &name, &settings, &Precondition::None), Ok(None));
        let other = DisplayName::parse("name", "Acme GmbH").expect("valid");
        let strict = patched(&settings, json!({ "password": { "min_score": 4 } })).expect("good");
        let event = change(&tenant, &other, &strict, &Precondition::OneOf(vec![3]))
            .expect("allowed")
            .expect("changed");
        assert_eq!(event.data(), json!({ "fields": ["name", "settings.password.min_score"] }));
        let stale = change(&tenant, &other, &strict, &Precondition::OneOf(vec![2]));
        assert_eq!(stale, Err(STALE_VERSION));
    }

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
        let remembers = |history| {
            let password = PasswordPolicy { history, ..PasswordPolicy::default() };
            TenantSettings { password, ..TenantSettings::default() }.check()
        };
        assert_eq!(remembers(24), Ok(()));
        assert_eq!(remembers(25).expect_err("too many").field, "settings.password.history");
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
