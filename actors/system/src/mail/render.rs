//! From a row of the outbox to what its recipient reads.

use super::transport::RenderedMail;
use super::words::{self, Words};
use crate::tenant::TenantCell;
use askama::Template;
use plinto_domain::mail::{Language, MailMessage};
use plinto_domain::{MailId, Timestamp};
use plinto_storage::repositories::outbox::MailRow;
use serde::{Deserialize, Serialize};

/// What is sealed in a row.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedMail {
    pub(crate) to: String,
    pub(crate) message: MailMessage,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    language: &'a str,
    brand: &'a str,
    color: &'a str,
    logo: Option<&'a str>,
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    brand: &'a str,
    words: &'a Words,
}

/// `None` for what this version does not know how to write.
pub(super) fn render(cell: &TenantCell, row: &MailRow) -> Option<RenderedMail> {
    let SealedMail { to, message } = serde_json::from_str(row.message.as_ref()?).ok()?;
    let language = Language::parse(&row.language)?;
    let settings = &cell.settings.mail;
    let brand = settings.name.as_deref().unwrap_or(&cell.name);
    let words = words::of(language, &message, brand, &cell.issuer);
    let (color, logo) = (settings.color.as_str(), settings.logo_url.as_deref());
    let html = Html { language: language.tag(), brand, color, logo, words: &words }.render().ok()?;
    let text = Text { brand, words: &words }.render().ok()?;
    let mail = MailId::from_uuid(row.mail_id);
    Some(RenderedMail {
        mail,
        tenant: cell.id,
        message_id: format!("<{mail}@{}>", host_of(&cell.issuer)),
        from_name: brand.to_owned(),
        to,
        reply_to: settings.reply_to.clone(),
        kind: message.kind(),
        language,
        subject: words.subject,
        text,
        html,
        at: Timestamp::from_millis(row.created_at),
    })
}

/// The host of the configured base URL.
fn host_of(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_that_of_the_configuration() {
        assert_eq!(host_of("https://id.example.com/t/demo"), "id.example.com");
        assert_eq!(host_of("http://localhost:8000/t/demo"), "localhost");
    }

    #[test]
    fn every_mail_is_written_in_every_language_with_its_link_or_code_and_nothing_unescaped() {
        for language in Language::ALL {
            for message in MailMessage::samples() {
                let brand = "Acme <b>&</b>";
                let words = words::of(language, &message, brand, "https://id.test/t/demo");
                let html =
                    Html { language: language.tag(), brand, color: "#112233", logo: None, words: &words };
                let (html, text) = (
                    html.render().expect("renders"),
                    Text { brand, words: &words }.render().expect("renders"),
                );
                assert!(!html.contains("<b>") && html.contains("Acme &#60;b&#62;"), "{html}");
                assert!(text.contains("Acme <b>&</b>"), "plain text is not escaped: {text}");
                for (needed, there) in [
                    ("token=sample", serde_json::to_string(&message).expect("json").contains("sample")),
                    ("12345678", message.kind() == "sign_in_code"),
                ] {
                    assert_eq!(
                        (html.contains(needed), text.contains(needed)),
                        (there, there),
                        "{}",
                        message.kind()
                    );
                }
                assert!(!words.subject.is_empty() && !words.subject.contains('\n'));
            }
        }
    }
}
