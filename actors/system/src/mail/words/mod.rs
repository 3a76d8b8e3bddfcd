//! What mails say. One file for each language; a new kind of mail does not compile until every language has words.

mod de;
mod en;

use plinto_domain::mail::{Language, MailMessage};

/// A mail's words.
pub(super) struct Words {
    pub(super) subject: String,
    /// Above the button.
    pub(super) before: Vec<String>,
    /// A code to be read off.
    pub(super) code: Option<String>,
    /// What to press.
    pub(super) action: Option<Action>,
    /// Below the button.
    pub(super) after: Vec<String>,
}

/// A link.
pub(super) struct Action {
    pub(super) label: &'static str,
    pub(super) url: String,
}

/// The words for a message. Links start with the tenant's issuer, which is made from the configuration.
pub(super) fn of(language: Language, message: &MailMessage, brand: &str, issuer: &str) -> Words {
    let mut words = match language {
        Language::En => en::words(message, brand),
        Language::De => de::words(message, brand),
    };
    words.action = link(message).map(|(page, token)| Action {
        label: match language {
            Language::En => en::label(message),
            Language::De => de::label(message),
        },
        url: format!("{issuer}/auth/{page}?token={token}"),
    });
    words
}

/// The page a mail leads to, and the token that is handed to it.
fn link(message: &MailMessage) -> Option<(&'static str, &str)> {
    match message {
        MailMessage::VerifyEmail { token, .. } => Some(("verify-email", token)),
        MailMessage::ResetPassword { token, .. } => Some(("reset-password", token)),
        MailMessage::SignInLink { token, .. } => Some(("sign-in-link", token)),
        MailMessage::UserInvitation { token, .. } => Some(("invitation", token)),
        MailMessage::OrganizationInvitation { token, .. } => Some(("organization-invitation", token)),
        MailMessage::AlreadyRegistered
        | MailMessage::PasswordChanged
        | MailMessage::PasswordRemoved
        | MailMessage::SignInCode { .. } => None,
    }
}

/// `20 minutes`, `2 hours`, `7 days`: the largest unit that says it exactly.
fn duration(minutes: u32, units: [(&str, &str); 3]) -> String {
    let (count, (one, many)) = match minutes {
        m if m >= 1_440 && m.is_multiple_of(1_440) => (m / 1_440, units[2]),
        m if m >= 60 && m.is_multiple_of(60) => (m / 60, units[1]),
        m => (m, units[0]),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_are_said_in_the_largest_exact_unit() {
        let said = |minutes| super::duration(minutes, [("m", "ms"), ("h", "hs"), ("d", "ds")]);
        assert_eq!([20, 1, 60, 90, 1_440, 10_080].map(said), ["20 ms", "1 m", "1 h", "90 ms", "1 d", "7 ds"]);
    }
}
