//! What an API key may do: `resource:action`, such as `users:read`.

use crate::input::InvalidInput;
use std::fmt;

/// Something a tenant's services administer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// Tokens: asking whether they are good.
    Tokens,
    /// Users and what belongs to them.
    Users,
    /// Users with the hashes of their passwords, which nothing else shows.
    PasswordHashes,
    /// Sessions of users.
    Sessions,
    /// Organizations, their members and invitations.
    Organizations,
    /// Roles, grants, policies and decisions.
    Authorization,
    /// API keys and service accounts.
    Keys,
    /// OAuth clients and their secrets.
    Clients,
    /// Settings and feature flags.
    Settings,
    /// The audit ledger.
    Audit,
    /// Exports, erasures, consents and holds.
    Privacy,
    /// Outgoing mail.
    Mail,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Tokens,
        Self::Users,
        Self::PasswordHashes,
        Self::Sessions,
        Self::Organizations,
        Self::Authorization,
        Self::Keys,
        Self::Clients,
        Self::Settings,
        Self::Audit,
        Self::Privacy,
        Self::Mail,
    ];

    /// Its name in a scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Users => "users",
            Self::PasswordHashes => "password_hashes",
            Self::Sessions => "sessions",
            Self::Organizations => "organizations",
            Self::Authorization => "authorization",
            Self::Keys => "keys",
            Self::Clients => "clients",
            Self::Settings => "settings",
            Self::Audit => "audit",
            Self::Privacy => "privacy",
            Self::Mail => "mail",
        }
    }
}

/// Looking or changing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// Looking.
    Read,
    /// Changing; it includes looking.
    Write,
}

/// A right of an API key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ApiScope {
    /// On what.
    pub resource: Resource,
    /// To do what.
    pub action: Action,
}

impl ApiScope {
    /// The right to look at a resource.
    pub const fn read(resource: Resource) -> Self {
        Self { resource, action: Action::Read }
    }

    /// The right to change a resource.
    pub const fn write(resource: Resource) -> Self {
        Self { resource, action: Action::Write }
    }

    /// Whether holding this right is enough where `asked` is needed.
    pub fn covers(self, asked: Self) -> bool {
        self.resource == asked.resource && self.action >= asked.action
    }

    /// Reads `resource:action`.
    pub fn parse(text: &str) -> Option<Self> {
        let (resource, action) = text.split_once(':')?;
        let resource = Resource::ALL.into_iter().find(|known| known.as_str() == resource)?;
        let action = match action {
            "read" => Action::Read,
            "write" => Action::Write,
            _ => return None,
        };
        Some(Self { resource, action })
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Read => "read",
            Action::Write => "write",
        };
        write!(f, "{}:{action}", self.resource.as_str())
    }
}

/// Several rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ApiScopes(u64);

impl ApiScopes {
    /// Every right there is.
    pub fn all() -> Self {
        Resource::ALL.into_iter().map(ApiScope::write).collect()
    }

    /// Reads a list as a request names it.
    pub fn parse(field: &'static str, texts: &[impl AsRef<str>]) -> Result<Self, InvalidInput> {
        let scopes = texts.iter().map(|text| ApiScope::parse(text.as_ref())).collect::<Option<Self>>();
        scopes.ok_or_else(|| {
            let known: Vec<_> = Resource::ALL.iter().map(|resource| resource.as_str()).collect();
            let advice =
                format!("a scope is read or write of one of {}, such as users:read", known.join(", "));
            InvalidInput::new(field, "unknown_scope", advice)
        })
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse_stored(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().map(ApiScope::parse).collect()
    }

    /// Whether one of them is enough where `asked` is needed.
    pub fn cover(self, asked: ApiScope) -> bool {
        let enough = match asked.action {
            Action::Read => bit(asked) | bit(ApiScope::write(asked.resource)),
            Action::Write => bit(asked),
        };
        self.0 & enough != 0
    }

    /// Whether each of `others` is covered.
    pub fn cover_all(self, others: Self) -> bool {
        others.iter().all(|scope| self.cover(scope))
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Them, in the order of their resources.
    pub fn iter(self) -> impl Iterator<Item = ApiScope> {
        let both = |resource| [ApiScope::read(resource), ApiScope::write(resource)];
        Resource::ALL.into_iter().flat_map(both).filter(move |scope| self.0 & bit(*scope) != 0)
    }
}

/// The place of a right among the bits; it is in no file and in no message.
fn bit(scope: ApiScope) -> u64 {
    1 << (scope.resource as u32 * 2 + scope.action as u32)
}

impl FromIterator<ApiScope> for ApiScopes {
    fn from_iter<I: IntoIterator<Item = ApiScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(bit).fold(0, |all, one| all | one))
    }
}

impl fmt::Display for ApiScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ApiScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_scopes_are_written_as_they_are_read() {
        let few = ApiScopes::parse("scopes", &["users:read", "keys:write", "users:read"]).expect("known");
        assert_eq!(few.to_string(), "users:read keys:write");
        assert_eq!(ApiScopes::parse_stored("users:read keys:write"), Some(few));
        assert_eq!(ApiScopes::parse_stored(""), Some(ApiScopes::default()));
        assert_eq!(ApiScopes::parse_stored("users:read nonsense"), None);
        assert_eq!(ApiScopes::parse("scopes", &["users"]).expect_err("no scope").code, "unknown_scope");
    }

    #[test]
    fn a_list_covers_what_one_of_it_covers() {
        let few = ApiScopes::parse("scopes", &["users:read", "keys:write"]).expect("known");
        for scope in ApiScopes::all().iter().chain(Resource::ALL.into_iter().map(ApiScope::read)) {
            assert_eq!(few.cover(scope), few.iter().any(|held| held.covers(scope)), "{scope}");
            assert!(ApiScopes::all().cover(scope), "{scope}");
        }
        assert!(ApiScopes::all().cover_all(few) && few.cover_all(few));
        assert!(few.cover_all([ApiScope::read(Resource::Keys)].into_iter().collect()));
        assert!(!few.cover_all([ApiScope::write(Resource::Users)].into_iter().collect()));
        assert!(!few.cover_all(ApiScopes::all()) && few.cover_all(ApiScopes::default()));
    }

    #[test]
    fn scopes_are_written_as_they_are_read_and_writing_includes_reading() {
        for resource in Resource::ALL {
            let (read, write) = (ApiScope::read(resource), ApiScope::write(resource));
            assert_eq!(ApiScope::parse(&read.to_string()), Some(read));
            assert_eq!(ApiScope::parse(&write.to_string()), Some(write));
            assert!(write.covers(read) && read.covers(read) && !read.covers(write));
        }
        assert!(!ApiScope::write(Resource::Users).covers(ApiScope::read(Resource::Keys)));
        for bad in ["", "users", "users:", ":read", "users:delete", "*:*", "Users:read"] {
            assert_eq!(ApiScope::parse(bad), None, "{bad}");
        }
    }
}
