//! What an API key may do: `resource:action`, such as `users:read`.

use std::fmt;

/// Something a tenant's services administer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// Tokens: asking whether they are good.
    Tokens,
    /// Users and what belongs to them.
    Users,
    /// Sessions of users.
    Sessions,
    /// Organizations, their members and invitations.
    Organizations,
    /// Roles, grants, policies and decisions.
    Authorization,
    /// API keys and service accounts.
    Keys,
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
    pub const ALL: [Self; 10] = [
        Self::Tokens,
        Self::Users,
        Self::Sessions,
        Self::Organizations,
        Self::Authorization,
        Self::Keys,
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
            Self::Sessions => "sessions",
            Self::Organizations => "organizations",
            Self::Authorization => "authorization",
            Self::Keys => "keys",
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

#[cfg(test)]
mod tests {
    use super::*;

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
