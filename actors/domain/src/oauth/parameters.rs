use super::error::{OAuthCode, OAuthError};
use zeroize::Zeroizing;

/// Parameters that are looked at; a request with more is nobody's.
const MOST: usize = 100;

/// The parameters of a request, decoded, in the order they came. No `Debug`: they may be anything.
pub struct Parameters(Vec<(String, Zeroizing<String>)>);

const REPEATED: OAuthError =
    OAuthError::new(OAuthCode::InvalidRequest, "a parameter is given more than once");

impl Parameters {
    /// Takes them over; one without a value counts as left out (RFC 6749 §3.1). None if they are too many.
    pub fn of(pairs: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let read: Vec<_> = pairs.take(MOST + 1).collect();
        let given = |pairs: Vec<(String, String)>| {
            let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
            Self(filled.map(|(name, value)| (name, Zeroizing::new(value))).collect())
        };
        (read.len() <= MOST).then(|| given(read))
    }

    /// The value of a parameter that is given once, if at all.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(REPEATED),
        }
    }

    /// All values of a parameter that may be given several times (RFC 8707 §2).
    pub fn all<'p>(&'p self, name: &str) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Refuses what is given more than once, but for the parameters that may be.
    pub(super) fn check_once(&self) -> Result<(), OAuthError> {
        let is_once = |name: &str| name == "resource" || self.all(name).nth(1).is_none();
        if self.0.iter().all(|(name, _)| is_once(name)) { Ok(()) } else { Err(REPEATED) }
    }
}
