//! Creating an account with an e-mail address and a password.

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::input::InvalidInput;
use crate::mail::{Language, MailMessage, OutgoingMail};
use crate::name::DisplayName;
use crate::password::{Password, PasswordHash, PasswordPolicy};
use crate::randomness::Randomness;
use crate::time::Timestamp;
use crate::user::create::{self, NewUser};
use crate::user::profile::Profile;
use std::time::Duration;

/// A checked request to create an account.
#[derive(Debug)]
pub struct SignUp {
    /// Primary address.
    pub email: EmailAddress,
    /// The password, already accepted by the policy.
    pub password: Password,
    /// What to call them.
    pub name: Option<DisplayName>,
}

impl SignUp {
    /// Checks every field and reports all that is wrong at once.
    pub fn parse(
        email: &str,
        password: &str,
        name: Option<&str>,
        policy: &PasswordPolicy,
    ) -> Result<Self, Vec<InvalidInput>> {
        let email = EmailAddress::parse("email", email);
        let password = Password::entered("password", password);
        let name = name.map(|name| DisplayName::parse("name", name)).transpose();
        let weak = match (&email, &password, &name) {
            (Ok(email), Ok(password), Ok(name)) => {
                policy.check(password, Some(email), name.as_ref().map(DisplayName::as_str)).err()
            }
            _ => None,
        };
        match (email, password, name, weak) {
            (Ok(email), Ok(password), Ok(name), None) => Ok(Self { email, password, name }),
            (email, password, name, weak) => {
                Err([email.err(), password.err(), name.err(), weak].into_iter().flatten().collect())
            }
        }
    }
}

/// Decides on a new account. Whether the address is taken shows when the decision is committed (it is unique in the
/// tenant); the caller hears the same answer either way.
pub fn decide(
    email: EmailAddress,
    name: Option<DisplayName>,
    hash: PasswordHash,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<UserId> {
    let profile = Profile { name, ..Profile::default() };
    create::decide(NewUser { email, email_verified: false, profile }, Some(hash), now, randomness)
}

/// For how long it helps to be told of a repeated sign-up.
const NEWS: Duration = Duration::from_secs(86_400);

/// Decides on a sign-up with an address that has an account: its owner is told, the caller is not.
pub fn decide_repeated(
    email: EmailAddress,
    language: Language,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let mail = OutgoingMail::new(email, language, MailMessage::AlreadyRegistered, NEWS, now, randomness);
    Decision { writes: vec![Write::Mail(mail)], events: vec![Event::SignUpRepeated], reply: () }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let errors =
            SignUp::parse("nobody", "", Some("\0"), &PasswordPolicy::default()).expect_err("all wrong");
        let fields: Vec<_> = errors.iter().map(|e| e.field).collect();
        assert_eq!(fields, ["email", "password", "name"]);
    }

    #[test]
    fn a_good_request_becomes_a_user_with_a_password_and_one_event() {
        let request = SignUp::parse(
            "ada@example.com",
            "correct horse battery",
            Some("Ada"),
            &PasswordPolicy::default(),
        )
        .expect("good");
        let hash = PasswordHash::from_phc("$argon2id$".into());
        let decision =
            decide(request.email, request.name, hash, Timestamp::from_millis(5), &Counting::default());
        let user = decision.reply;
        let passwords = decision.writes.iter().filter(|write| matches!(write, Write::InsertPassword { .. }));
        assert_eq!(passwords.count(), 1);
        assert_eq!(decision.events, [Event::UserCreated { user }]);
    }
}
