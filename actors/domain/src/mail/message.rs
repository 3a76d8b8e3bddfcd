use serde::{Deserialize, Serialize};
use std::fmt;

/// Languages mails are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// Reads [`tag`](Self::tag) back.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }
}

/// What a mail says. Tokens and codes in it are secrets: it is sealed at rest, and `Debug` shows the kind only.
///
/// What somebody who is not the recipient wrote is in it only where the recipient cannot do without.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum MailMessage {
    /// Prove that this address is yours.
    VerifyEmail {
        /// For the link.
        token: String,
        /// How long it is good.
        minutes: u32,
    },
    /// Somebody signed up with an address that has an account.
    AlreadyRegistered,
    /// Choose a new password.
    ResetPassword {
        /// For the link.
        token: String,
        /// How long it is good.
        minutes: u32,
    },
    /// The password was changed.
    PasswordChanged,
    /// The password was removed, as it was set before the address was proved.
    PasswordRemoved,
    /// Sign in by a link.
    SignInLink {
        /// For the link.
        token: String,
        /// How long it is good.
        minutes: u32,
    },
    /// Sign in by a code.
    SignInCode {
        /// The code.
        code: String,
        /// How long it is good.
        minutes: u32,
    },
    /// Somebody wants the recipient to have an account, and to choose a password for it.
    UserInvitation {
        /// For the link.
        token: String,
        /// How long it is good.
        minutes: u32,
    },
    /// Join an organization.
    OrganizationInvitation {
        /// For the link.
        token: String,
        /// How long it is good.
        minutes: u32,
        /// The organization's name.
        organization: String,
    },
}

impl MailMessage {
    /// One of each, for tests and for lists of kinds.
    pub fn samples() -> Vec<Self> {
        let (token, minutes) = ("sample".to_owned(), 20);
        let next = |last: Option<&Self>| match last {
            None => Some(Self::VerifyEmail { token: token.clone(), minutes }),
            Some(Self::VerifyEmail { .. }) => Some(Self::AlreadyRegistered),
            Some(Self::AlreadyRegistered) => Some(Self::ResetPassword { token: token.clone(), minutes }),
            Some(Self::ResetPassword { .. }) => Some(Self::PasswordChanged),
            Some(Self::PasswordChanged) => Some(Self::PasswordRemoved),
            Some(Self::PasswordRemoved) => Some(Self::SignInLink { token: token.clone(), minutes }),
            Some(Self::SignInLink { .. }) => Some(Self::SignInCode { code: "12345678".to_owned(), minutes }),
            Some(Self::SignInCode { .. }) => Some(Self::UserInvitation { token: token.clone(), minutes }),
            Some(Self::UserInvitation { .. }) => Some(Self::OrganizationInvitation {
                token: token.clone(),
                minutes,
                organization: "Analytical Engines".to_owned(),
            }),
            Some(Self::OrganizationInvitation { .. }) => None,
        };
        std::iter::successors(next(None), |last| next(Some(last))).collect()
    }

    /// What kind of mail it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword { .. } => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::PasswordRemoved => "password_removed",
            Self::SignInLink { .. } => "sign_in_link",
            Self::SignInCode { .. } => "sign_in_code",
            Self::UserInvitation { .. } => "user_invitation",
            Self::OrganizationInvitation { .. } => "organization_invitation",
        }
    }
}

impl fmt::Debug for MailMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailMessage({})", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_is_stored_under_its_name_and_shows_no_secret() {
        let mut kinds = BTreeSet::new();
        for message in MailMessage::samples() {
            let stored = serde_json::to_value(&message).expect("serializes");
            assert_eq!(stored["kind"], message.kind());
            assert!(kinds.insert(message.kind()));
            assert_eq!(format!("{message:?}"), format!("MailMessage({})", message.kind()));
            assert_eq!(serde_json::from_value::<MailMessage>(stored).expect("reads back"), message);
        }
    }

    #[test]
    fn languages_are_written_as_they_are_read() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
            assert_eq!(serde_json::to_value(language).expect("serializes"), language.tag());
        }
        assert_eq!(Language::parse("xx"), None);
    }
}
