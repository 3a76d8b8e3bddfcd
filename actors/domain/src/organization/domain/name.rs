use crate::email::ascii_domain;
use crate::input::InvalidInput;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Longest domain in bytes: the name of the record that proves it must be a name of the DNS, too.
const LONGEST: usize = 230;

/// Domains in which everybody may have an address: whoever claims one would claim strangers. A kept list of the large
/// ones; those who run smaller ones could prove them, which is theirs to decide.
const PUBLIC_PROVIDERS: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "duck.com",
    "fastmail.com",
    "fastmail.fm",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "sina.com",
    "t-online.de",
    "tuta.com",
    "tutanota.com",
    "web.de",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// A domain in its ASCII form, lower case. `Debug` does not show it: it may be a person's name.
#[derive(Clone, PartialEq, Eq)]
pub struct DomainName(String);

impl DomainName {
    /// Checks a domain that is to be claimed.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let refuse = |code, detail: &str| Err(InvalidInput::new(field, code, detail));
        let text = text.trim();
        if text.len() > LONGEST {
            return refuse("invalid_domain", "a domain has at most 230 bytes");
        }
        let composed: String = text.nfkc().collect();
        let Ok(ascii) = ascii_domain(&composed) else {
            return refuse("invalid_domain", "expected a full domain name such as acme.example");
        };
        if ascii.len() > LONGEST {
            return refuse("invalid_domain", "a domain has at most 230 bytes in its ASCII form");
        }
        if PUBLIC_PROVIDERS.binary_search(&ascii.as_str()).is_ok() {
            return refuse(
                "public_mail_provider",
                "everybody may have an address in this domain, so no organization can claim it",
            );
        }
        Ok(Self(ascii))
    }

    /// One that was accepted before; the rules may have become stricter since.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DomainName(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_providers_is_in_order_and_in_normal_form() {
        assert!(PUBLIC_PROVIDERS.is_sorted());
        for provider in PUBLIC_PROVIDERS {
            assert_eq!(ascii_domain(provider).as_deref(), Ok(*provider));
            let refused = DomainName::parse("domain", &provider.to_uppercase()).expect_err(provider);
            assert_eq!(refused.code, "public_mail_provider");
        }
    }

    #[test]
    fn domains_are_compared_in_their_ascii_form() {
        let name = |text: &str| DomainName::parse("domain", text).map(|name| name.0);
        assert_eq!(name(" Acme.EXAMPLE "), Ok("acme.example".to_owned()));
        assert_eq!(name("bücher.example"), Ok("xn--bcher-kva.example".to_owned()));
        for bad in [
            "",
            "acme",
            "acme.example.",
            "a b.example",
            "acme.example/x",
            "a\0.example",
            "*.example",
            "@x.example",
        ] {
            assert_eq!(name(bad).expect_err(bad).code, "invalid_domain");
        }
        assert!(name(&format!("{}.example", "a.".repeat(120))).is_err());
    }
}
