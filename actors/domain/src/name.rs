//! Names people see: display names of users and tenants.

use crate::input::InvalidInput;
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// What to call somebody: 1 to 200 characters on one line. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DisplayName(String);

impl TryFrom<String> for DisplayName {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse("name", &text).map_err(|_| "not a name")
    }
}

impl DisplayName {
    /// Longest name in characters.
    pub const LONGEST: usize = 200;

    /// Trims, composes (NFC) and checks a name.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let refuse = |detail: &str| InvalidInput::new(field, "invalid_name", detail);
        // Bounded before the work: composing never makes a text longer than three times its bytes.
        if text.len() > Self::LONGEST * 8 {
            return Err(refuse("a name has at most 200 characters"));
        }
        let name: String = text.trim().nfc().collect();
        match name.chars().count() {
            0 => return Err(refuse("a name has at least one character; leave the field out for none")),
            count if count > Self::LONGEST => return Err(refuse("a name has at most 200 characters")),
            _ => {}
        }
        if name.chars().any(is_hidden) {
            return Err(refuse("a name has no line breaks, control or invisible direction characters"));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and the invisible ones that turn the reading direction (Trojan Source).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayName(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(DisplayName::parse("name", "  Ada Lovelace ").expect("valid").as_str(), "Ada Lovelace");
        assert!(DisplayName::parse("name", &"n".repeat(200)).is_ok());
        for bad in ["", "   ", "a\nb", "a\0b", "a\u{202e}b", &"n".repeat(201), &"n".repeat(10_000)] {
            assert_eq!(DisplayName::parse("name", bad).expect_err("refused").code, "invalid_name");
        }
    }
}
