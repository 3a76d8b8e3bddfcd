//! What only one user of a tenant has: username, external id, phone number.

use crate::input::InvalidInput;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The form in which it is stored, compared and shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

identifier!(
    /// A name to sign in with: 3 to 64 letters, digits and inner `.`, `_`, `-`.
    ///
    /// A subset of UsernameCaseMapped (RFC 8265 §3.3): wide and narrow forms are mapped, letters are lower case, the
    /// text is composed (NFC). Beyond the RFC, letters are of one script, so that no two names look alike, and there is
    /// no `@`, so that no name looks like an address.
    Username
);

impl Username {
    const LENGTH: std::ops::RangeInclusive<usize> = 3..=64;

    /// Normalizes and checks a username.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let refuse = |detail: &str| Err(InvalidInput::new(field, "invalid_username", detail));
        let length = "a username has 3 to 64 characters";
        // Bounded before the work.
        if text.len() > LONGEST_ENTERED {
            return refuse(length);
        }
        let name: String = text.trim().nfkc().collect::<String>().to_lowercase().nfc().collect();
        if !Self::LENGTH.contains(&name.chars().count()) {
            return refuse(length);
        }
        let is_letter = |c: char| c.is_alphanumeric() && (c.is_ascii() || c.identifier_allowed());
        let is_mark = |c: char| matches!(c, '.' | '_' | '-');
        if !name.chars().all(|c| is_letter(c) || is_mark(c)) {
            return refuse("a username has letters, digits and inner . _ -");
        }
        if name.starts_with(is_mark) || name.ends_with(is_mark) {
            return refuse("a username begins and ends with a letter or digit");
        }
        if !name.as_str().is_single_script() {
            return refuse("a username has letters of one script");
        }
        Ok(Self(name))
    }
}

identifier!(
    /// A phone number in E.164 form: `+` and 7 to 15 digits.
    PhoneNumber
);

impl PhoneNumber {
    /// Checks a number; spaces, hyphens, dots and brackets between the digits are left out.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let refused = || {
            InvalidInput::new(field, "invalid_phone", "expected a number in E.164 form, such as +41791234567")
        };
        if text.len() > 64 {
            return Err(refused());
        }
        let number: String = text.trim().chars().filter(|c| !" -.()".contains(*c)).collect();
        let digits = number.strip_prefix('+').ok_or_else(refused)?;
        let is_number = (7..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        if is_number { Ok(Self(number)) } else { Err(refused()) }
    }
}

identifier!(
    /// The user's id in another system: 1 to 255 characters, compared as they are.
    ExternalId
);

impl ExternalId {
    const LONGEST: usize = 255;

    /// Checks an id.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let refuse = |detail: &str| Err(InvalidInput::new(field, "invalid_external_id", detail));
        if text.is_empty() || text.len() > Self::LONGEST {
            return refuse("an external id has 1 to 255 bytes");
        }
        if text.trim() != text || text.chars().any(char::is_control) {
            return refuse("an external id has no control characters and no space at its ends");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Longest username looked at, in bytes.
const LONGEST_ENTERED: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usernames_have_one_form_and_no_look_alikes() {
        for variant in ["ada.l", "ADA.L", " ada.l ", "ａｄａ.l"] {
            assert_eq!(Username::parse("username", variant).expect(variant).as_str(), "ada.l");
        }
        assert!(Username::parse("username", "анна").is_ok(), "one script is fine");
        let long = "a".repeat(65);
        for bad in [
            "",
            "ab",
            "a b c",
            "ada@x",
            ".ada",
            "ada-",
            "p\u{0430}ypal",
            "a\0da",
            "a\u{202e}da",
            "a+da",
            &long,
        ] {
            assert_eq!(Username::parse("username", bad).expect_err(bad).code, "invalid_username");
        }
    }

    #[test]
    fn phone_numbers_are_international() {
        for variant in ["+41791234567", "+41 79 123 45 67", "+41 (79) 123-45.67"] {
            assert_eq!(PhoneNumber::parse("phone", variant).expect(variant).as_str(), "+41791234567");
        }
        for bad in
            ["", "0791234567", "+0791234567", "+4179", "+1234567890123456", "+4179a234567", "++41791234567"]
        {
            assert_eq!(PhoneNumber::parse("phone", bad).expect_err(bad).code, "invalid_phone");
        }
    }

    #[test]
    fn external_ids_are_kept_as_they_are() {
        assert_eq!(ExternalId::parse("external_id", "CRM-7/ä").expect("valid").as_str(), "CRM-7/ä");
        for bad in ["", " a", "a ", "a\nb", "a\0b", &"x".repeat(256)] {
            assert!(ExternalId::parse("external_id", bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_the_form_is_stable(text in "\\PC{0,80}") {
            if let Ok(name) = Username::parse("username", &text) {
                let again = Username::parse("username", name.as_str()).expect("its own form is valid");
                prop_assert_eq!(again.as_str(), name.as_str());
            }
        }
    }
}
