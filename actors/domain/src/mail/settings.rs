use super::Language;
use crate::email::EmailAddress;
use crate::input::InvalidInput;
use crate::name::DisplayName;
use serde::{Deserialize, Serialize};

/// Longest URL of a logo.
const LONGEST_URL: usize = 500;

/// How a tenant's mails look, and what they are written in. Its hosted pages have the same name, colour and logo.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// Who writes, for people; the tenant's name if left out.
    pub name: Option<String>,
    /// Colour of buttons: `#` and six hexadecimal digits.
    pub color: String,
    /// An `https` image above the text.
    pub logo_url: Option<String>,
    /// Language of mails to people whose own is not known.
    pub language: Language,
    /// Where answers go; without it the mail says nothing of it.
    pub reply_to: Option<String>,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            name: None,
            color: "#2b4a8b".to_owned(),
            logo_url: None,
            language: Language::En,
            reply_to: None,
        }
    }
}

impl MailSettings {
    /// Refuses what would not look as meant, or would bring foreign markup into a mail.
    pub fn check(&self) -> Result<(), InvalidInput> {
        let refuse = |field, detail: &str| Err(InvalidInput::new(field, "invalid_branding", detail));
        if let Some(name) = &self.name {
            DisplayName::parse("settings.mail.name", name)?;
        }
        let digits = self.color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return refuse("settings.mail.color", "give # and six hexadecimal digits, such as #2b4a8b");
        }
        if let Some(url) = &self.logo_url {
            let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte));
            if !url.starts_with("https://") || url.len() > LONGEST_URL || !plain {
                return refuse(
                    "settings.mail.logo_url",
                    "give an https URL of at most 500 characters without quotes and angle brackets",
                );
            }
        }
        if let Some(address) = &self.reply_to {
            EmailAddress::parse("settings.mail.reply_to", address)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branding_is_checked() {
        let with = |change: fn(&mut MailSettings)| {
            let mut settings = MailSettings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.field)
        };
        assert_eq!(with(|_| ()), Ok(()));
        let good = |settings: &mut MailSettings| {
            settings.name = Some("Acme".into());
            settings.logo_url = Some("https://cdn.example/logo.png".into());
            settings.reply_to = Some("help@acme.example".into());
        };
        assert_eq!(with(good), Ok(()));
        assert_eq!(with(|s| s.color = "red".into()), Err("settings.mail.color"));
        assert_eq!(with(|s| s.color = "#12345;".into()), Err("settings.mail.color"));
        assert_eq!(with(|s| s.name = Some("a\r\nBcc: b".into())), Err("settings.mail.name"));
        for bad in ["http://a/b.png", "https://a/\"><script>", "javascript:1", "https://a b"] {
            let settings = MailSettings { logo_url: Some(bad.into()), ..MailSettings::default() };
            assert_eq!(settings.check().expect_err(bad).field, "settings.mail.logo_url");
        }
        assert_eq!(with(|s| s.reply_to = Some("nobody".into())), Err("settings.mail.reply_to"));
    }
}
