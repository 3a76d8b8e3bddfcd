use super::permission::Permission;
use crate::id::RoleId;
use crate::input::InvalidInput;
use crate::name::DisplayName;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Permissions a role may name itself, roles it may inherit from directly.
const MOST_PERMISSIONS: usize = 100;
const MOST_PARENTS: usize = 16;
/// Longest description in characters.
const LONGEST_DESCRIPTION: usize = 500;

/// What a role is called in programs: 1 to 63 of `a-z 0-9 _ -`, a letter first. Unique in the tenant, never changed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleKey(Arc<str>);

impl RoleKey {
    /// Checks a key.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let good = (1..=63).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(allowed);
        if !good {
            let detail = "a role's key is 1 to 63 of a-z, 0-9, _ and -, a letter first";
            return Err(InvalidInput::new(field, "invalid_role_key", detail));
        }
        Ok(Self(text.into()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a role may be granted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RoleLevel {
    /// In the whole tenant, or on a resource.
    Tenant,
    /// In an organization, or on a resource. A membership names one by its key.
    Organization,
}

impl RoleLevel {
    /// The name as stored and shown: `tenant` or `organization`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Organization => "organization",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Tenant, Self::Organization].into_iter().find(|level| level.as_str() == text)
    }
}

/// A role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Which.
    pub id: RoleId,
    /// Its name in programs.
    pub key: RoleKey,
    /// Its name for people.
    pub name: DisplayName,
    /// What it is for; may be empty.
    pub description: String,
    /// Where it may be granted.
    pub level: RoleLevel,
    /// What it permits itself.
    pub permissions: BTreeSet<Permission>,
    /// Roles whose permissions it has as well.
    pub inherits: BTreeSet<RoleKey>,
    /// Grows by one with each change.
    pub version: i64,
}

/// A role to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleDraft {
    /// Its name in programs.
    pub key: RoleKey,
    /// Its name for people.
    pub name: DisplayName,
    /// What it is for.
    pub description: String,
    /// Where it may be granted.
    pub level: RoleLevel,
    /// What it permits itself.
    pub permissions: BTreeSet<Permission>,
    /// Roles whose permissions it has as well.
    pub inherits: BTreeSet<RoleKey>,
}

/// A change of a role: what is none stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoleChange {
    /// Its name for people.
    pub name: Option<DisplayName>,
    /// What it is for.
    pub description: Option<String>,
    /// All it permits itself.
    pub permissions: Option<BTreeSet<Permission>>,
    /// All it inherits from.
    pub inherits: Option<BTreeSet<RoleKey>>,
}

/// Adds what is wrong to the others and gives back what is right.
fn collect<T>(errors: &mut Vec<InvalidInput>, result: Result<T, InvalidInput>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

impl RoleDraft {
    /// Checks a new role and says everything that is wrong with it.
    pub fn parse(
        key: &str,
        name: &str,
        description: &str,
        level: &str,
        permissions: &[String],
        inherits: &[String],
    ) -> Result<Self, Vec<InvalidInput>> {
        let mut errors = Vec::new();
        let key = collect(&mut errors, RoleKey::parse("key", key));
        let name = collect(&mut errors, DisplayName::parse("name", name));
        let description = collect(&mut errors, check_description(description));
        let level = collect(&mut errors, parse_level(level));
        let permissions = collect(&mut errors, parse_permissions(permissions));
        let inherits = collect(&mut errors, parse_inherits(inherits));
        let (Some(key), Some(name), Some(description), Some(level), Some(permissions), Some(inherits)) =
            (key, name, description, level, permissions, inherits)
        else {
            return Err(errors);
        };
        Ok(Self { key, name, description, level, permissions, inherits })
    }
}

impl RoleChange {
    /// Checks a change and says everything that is wrong with it.
    pub fn parse(
        name: Option<&str>,
        description: Option<&str>,
        permissions: Option<&[String]>,
        inherits: Option<&[String]>,
    ) -> Result<Self, Vec<InvalidInput>> {
        let mut errors = Vec::new();
        let change = Self {
            name: name.and_then(|name| collect(&mut errors, DisplayName::parse("name", name))),
            description: description.and_then(|text| collect(&mut errors, check_description(text))),
            permissions: permissions.and_then(|list| collect(&mut errors, parse_permissions(list))),
            inherits: inherits.and_then(|list| collect(&mut errors, parse_inherits(list))),
        };
        if errors.is_empty() { Ok(change) } else { Err(errors) }
    }
}

/// A text that says what something is for.
pub(crate) fn check_description(text: &str) -> Result<String, InvalidInput> {
    let text = text.trim();
    let hidden = text.chars().any(|c| c.is_control() && c != '\n');
    if hidden || text.chars().count() > LONGEST_DESCRIPTION {
        let detail = "a description has at most 500 characters and no control characters but line breaks";
        return Err(InvalidInput::new("description", "invalid_description", detail));
    }
    Ok(text.to_owned())
}

fn parse_level(text: &str) -> Result<RoleLevel, InvalidInput> {
    let detail = "a role is granted at the level `tenant` or `organization`";
    RoleLevel::parse(text).ok_or_else(|| InvalidInput::new("level", "invalid_level", detail))
}

fn parse_permissions(list: &[String]) -> Result<BTreeSet<Permission>, InvalidInput> {
    if list.len() > MOST_PERMISSIONS {
        let detail = "a role has at most 100 permissions of its own; put some into a role it inherits from";
        return Err(InvalidInput::new("permissions", "too_many_permissions", detail));
    }
    list.iter().map(|text| Permission::parse("permissions", text)).collect()
}

fn parse_inherits(list: &[String]) -> Result<BTreeSet<RoleKey>, InvalidInput> {
    if list.len() > MOST_PARENTS {
        let detail = "a role inherits from at most 16 others directly";
        return Err(InvalidInput::new("inherits", "too_many_parents", detail));
    }
    list.iter().map(|text| RoleKey::parse("inherits", text)).collect()
}
