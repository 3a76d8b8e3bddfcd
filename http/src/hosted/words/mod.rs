//! What the pages say, in each language. A language is one file; the compiler sees to it that nothing is missing.

mod en;
mod es;

use axum::http::{HeaderMap, header};

/// Languages of the pages, as tags (RFC 5646).
pub(crate) const LANGUAGES: [&str; 2] = ["en", "es"];
const ALL: [&Words; 2] = [&en::WORDS, &es::WORDS];

/// What the pages say in one language. `{}` stands for the name of an application, an account or a tenant.
pub(crate) struct Words {
    /// Its tag.
    pub(crate) language: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) sign_in_to: &'static str,
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
    pub(crate) forgot_password: &'static str,
    pub(crate) no_account: &'static str,
    pub(crate) wrong_credentials: &'static str,
    pub(crate) sign_up: &'static str,
    pub(crate) create_account: &'static str,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
    pub(crate) new_password: &'static str,
    pub(crate) password_advice: &'static str,
    pub(crate) have_account: &'static str,
    pub(crate) check_mail: &'static str,
    pub(crate) check_mail_after_sign_up: &'static str,
    pub(crate) recover: &'static str,
    pub(crate) recover_advice: &'static str,
    pub(crate) send_link: &'static str,
    pub(crate) check_mail_after_recover: &'static str,
    pub(crate) back_to_sign_in: &'static str,
    pub(crate) choose_account: &'static str,
    pub(crate) choose_account_for: &'static str,
    pub(crate) other_account: &'static str,
    pub(crate) consent: &'static str,
    pub(crate) consent_asks: &'static str,
    pub(crate) signed_in_as: &'static str,
    pub(crate) allow: &'static str,
    pub(crate) deny: &'static str,
    pub(crate) consent_destination: &'static str,
    pub(crate) consent_withdrawal: &'static str,
    pub(crate) scope_openid: &'static str,
    pub(crate) scope_profile: &'static str,
    pub(crate) scope_email: &'static str,
    pub(crate) scope_phone: &'static str,
    pub(crate) scope_offline_access: &'static str,
    pub(crate) scope_other: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) sign_out_question: &'static str,
    pub(crate) stay: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) signed_out_text: &'static str,
    pub(crate) still_signed_in: &'static str,
    pub(crate) still_signed_in_text: &'static str,
    pub(crate) going_back: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) bad_request: &'static str,
    pub(crate) bad_request_text: &'static str,
    pub(crate) bad_logout_text: &'static str,
    pub(crate) too_old: &'static str,
    pub(crate) too_old_text: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) form_lost: &'static str,
    pub(crate) website: &'static str,
    pub(crate) privacy_policy: &'static str,
    pub(crate) terms: &'static str,
}

impl Words {
    /// In the first language somebody likes that there is; English if there is none.
    pub(crate) fn of<'t>(mut liked: impl Iterator<Item = &'t str>) -> &'static Self {
        let found = liked.find_map(|tag| {
            let language = tag.split(['-', '_']).next().unwrap_or_default();
            ALL.into_iter().find(|words| words.language.eq_ignore_ascii_case(language))
        });
        found.unwrap_or(&en::WORDS)
    }

    /// In the language a browser asks for (RFC 9110 §12.5.4). The order is taken for the preference, as browsers send it.
    pub(crate) fn of_browser(headers: &HeaderMap) -> &'static Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self::of(
            asked.unwrap_or_default().split(',').filter_map(|range| range.split(';').next()).map(str::trim),
        )
    }

    /// What a scope means, for people.
    pub(crate) fn scope(&self, scope: &str) -> String {
        match scope {
            "openid" => self.scope_openid.to_owned(),
            "profile" => self.scope_profile.to_owned(),
            "email" => self.scope_email.to_owned(),
            "phone" => self.scope_phone.to_owned(),
            "offline_access" => self.scope_offline_access.to_owned(),
            other => self.scope_other.replace("{}", other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accepted: &str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().expect("header"));
        Words::of_browser(&headers).language
    }

    #[test]
    fn the_first_language_that_is_there_is_taken() {
        assert_eq!(of("es-MX,es;q=0.9,en;q=0.8"), "es");
        assert_eq!(of("fr, ES;q=0.5"), "es");
        assert_eq!(of("fr"), "en");
        assert_eq!(of(""), "en");
        assert_eq!(Words::of_browser(&HeaderMap::new()).language, "en");
        assert_eq!(ALL.map(|words| words.language), LANGUAGES);
    }

    #[test]
    fn names_have_their_place_in_every_language() {
        for words in ALL {
            let with_a_name = [
                words.sign_in_to,
                words.choose_account_for,
                words.consent,
                words.scope_other,
                words.sign_out_question,
            ];
            for text in with_a_name {
                assert_eq!(text.matches("{}").count(), 1, "{}: {text}", words.language);
            }
        }
    }
}
