//! Passwords known from breaches: asked for by the first five digits of a hash, so that whoever answers never learns
//! which password is meant (k-anonymity, as the Pwned Passwords range API has it).

mod embedded;
#[cfg(test)]
mod tests;

pub use embedded::EmbeddedList;

use crate::error::ServiceError;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use plinto_domain::password::Password;
use plinto_runtime::Refusal;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Digits of a hash that a list is told.
const PREFIX: usize = 5;
/// Digits of a SHA-1.
const DIGITS: usize = 40;
/// When to try again what a list could not answer.
const LATER: Duration = Duration::from_secs(5);

/// The first five hexadecimal digits of the SHA-1 of a password, in capitals: all that a list is told of it. `Debug`
/// does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashPrefix([u8; PREFIX]);

impl HashPrefix {
    /// Reads five hexadecimal digits.
    pub fn parse(digits: &str) -> Option<Self> {
        let bytes: [u8; PREFIX] = digits.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_hexdigit).then(|| Self(bytes.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }

    /// The digits as a number below 2^20.
    pub fn number(&self) -> u32 {
        u32::from_str_radix(self.as_str(), 16).expect("five hexadecimal digits are a number")
    }
}

impl fmt::Debug for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashPrefix(redacted)")
    }
}

/// A list could not be asked. The text must not hold the prefix.
#[derive(Debug, thiserror::Error)]
#[error("the list of breached passwords cannot be asked: {0}")]
pub struct ListUnavailable(pub String);

/// A list of passwords known from breaches.
#[async_trait]
pub trait BreachedPasswords: Send + Sync {
    /// The hashes that begin with `prefix`, each without it: hexadecimal digits, as many as the list keeps. A list that
    /// keeps shortened hashes answers shorter ones.
    async fn range(&self, prefix: &HashPrefix) -> Result<Vec<String>, ListUnavailable>;
}

/// What becomes of a new password while a list cannot be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhileUnavailable {
    /// It is accepted if no other list knows it.
    #[default]
    Accept,
    /// It is refused for the time being.
    Refuse,
}

/// The lists that are asked, one after the other. Cheap to clone.
#[derive(Clone)]
pub struct Breaches {
    lists: Arc<[Arc<dyn BreachedPasswords>]>,
    while_unavailable: WhileUnavailable,
}

impl Default for Breaches {
    /// The list this program carries.
    fn default() -> Self {
        Self::of(Vec::new(), WhileUnavailable::Accept)
    }
}

impl Breaches {
    /// The list this program carries, and more of them.
    pub fn of(more: Vec<Arc<dyn BreachedPasswords>>, while_unavailable: WhileUnavailable) -> Self {
        let embedded: Arc<dyn BreachedPasswords> = Arc::new(EmbeddedList);
        Self { lists: std::iter::once(embedded).chain(more).collect(), while_unavailable }
    }

    /// Whether a list knows a password.
    pub(crate) async fn know(&self, password: &Password) -> Result<bool, ServiceError> {
        let (prefix, rest) = hash(password);
        let mut unavailable = false;
        for list in self.lists.iter() {
            match list.range(&prefix).await {
                Ok(range) if range.iter().any(|known| is_of(known, &rest)) => return Ok(true),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "new passwords are not compared with all breaches");
                    unavailable = true;
                }
            }
        }
        match self.while_unavailable {
            WhileUnavailable::Refuse if unavailable => {
                let reason = "a list of breached passwords cannot be asked".into();
                Err(Refusal::Unavailable { reason, retry_after: LATER }.into())
            }
            _ => Ok(false),
        }
    }
}

/// SHA-1 is what the lists are made of; it protects nothing here.
fn hash(password: &Password) -> (HashPrefix, Zeroizing<String>) {
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let digits = Zeroizing::new(hex::encode_upper(sha1));
    let (prefix, rest) = digits.split_at(PREFIX);
    (HashPrefix::parse(prefix).expect("a hash has hexadecimal digits"), Zeroizing::new(rest.to_owned()))
}

/// Whether what a list keeps of a hash is of this one.
fn is_of(known: &str, rest: &str) -> bool {
    !known.is_empty()
        && known.len() <= DIGITS - PREFIX
        && rest.as_bytes()[..known.len()].eq_ignore_ascii_case(known.as_bytes())
}
