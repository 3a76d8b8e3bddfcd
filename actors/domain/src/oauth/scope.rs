use crate::input::InvalidInput;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Scopes of a client, and scopes of a request.
const MOST_SCOPES: usize = 100;
const LONGEST_SCOPE: usize = 100;

/// Asks for an ID token (OpenID Connect Core §3.1.2.1).
pub const OPENID: &str = "openid";
/// Asks for a refresh token that outlives the session (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";
/// Scopes that say what a client learns of a user (OpenID Connect Core §5.4), and for how long: every client may ask for them.
pub const SCOPES_OF_USERS: [&str; 5] = [OPENID, "profile", "email", "phone", OFFLINE_ACCESS];

/// One scope: `scope-token` of RFC 6749 §3.3, at most a hundred characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeToken(String);

impl ScopeToken {
    /// Reads a scope.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        ((1..=LONGEST_SCOPE).contains(&text.len()) && text.bytes().all(allowed))
            .then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ScopeToken {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a scope")
    }
}

impl From<ScopeToken> for String {
    fn from(scope: ScopeToken) -> Self {
        scope.0
    }
}

/// Scopes in an order of their own: a set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(BTreeSet<ScopeToken>);

impl ScopeSet {
    /// Scopes of a client.
    pub fn parse<S: AsRef<str>>(field: &'static str, texts: &[S]) -> Result<Self, InvalidInput> {
        if texts.len() > MOST_SCOPES {
            return Err(InvalidInput::new(field, "too_many_scopes", "a client has at most 100 scopes"));
        }
        let scopes = texts.iter().map(|text| ScopeToken::parse(text.as_ref()));
        let scopes: Option<BTreeSet<_>> = scopes.collect();
        let detail = "a scope is 1 to 100 printable ASCII characters without space, \" and \\";
        scopes.map(Self).ok_or_else(|| InvalidInput::new(field, "invalid_scope", detail))
    }

    /// The parameter `scope` of a request: scopes with one space between them.
    pub fn of_parameter(text: &str) -> Option<Self> {
        let scopes: BTreeSet<_> = text.split(' ').map(ScopeToken::parse).collect::<Option<_>>()?;
        (scopes.len() <= MOST_SCOPES).then_some(Self(scopes))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of them are among others.
    pub fn is_within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// [`SCOPES_OF_USERS`].
    pub fn of_users() -> Self {
        Self(SCOPES_OF_USERS.into_iter().filter_map(ScopeToken::parse).collect())
    }

    /// Whether one of them is this one.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|known| known == scope)
    }

    /// Those of them that are among any of others.
    #[must_use]
    pub fn among(&self, others: &[&Self]) -> Self {
        Self(self.0.iter().filter(|scope| others.iter().any(|set| set.0.contains(scope))).cloned().collect())
    }

    /// They and others.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).cloned().collect())
    }

    /// Takes one away, if it is there.
    pub fn remove(&mut self, scope: &str) {
        self.0.retain(|known| known.as_str() != scope);
    }

    /// They, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ScopeToken::as_str)
    }
}

impl fmt::Display for ScopeSet {
    /// As a parameter and a claim have them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            let space = if place > 0 { " " } else { "" };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}
