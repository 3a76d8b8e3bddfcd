//! E-mail addresses: accepted form, normal form, confusables.

use crate::input::InvalidInput;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

/// Longest address in bytes (RFC 5321 §4.5.3.1.3 less the angle brackets).
const LONGEST: usize = 254;
/// Longest local part in bytes (RFC 5321 §4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// An e-mail address as entered and in the form in which it is compared.
///
/// Two addresses are the same account when their normal forms are equal: NFKC, lower case, and the domain in its
/// ASCII form (UTS 46). `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    entered: String,
    normalized: String,
}

impl EmailAddress {
    /// Checks and normalizes an address.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let invalid = |detail: &str| InvalidInput::new(field, "invalid_email", detail);
        let entered = text.trim();
        if entered.len() > LONGEST {
            return Err(invalid("an e-mail address has at most 254 bytes"));
        }
        let composed: String = entered.nfkc().collect();
        let (local, domain) = composed
            .rsplit_once('@')
            .ok_or_else(|| invalid("expected an address such as ada@example.com"))?;
        check_local(local).map_err(invalid)?;
        let domain = ascii_domain(domain).map_err(invalid)?;
        if is_confusable(local) {
            return Err(InvalidInput::new(
                field,
                "confusable_email",
                "the part before @ mixes alphabets that look alike; use letters of one script",
            ));
        }
        let normalized = format!("{}@{domain}", local.to_lowercase());
        if normalized.len() > LONGEST {
            return Err(invalid("an e-mail address has at most 254 bytes in its ASCII form"));
        }
        Ok(Self { entered: entered.to_owned(), normalized })
    }

    /// As the person wrote it.
    pub fn as_entered(&self) -> &str {
        &self.entered
    }

    /// The form in which addresses are compared and looked up.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }

    /// The form mail is sent to: what was entered before the `@`, whose case is its owner's business, and the domain in
    /// its ASCII form.
    pub fn deliverable(&self) -> String {
        let composed: String = self.entered.nfkc().collect();
        let local = composed.rsplit_once('@').map_or("", |(local, _)| local);
        format!("{local}@{}", self.domain())
    }

    /// The part after the `@`, in its ASCII form.
    pub fn domain(&self) -> &str {
        self.normalized.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`, normalized.
    pub fn local_part(&self) -> &str {
        self.normalized.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(redacted)")
    }
}

/// RFC 5321 dot-string, with RFC 6531 letters; quoted local parts are refused on purpose.
fn check_local(local: &str) -> Result<(), &'static str> {
    if local.is_empty() || local.len() > LONGEST_LOCAL {
        return Err("the part before @ has 1 to 64 bytes");
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("the part before @ neither starts nor ends with a dot, nor has two in a row");
    }
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric() && c.identifier_allowed())
    };
    if local.chars().all(allowed) {
        Ok(())
    } else {
        Err("the part before @ has a character that is not allowed")
    }
}

pub(crate) fn ascii_domain(domain: &str) -> Result<String, &'static str> {
    if domain.is_empty() || domain.contains('\0') {
        return Err("the part after @ is not a domain name");
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| "the part after @ is not a domain name")?;
    let labels = ascii.split('.').count();
    if labels < 2 || ascii.ends_with('.') || ascii.len() > 253 {
        return Err("the part after @ is not a full domain name");
    }
    Ok(ascii)
}

/// Letters of several scripts in one word, such as a Cyrillic `а` among Latin letters (UTS 39 §5.1).
fn is_confusable(local: &str) -> bool {
    !local.split(|c: char| !c.is_alphanumeric()).all(MixedScript::is_single_script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<EmailAddress, InvalidInput> {
        EmailAddress::parse("email", text)
    }

    #[test]
    fn case_and_width_variants_are_the_same_account() {
        let normal = parse("ada@example.com").expect("valid");
        for variant in ["ADA@Example.COM", " ada@example.com ", "ａｄａ@example.com", "ada@EXAMPLE.com"] {
            assert_eq!(parse(variant).expect(variant).normalized(), normal.normalized());
        }
        assert_eq!(parse("ada@bücher.example").expect("idn").normalized(), "ada@xn--bcher-kva.example");
    }

    #[test]
    fn mail_goes_to_the_entered_local_part_at_the_ascii_domain() {
        assert_eq!(parse(" Ada@Bücher.example").expect("valid").deliverable(), "Ada@xn--bcher-kva.example");
    }

    #[test]
    fn confusables_are_refused_with_their_own_code() {
        assert_eq!(parse("p\u{0430}ypal@example.com").expect_err("cyrillic a").code, "confusable_email");
        assert!(parse("анна@example.com").is_ok(), "one script is fine");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        let long = format!("{}@example.com", "a".repeat(10_000));
        for bad in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@localhost",
            "ada@exa mple.com",
            ".a@example.com",
            "a..b@example.com",
            "ada\0@example.com",
            "ada@example\0.com",
            "\"a\"@example.com",
            "ada@[127.0.0.1]",
            "ada@example.com.",
            "a\u{202e}b@example.com",
            "a\r\nb@example.com",
            &long,
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", parse("ada@example.com").expect("valid")), "EmailAddress(redacted)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_normal_form_is_stable(text in "\\PC{0,80}") {
            if let Ok(email) = parse(&text) {
                let again = parse(email.normalized()).expect("a normal form is itself valid");
                prop_assert_eq!(again.normalized(), email.normalized());
            }
        }
    }
}
